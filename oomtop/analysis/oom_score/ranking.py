"""The kernel's kill order in one OOM domain, the machine or a cgroup (mm/oom_kill.c).

A candidate replaces the chosen one unless its points are lower, and tasks are walked in the order of their
start, so of two equal ones the later one dies.  A cgroup's OOM looks only at the tasks of that group and below
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
    """Return the first `count` victims of a domain with `pages` total pages.

    `groups` are the cgroups by path, for `memory.oom.group`; `domain` is the path of the full cgroup,
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
    """Return the first `count` of `processes`, given their badness (None for one that cannot be killed)."""
    # Plain numbers are compared in C; only those not below the last one become candidates.
    least = min(heapq.nlargest(count, [points for points in scores if points is not None]), default=0)
    scored = [
        (points, process.started, process.id.pid, process)
        for points, process in zip(scores, processes, strict=True)
        if points is not None and points >= least
    ]
    # No key function: the pid breaks every tie before processes are compared.
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
    """Whether the next candidate that survives the victim is close to it."""
    first = candidates[0].badness
    rival = next((candidate.badness for candidate in candidates if candidate.id not in dying), None)
    return rival is not None and first - rival <= abs(first) * _NEAR


def culprit(total: int, parts: Sequence[tuple[str, int]], processes_own: int) -> str | None:
    """Return a sentence if kernel, tmpfs or hugetlb memory exceeds the memory of all processes."""
    name, size = max(parts, key=lambda part: part[1])
    if size > total * 0.3 and size > processes_own:
        return f"{format_bytes(size)} is {name}, which no kill frees"
    return None
