"""The memory account: parts that add up to MemTotal, from `/proc/meminfo` and `/proc/zoneinfo`.

Documentation/filesystems/proc.rst: `Cached` counts shmem but not `SwapCached`; `AnonPages` counts mapped
anonymous pages only; hugetlb pages, percpu memory, stacks and page tables are in no other counter.
"""

from __future__ import annotations

from oomtop.analysis.model.assessment import MemoryAccount, PressureFigures, SinceBoot, SwapAccount
from oomtop.analysis.trends.rates import rate
from oomtop.history import History, arc_surplus
from oomtop.host.meminfo import Meminfo
from oomtop.host.vmstat import Vmstat
from oomtop.part_history import balloon_of
from oomtop.snapshot import Snapshot


def account_memory(snapshot: Snapshot) -> MemoryAccount:
    """Return the account; memory without a counter is `other`."""
    m = snapshot.meminfo
    arc, hugetlb, kernel = snapshot.arc_size or 0, hugetlb_bytes(m), _kernel(m)
    cache = max(0, (m.cached or 0) - (m.shmem or 0)) + (m.buffers or 0) + (m.swap_cached or 0)
    known = sum(x or 0 for x in (m.anon_pages, m.shmem, cache, m.s_reclaimable, kernel, hugetlb, arc, m.mem_free))
    left = m.mem_total - known
    if left < 0:
        # The counters are not read at one instant: subtract the excess from the fastest-changing part.
        cache, left = max(0, cache + left), min(0, cache + left)
    compressed = max(0, min(left, _compressed(snapshot)))
    balloon = max(0, min(left - compressed, balloon_of(snapshot) or 0))
    return MemoryAccount(
        total=m.mem_total,
        anon=m.anon_pages,
        shmem=m.shmem,
        page_cache=cache,
        slab_reclaimable=m.s_reclaimable or 0,
        kernel=kernel,
        hugetlb=hugetlb,
        arc=arc,
        other=None if m.mem_free is None else left - compressed - balloon,
        free=m.mem_free,
        available=_available(snapshot),
        balloon=balloon,
        hugetlb_unused=(m.huge_pages_free or 0) * (m.hugepagesize or 0),
        compressed=compressed,
        available_estimated=m.available_estimated,
        min_watermark=_min_watermark(snapshot),
        dirty=m.dirty,
        writeback=m.writeback,
        mlocked=m.mlocked,
        committed=m.committed_as,
        commit_limit=m.commit_limit,
    )


def hugetlb_bytes(info: Meminfo) -> int:
    """Return all hugetlb pages, used or not; before 4.16 those of the default size only."""
    return info.hugetlb if info.hugetlb is not None else (info.huge_pages_total or 0) * (info.hugepagesize or 0)


def _kernel(info: Meminfo) -> int | None:
    parts = (info.s_unreclaim, info.page_tables, info.sec_page_tables, info.kernel_stack, info.percpu)
    return sum(part or 0 for part in parts) if any(part is not None for part in parts) else None


def _compressed(snapshot: Snapshot) -> int:
    return (snapshot.meminfo.zswap or 0) + sum(device.mem_used_total for device in snapshot.zram)


def _min_watermark(snapshot: Snapshot) -> int | None:
    low = sum(zone.min for zone in snapshot.zones)
    return low if snapshot.zones and low < snapshot.meminfo.mem_total else None


def _available(snapshot: Snapshot) -> int | None:
    """MemAvailable, plus the part of ZFS ARC above its minimum, which the kernel does not count as available."""
    available = snapshot.meminfo.mem_available
    if available is None:
        return None
    return min(snapshot.meminfo.mem_total, available + arc_surplus(snapshot))


def account_swap(snapshot: Snapshot, before: Snapshot | None) -> SwapAccount:
    """Return swap space and its traffic since the previous snapshot."""
    m, page = snapshot.meminfo, snapshot.machine.page_size
    used = None if m.swap_total is None or m.swap_free is None else m.swap_total - m.swap_free
    return SwapAccount(
        total=m.swap_total,
        used=used,
        free=m.swap_free,
        cached=m.swap_cached,
        in_rate=_vmstat_rate(snapshot, before, "pswpin_pages", page),
        out_rate=_vmstat_rate(snapshot, before, "pswpout_pages", page),
        devices=snapshot.swaps,
        zram=snapshot.zram,
        zswap=snapshot.zswap,
        zswap_pool=m.zswap,
        zswapped=m.zswapped,
    )


def account_pressure(snapshot: Snapshot, history: History) -> PressureFigures:
    """Return the memory pressure of the machine."""
    before, counted = history.previous, history.kill_counted
    kills = [event.time for event in history.events if event.time is not None]
    newest = max(kills if counted is None else [*kills, counted], default=None)
    return PressureFigures(
        memory=snapshot.pressure_memory,
        io=snapshot.pressure_io,
        major_fault_rate=_vmstat_rate(snapshot, before, "pgmajfault"),
        refault_rate=_vmstat_rate(snapshot, before, "workingset_refault_pages", snapshot.machine.page_size),
        direct_reclaim_rate=_vmstat_rate(snapshot, before, "allocstall"),
        oom_kills=snapshot.vmstat.oom_kill if snapshot.vmstat else None,
        last_kill_age=None if newest is None else max(0.0, snapshot.time - newest),
        since_boot=_since_boot(snapshot.vmstat or Vmstat(), snapshot.machine.page_size),
    )


def _since_boot(vmstat: Vmstat, page: int) -> SinceBoot:
    def size(pages: int | None) -> int | None:
        return None if pages is None else pages * page

    return SinceBoot(
        vmstat.pgmajfault,
        size(vmstat.pswpin_pages),
        size(vmstat.pswpout_pages),
        size(vmstat.workingset_refault_pages),
        vmstat.allocstall,
    )


def _vmstat_rate(snapshot: Snapshot, before: Snapshot | None, counter: str, scale: int = 1) -> float | None:
    if before is None or before.vmstat is None or snapshot.vmstat is None:
        return None
    old, new = getattr(before.vmstat, counter), getattr(snapshot.vmstat, counter)
    return rate(old, new, snapshot.monotonic - before.monotonic, scale)
