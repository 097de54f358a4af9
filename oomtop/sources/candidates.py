"""The first OOM candidates of the machine and of each limited cgroup, whose oom_score_adj is read on every tick.

Every process's adj costs 36 ms a tick on 5,000 processes, that of the first ones 2 ms at most.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from oomtop.analysis.cgroups.assess import chain
from oomtop.analysis.oom_score.badness import points
from oomtop.host.cgroup import Cgroup
from oomtop.host.process import Process, ProcessId

_FIRST = 20
"""Of each domain."""
_AT_MOST = 100


def first_candidates(
    processes: Iterable[Process], groups: Iterable[Cgroup], total_pages: int, page_size: int
) -> tuple[Process, ...]:
    """Return the first of the machine, then those of the limited groups, the fullest group first."""
    limited = {group.path: group for group in groups if group.max}
    members = _members(processes, limited)
    found = {process.id: process for process in _first(members[""], total_pages, page_size)}
    for path in sorted(limited, key=lambda path: -_fullness(limited[path])):
        if len(found) >= _AT_MOST:
            break
        pages = (limited[path].max or 0) // page_size
        found.update((process.id, process) for process in _first(members[path], pages, page_size))
    return tuple(found.values())[:_AT_MOST]


def identities(processes: Iterable[Process]) -> frozenset[ProcessId]:
    """Return who they are."""
    return frozenset(process.id for process in processes)


def _members(processes: Iterable[Process], limited: Mapping[str, Cgroup]) -> Mapping[str, list[Process]]:
    """Return who is in each limited group or below it, and under the empty path everyone with memory."""
    domains: dict[str | None, Sequence[str]] = {None: ("",)}
    found: dict[str, list[Process]] = defaultdict(list)
    for process in processes:
        if not process.virtual_size:
            continue
        path = process.cgroup
        if path not in domains:
            domains[path] = ("", *(name for name in chain(path or "/") if name in limited))
        for domain in domains[path]:
            found[domain].append(process)
    return found


def _first(members: Iterable[Process], pages: int, page_size: int) -> list[Process]:
    return heapq.nlargest(_FIRST, members, key=lambda process: points(process, pages, page_size))


def _fullness(group: Cgroup) -> float:
    return (group.current or 0) / group.max if group.max else 0.0
