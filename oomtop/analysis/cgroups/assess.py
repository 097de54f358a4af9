"""Effective limits through the ancestors of each cgroup, headroom, and victims of each limited group."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from oomtop.analysis.model.assessment import CgroupFigures, Victims
from oomtop.analysis.oom_score.ranking import rank
from oomtop.history import held_by
from oomtop.host.cgroup import Cgroup
from oomtop.host.containers import name_of
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


def assess_groups(snapshot: Snapshot) -> tuple[CgroupFigures, ...]:
    """Return the figures of all groups; victims only for groups with their own limit."""
    groups = {group.path: group for group in snapshot.cgroups}
    members = _members(snapshot.processes, {path for path, group in groups.items() if group.max is not None})
    names = dict(snapshot.containers)
    return tuple(_assess(group, names, groups, members, snapshot) for group in snapshot.cgroups)


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
    return rank(members, _total_pages(group, snapshot, page), page, _RANKED, groups, group.path)


def swap_left(group: Cgroup, snapshot: Snapshot) -> int:
    """Return the swap that the group may still use."""
    free = snapshot.meminfo.swap_free or 0
    if group.memsw_max is not None and group.max is not None:
        return min(free, max(0, group.memsw_max - group.max - (group.swap_current or 0)))
    if group.swap_max is not None:
        return min(free, max(0, group.swap_max - (group.swap_current or 0)))
    return free


def _total_pages(group: Cgroup, snapshot: Snapshot, page: int) -> int:
    """Return `mem_cgroup_get_max`: the limit plus the swap the group may use, in pages."""
    swap = snapshot.meminfo.swap_total or 0
    limit = group.max or 0
    if group.memsw_max is not None:
        return min(group.memsw_max, limit + swap) // page
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
