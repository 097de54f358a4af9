"""Observed memory peaks over a period, the input of recommendations; pure.

A group needs its unreclaimable memory (`history.held_by`) and its swap: page cache that
churns through a group fills any limit, active lists included.  `memory.peak` (v2) and `memory.max_usage_in_bytes` (v1)
hold page cache as well.
"""

from __future__ import annotations

from collections.abc import Iterable

from oomtop.frozen import frozen, replace
from oomtop.history import held_by
from oomtop.host.cgroup import Cgroup
from oomtop.host.containers import name_of
from oomtop.snapshot import Snapshot


@frozen
class GroupPeaks:
    """The extremes of one cgroup, in bytes."""

    path: str
    name: str
    need: int
    """The highest sample of its working set plus swap."""
    peak: int | None
    """The highest usage since the group was created, page cache included, from the kernel."""
    cache: int
    """Reclaimable usage at the end: file cache and reclaimable slab."""
    limit: int | None
    """Its own `memory.max` at the end."""
    kills: int
    """OOM kills in it since it was created."""
    first: int
    """The working set of the first sample, to distinguish growth from a plateau."""
    last: int


@frozen
class Observation:
    """The extremes of the machine and its groups, in bytes, over `seconds` of `samples` samples."""

    samples: int
    seconds: float
    total: int
    """MemTotal."""
    swap_total: int
    used_peak: int
    """The highest MemTotal - MemAvailable."""
    demand_peak: int
    """The highest sum of that and used swap at one instant."""
    oom_kills: int
    """`oom_kill` of `/proc/vmstat`: kills since boot."""
    groups: tuple[GroupPeaks, ...]


def observe(snapshots: Iterable[Snapshot]) -> Observation | None:
    """Return the extremes of `snapshots`, oldest first; None if there are none."""
    first = last = None
    samples = used = demand = 0
    groups: dict[str, GroupPeaks] = {}
    for snapshot in snapshots:
        first, last = first or snapshot, snapshot
        samples += 1
        now_used, now_demand = _machine(snapshot)
        used, demand = max(used, now_used), max(demand, now_demand)
        for group in snapshot.cgroups:
            _add(groups, group)
    if first is None or last is None:
        return None
    return Observation(
        samples=samples,
        seconds=max(0.0, last.time - first.time),
        total=last.meminfo.mem_total,
        swap_total=last.meminfo.swap_total or 0,
        used_peak=used,
        demand_peak=demand,
        oom_kills=(last.vmstat.oom_kill if last.vmstat else None) or 0,
        groups=tuple(groups.values()),
    )


def _machine(snapshot: Snapshot) -> tuple[int, int]:
    info = snapshot.meminfo
    available = info.mem_free if info.mem_available is None else info.mem_available
    used = 0 if available is None else max(0, info.mem_total - available)
    swapped = 0 if info.swap_free is None else max(0, (info.swap_total or 0) - info.swap_free)
    return used, used + swapped


def _add(groups: dict[str, GroupPeaks], group: Cgroup) -> None:
    if group.current is None or group.path == "/":
        return
    held = held_by(group)
    need, cache = held + (group.swap_current or 0), group.current - held
    old, kills = groups.get(group.path), group.events.oom_kill or 0
    if old is None:
        name = name_of(group.path) or group.path
        groups[group.path] = GroupPeaks(group.path, name, need, group.peak, cache, group.max, kills, need, need)
        return
    peak = old.peak if group.peak is None else max(old.peak or 0, group.peak)
    groups[group.path] = replace(
        old,
        need=max(old.need, need),
        peak=peak,
        cache=max(0, cache),
        limit=group.max,
        kills=max(old.kills, kills),
        last=need,
    )
