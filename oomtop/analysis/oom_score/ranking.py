"""Who is killed next: the kernel's ranking of one OOM domain, the machine or a cgroup (mm/oom_kill.c).

A candidate replaces the chosen one unless its points are lower, and tasks are walked in the order of their
start, so of two equal ones the later dies.  A cgroup's OOM looks only at the tasks of that group and below
and measures `oom_score_adj` against its limit.
"""

from __future__ import annotations

import heapq
import types
from collections.abc import Iterable, Mapping, Sequence

from oomtop.analysis.model.assessment import Candidate, Victims
from oomtop.analysis.oom_score.badness import badness, frees
from oomtop.analysis.oom_score.deaths import deaths
from oomtop.host.cgroup import Cgroup
from oomtop.host.process import Process, ProcessId
from oomtop.units import format_bytes

_SHOWN = 10
_NEAR = 0.01
_NO_GROUPS: Mapping[str, Cgroup] = types.MappingProxyType({})


def rank(
    processes: Iterable[Process],
    pages: int,
    page_size: int,
    count: int = _SHOWN,
    groups: Mapping[str, Cgroup] = _NO_GROUPS,
    domain: str = "/",
) -> Victims:
    """Return the `count` first of one domain of `pages` total pages.

    `groups` are the cgroups by path, which tell `memory.oom.group`; `domain` is the path of the cgroup that is full,
    `/` for the machine.
    """
    members = list(processes)
    scores = [badness(process, pages, page_size) for process in members]
    return rank_scored(scores, members, pages, count, groups, domain)


def rank_scored(
    scores: Sequence[int | None],
    processes: Sequence[Process],
    pages: int,
    count: int = _SHOWN,
    groups: Mapping[str, Cgroup] = _NO_GROUPS,
    domain: str = "/",
) -> Victims:
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
    if not first:
        return Victims()
    candidates = tuple(
        Candidate(p.id, p.comm, p.euid, points, points / pages if pages else 0.0, frees(p), p.rss_and_swap, p.swap or 0)
        for points, _, _, p in first
    )
    all_that_die = deaths(first[0][3], processes, groups, domain)
    return Victims(
        candidates,
        near_tie=_is_near_tie(candidates, all_that_die.dying),
        oom_group=all_that_die.oom_group,
        dying=all_that_die.dying,
        dying_frees=all_that_die.frees,
    )


def _is_near_tie(candidates: Sequence[Candidate], dying: Sequence[ProcessId]) -> bool:
    """Whether the first that does not die with the victim is near it."""
    first = candidates[0].badness
    rival = next((candidate.badness for candidate in candidates if candidate.id not in dying), None)
    return rival is not None and first - rival <= abs(first) * _NEAR


def culprit(total: int, parts: Sequence[tuple[str, int]], processes_own: int) -> str | None:
    """Return a sentence when kernel, tmpfs or hugetlb memory outweighs what all processes own."""
    name, size = max(parts, key=lambda part: part[1])
    if size > total * 0.3 and size > processes_own:
        return f"{format_bytes(size)} is {name}, which no kill gives back"
    return None
