"""Effective limits through the ancestors of each cgroup, headroom, and victims of each limited group."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from oomtop.analysis.model.assessment import CgroupFigures, Victims
from oomtop.analysis.oom_score.ranking import rank
from oomtop.history import held_by
from oomtop.host.cgroup import Cgroup
from oomtop.host.containers import name_of
from oomtop.host.kernel_facts import KernelFacts
from oomtop.host.process import Process
from oomtop.snapshot import Snapshot

_RANKED = 4
"""The victim of a group, and the next candidate that does not share its memory."""


def chain(path: str) -> Iterable[str]:
    """Yield a cgroup path and its parents, nearest first, the root last."""
    while path and path != "/":
        yield path
        path = path.rpartition("/")[0] or "/"
    yield "/"


def working_set(group: Cgroup) -> int | None:
    """Return the bytes that reclaim cannot take back easily: usage without file cache and reclaimable slab."""
    if group.current is None:
        return None
    return held_by(group)


def headroom(group: Cgroup) -> int | None:
    """Return the bytes left below the group's own limit, None without a limit."""
    used = working_set(group)
    return None if used is None or group.max is None else max(0, group.max - used)


def assess_groups(
    snapshot: Snapshot, known: Mapping[str, CgroupFigures] = MappingProxyType({})
) -> tuple[CgroupFigures, ...]:
    """Return the figures of all groups; victims only for groups with their own limit.

    `known` are those of the tick before that still hold.
    """
    groups = {group.path: group for group in snapshot.cgroups}
    limited = {path for path, group in groups.items() if group.max is not None and path not in known}
    members = _members(snapshot.processes, limited)
    names = dict(snapshot.containers)
    return tuple(
        known.get(group.path) or _assess(group, names, groups, members, snapshot) for group in snapshot.cgroups
    )


def _members(processes: Iterable[Process], limited: set[str]) -> Mapping[str, list[Process]]:
    """Return the processes of each limited group and its descendants."""
    found: dict[str, list[Process]] = defaultdict(list)
    if not limited:
        return found
    chains: dict[str | None, tuple[str, ...]] = {None: ()}
    for process in processes:
        path = process.cgroup
        if path not in chains:
            chains[path] = tuple(part for part in chain(path or "/") if part in limited)
        for part in chains[path]:
            found[part].append(process)
    return found


def _assess(
    group: Cgroup,
    names: Mapping[str, str],
    groups: Mapping[str, Cgroup],
    members: Mapping[str, list[Process]],
    snapshot: Snapshot,
) -> CgroupFigures:
    limits = [above.max for path in chain(group.path) if (above := groups.get(path)) and above.max is not None]
    name = name_of(group.path, names) or group.path
    if group.max is None:
        return CgroupFigures(group, name, min(limits, default=None), None, None, Victims())
    return CgroupFigures(
        group,
        name,
        effective_limit=min(limits),
        headroom=headroom(group),
        danger=None,
        victims=_victims(group, groups, members.get(group.path, ()), snapshot),
    )


def _victims(group: Cgroup, groups: Mapping[str, Cgroup], members: Iterable[Process], snapshot: Snapshot) -> Victims:
    """Return the victims of the group; None with `oom_kill_disable` (v1), where tasks wait instead."""
    if group.oom_kill_disable:
        return Victims()
    page = snapshot.machine.page_size
    pages = limit_pages(group, usable_swap(snapshot.meminfo.swap_total, snapshot.kernel), page)
    return rank(members, pages, page, _RANKED, groups, group.path)


def swap_left(group: Cgroup, groups: Mapping[str, Cgroup], snapshot: Snapshot) -> int:
    """Return the swap that the group may still use: what is left to it and to each of `groups` above it."""
    free = snapshot.meminfo.swap_free or 0
    if not free:
        return 0
    own = (_own_swap_left(groups[path]) for path in chain(group.path) if path in groups)
    return max(0, min([free, *(left for left in own if left is not None)]))


def _own_swap_left(group: Cgroup) -> int | None:
    used = group.swap_current or 0
    if group.memsw_max is not None and group.max is not None:
        return group.memsw_max - group.max - used
    return None if group.swap_max is None else group.swap_max - used


def usable_swap(swap_total: int | None, kernel: KernelFacts | None) -> int:
    """Return the swap that counts for a cgroup, in bytes: none with `vm.swappiness` 0, which v1 groups inherit."""
    return 0 if kernel is not None and kernel.number("swappiness") == 0 else swap_total or 0


def limit_pages(group: Cgroup, swap: int, page: int) -> int:
    """Return `mem_cgroup_get_max`: the limit plus what the group may use of `swap`, in pages."""
    limit = group.max or 0
    if group.memsw_max is not None:
        return min(max(limit, group.memsw_max), limit + swap) // page
    return (limit + (swap if group.swap_max is None else min(swap, group.swap_max))) // page


def nearest_limits(figures: Iterable[CgroupFigures]) -> Mapping[str, tuple[int, str]]:
    """Return for each group path the smallest (headroom, path) of itself and the groups above."""
    own = {f.cgroup.path: f.headroom for f in figures}
    nearest: dict[str, tuple[int, str]] = {}
    for path in own:
        found = [(left, above) for above in chain(path) if (left := own.get(above)) is not None]
        if found:
            nearest[path] = min(found)
    return nearest
