"""Explains the rank of a process in kill order term by term, and its rank with other values of oom_score_adj.

`oom_badness` of mm/oom_kill.c, see `badness`; every figure in pages, as in the kernel.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence

from oomtop.analysis.oom_score.badness import OOM_SCORE_ADJ_MIN, badness, is_passed_over
from oomtop.frozen import frozen
from oomtop.host.process import Process

OTHER_ADJS = (-900, -500, 0, 500, 1000)
_ADJ_MAX = 1000


@frozen
class ScoreAt:
    """The rank of a process with an `oom_score_adj`; `rank` 1 dies first."""

    adj: int
    badness: int
    share: float
    rank: int


@frozen
class Score:
    """The badness of one process in one OOM domain: the machine, or a cgroup at its limit."""

    domain: str
    """`machine`, or the path of the cgroup."""
    total_pages: int
    """RAM plus swap, or the limit plus the group's usable swap."""
    rss: int
    swap: int
    page_tables: int
    adj: int
    adj_pages: int
    """adj * (total_pages // 1000)"""
    place: ScoreAt | None
    """None for a process that the kernel never kills."""
    why_not: str | None
    candidates: int
    """Number of processes that the kernel could kill."""
    rival: int | None
    """The pid of the first other process."""
    rival_name: str | None
    distance: int | None
    """Pages by which it is ahead of the first other process; negative if behind."""
    turning_adj: int | None
    """The smallest adj that makes it first, None if none does."""
    others: tuple[ScoreAt, ...]
    """Its rank with each of `OTHER_ADJS`."""


def explain(process: Process, processes: Iterable[Process], pages: int, page_size: int, domain: str) -> Score:
    """Explain the badness of `process` among `processes` with `pages` total pages."""
    rivals = sorted(
        (points, other.started, other.pid, other.comm)
        for other in processes
        if other.id != process.id and (points := badness(other, pages, page_size)) is not None
    )
    adj = process.oom_score_adj or 0
    own = [part // page_size for part in (process.rss, process.swap or 0, process.page_tables or 0)]
    why_not = reason_not_considered(process)
    best = rivals[-1] if rivals else None
    place = None if why_not else _place(process, sum(own), adj, pages, rivals)
    return Score(
        domain=domain,
        total_pages=pages,
        rss=own[0],
        swap=own[1],
        page_tables=own[2],
        adj=adj,
        adj_pages=adj * (pages // 1000),
        place=place,
        why_not=why_not,
        candidates=len(rivals) + (place is not None),
        rival=best[2] if best else None,
        rival_name=best[3] if best else None,
        distance=place.badness - best[0] if place and best else None,
        turning_adj=None if place is None else _turning_adj(process, sum(own), pages, rivals),
        others=()
        if why_not and adj != OOM_SCORE_ADJ_MIN
        else tuple(_place(process, sum(own), other, pages, rivals) for other in OTHER_ADJS),
    )


def reason_not_considered(process: Process) -> str | None:
    """Return why the kernel never chooses this process, or None."""
    if process.is_kernel_thread:
        return "a kernel thread: it has no memory of its own"
    if not process.virtual_size:
        return "a zombie: it has no memory map any more"
    if is_passed_over(process):
        if process.pid == 1:
            return "pid 1 (init) is never chosen"
        return "its oom_score is 0: a vfork child that still uses its parent's memory, or its memory is already reaped"
    if process.oom_score_adj == OOM_SCORE_ADJ_MIN:
        return "oom_score_adj -1000: never chosen, however much it holds"
    return None


_Rival = tuple[int, float, int, str]


def _place(process: Process, own: int, adj: int, pages: int, rivals: Sequence[_Rival]) -> ScoreAt:
    """Return the rank; of equal points the later started process dies first."""
    points = own + adj * (pages // 1000)
    above = len(rivals) - bisect_right(rivals, (points, process.started, process.pid, process.comm))
    return ScoreAt(adj, points, points / pages if pages else 0.0, above + 1)


def _turning_adj(process: Process, own: int, pages: int, rivals: Sequence[_Rival]) -> int | None:
    step = pages // 1000
    if not rivals or not step:
        return None
    least = max(OOM_SCORE_ADJ_MIN + 1, -((own - rivals[-1][0]) // step))
    for adj in (least, least + 1):
        if adj <= _ADJ_MAX and _place(process, own, adj, pages, rivals).rank == 1:
            return adj
    return None
