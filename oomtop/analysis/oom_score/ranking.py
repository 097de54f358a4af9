"""Who is killed next: the kernel's ranking of one OOM domain, the machine or a cgroup (mm/oom_kill.c).

A candidate replaces the chosen one unless its points are lower, and tasks are walked in the order of their
start, so of two equal ones the later dies.  A cgroup's OOM looks only at the tasks of that group and below
and measures `oom_score_adj` against its limit.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence

from oomtop.analysis.model.assessment import Candidate, Victims
from oomtop.analysis.oom_score.badness import badness, frees
from oomtop.host.process import Process
from oomtop.units import format_bytes

_SHOWN = 10
_NEAR = 0.01


def rank(processes: Iterable[Process], pages: int, page_size: int, count: int = _SHOWN) -> Victims:
    """Return the `count` first of one domain of `pages` total pages."""
    members = list(processes)
    return rank_scored([badness(process, pages, page_size) for process in members], members, pages, count)


def rank_scored(scores: Sequence[int | None], processes: Iterable[Process], pages: int, count: int = _SHOWN) -> Victims:
    """Return the `count` first of `processes` with their badness beside them, None for one that cannot be killed."""
    # Numbers alone are compared in C; only those that are not below the last of them become candidates.
    least = min(heapq.nlargest(count, [points for points in scores if points is not None]), default=0)
    scored = [
        (points, process.started, process.id.pid, process)
        for points, process in zip(scores, processes, strict=True)
        if points is not None and points >= least
    ]
    # No key function: the pid settles every tie before two processes would be compared.
    first = heapq.nlargest(count, scored)
    candidates = tuple(
        Candidate(p.id, p.comm, p.euid, points, points / pages if pages else 0.0, frees(p)) for points, _, _, p in first
    )
    return Victims(candidates, near_tie=_is_near_tie(candidates))


def _is_near_tie(candidates: Sequence[Candidate]) -> bool:
    if len(candidates) < 2:
        return False
    first, second = candidates[0].badness, candidates[1].badness
    return first - second <= abs(first) * _NEAR


def culprit(total: int, parts: Sequence[tuple[str, int]], processes_own: int) -> str | None:
    """Return a sentence when kernel, tmpfs or hugetlb memory outweighs what all processes own."""
    name, size = max(parts, key=lambda part: part[1])
    if size > total * 0.3 and size > processes_own:
        return f"{format_bytes(size)} is {name}, which no kill gives back"
    return None
