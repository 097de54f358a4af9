"""`PartHistory`: the parts of the memory account over the last minute, and the shared memory of cgroups.

Documentation/filesystems/proc.rst, "meminfo"; `shmem` of memory.stat.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Mapping, Sequence

from oomtop.host.cgroup import Cgroup
from oomtop.host.meminfo import Meminfo
from oomtop.snapshot import Snapshot

POINTS = 31
SECONDS = 60.0
_GROUPS = 20
_LEAST_SHMEM = 1 << 20

Curve = Sequence[tuple[float, int]]


class PartHistory:
    """The last minute at a point a tick."""

    def __init__(self) -> None:
        self._parts: deque[tuple[float, Mapping[str, int]]] = deque(maxlen=POINTS)
        self._groups: deque[tuple[float, Mapping[str, int]]] = deque(maxlen=POINTS)

    def add(self, snapshot: Snapshot) -> None:
        """Add one snapshot."""
        now = snapshot.monotonic
        self._parts.append((now, parts_of(snapshot)))
        self._groups.append((now, _shmem_of(snapshot.cgroups)))

    def parts(self) -> Mapping[str, Curve]:
        """Return the curve of each part that every point of the last minute has."""
        return _curves(self._parts)

    def groups(self) -> Mapping[str, Curve]:
        """Return the shared-memory curves of the cgroups with the most shared memory."""
        return _curves(self._groups)


def _curves(points: Sequence[tuple[float, Mapping[str, int]]]) -> Mapping[str, Curve]:
    if not points:
        return {}
    recent = [point for point in points if points[-1][0] - point[0] <= SECONDS]
    names = [name for name in recent[-1][1] if all(name in parts for _, parts in recent)]
    return {name: [(time, parts[name]) for time, parts in recent] for name in names}


def parts_of(snapshot: Snapshot) -> Mapping[str, int]:
    """Return the parts of memory that can grow without bound, in bytes; unknown ones are left out."""
    info = snapshot.meminfo
    found = {
        "anon": info.anon_pages,
        "shmem": info.shmem,
        "page tables": None if info.page_tables is None else info.page_tables + (info.sec_page_tables or 0),
        "kernel stacks": info.kernel_stack,
        "percpu": info.percpu,
        "slab": info.s_unreclaim,
        "huge pages": _hugetlb(info),
        "balloon": balloon_of(snapshot),
        "ARC": snapshot.arc_size,
        "zram": sum(device.mem_used_total for device in snapshot.zram) or None,
        "zswap": info.zswap,
    }
    return {name: size for name, size in found.items() if size is not None}


def balloon_of(snapshot: Snapshot) -> int | None:
    """Return the memory taken by the hypervisor: `Balloon` (6.17+), before that from the page counters since boot."""
    if snapshot.meminfo.balloon is not None or snapshot.vmstat is None:
        return snapshot.meminfo.balloon
    into, out = snapshot.vmstat.balloon_inflate_pages, snapshot.vmstat.balloon_deflate_pages
    return None if into is None or out is None else max(0, into - out) * snapshot.machine.page_size


def _hugetlb(info: Meminfo) -> int | None:
    if info.hugetlb is not None:
        return info.hugetlb
    return None if info.huge_pages_total is None else info.huge_pages_total * (info.hugepagesize or 0)


def _shmem_of(groups: Sequence[Cgroup]) -> Mapping[str, int]:
    sizes = ((group.shmem, group.path) for group in groups if group.path != "/" and group.shmem is not None)
    return {path: size for size, path in heapq.nlargest(_GROUPS, (item for item in sizes if item[0] >= _LEAST_SHMEM))}
