"""What was seen of memory over a stretch of time: the peaks that limits are recommended from; pure.

A group's need is its usage without `inactive_file`, the figure the kubelet judges by (Kubernetes, "Node-pressure
Eviction", `memory.workingSet`).  `memory.peak` (v2) and `memory.max_usage_in_bytes` (v1) hold page cache as well:
they are the upper bound.
"""

from __future__ import annotations

from collections.abc import Iterable

from oomtop.frozen import frozen, replace
from oomtop.host.cgroup import Cgroup
from oomtop.host.containers import name_of
from oomtop.snapshot import Snapshot


@frozen
class GroupPeaks:
    """The extremes of one cgroup, in bytes."""

    path: str
    name: str
    need: int
    """The highest working set of all samples: usage without inactive file cache."""
    peak: int | None
    """The highest usage since the group was made, page cache included, as the kernel kept it."""
    limit: int | None
    """Its own `memory.max` at the end."""
    kills: int
    """OOM kills in it since it was made."""
    first: int
    """The working set of the first sample, to tell growth from a plateau."""
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
    """The highest sum of that and the swap in use, at one instant."""
    oom_kills: int
    """`oom_kill` of `/proc/vmstat`: kills since boot."""
    groups: tuple[GroupPeaks, ...]


def observe(snapshots: Iterable[Snapshot]) -> Observation | None:
    """Return the extremes of `snapshots`, oldest first; None where there is none."""
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
    need = max(0, group.current - (group.inactive_file or 0)) + (group.swap_current or 0)
    old, kills = groups.get(group.path), group.events.oom_kill or 0
    if old is None:
        name = name_of(group.path) or group.path
        groups[group.path] = GroupPeaks(group.path, name, need, group.peak, group.max, kills, need, need)
        return
    peak = old.peak if group.peak is None else max(old.peak or 0, group.peak)
    groups[group.path] = replace(
        old, need=max(old.need, need), peak=peak, limit=group.max, kills=max(old.kills, kills), last=need
    )
