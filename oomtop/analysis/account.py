"""Where MemTotal went: parts that add up to it exactly, from `/proc/meminfo` and `/proc/zoneinfo`.

Documentation/filesystems/proc.rst: `Cached` counts shmem but not `SwapCached`; `AnonPages` counts mapped
anonymous pages only; hugetlb pages, percpu memory, stacks and page tables are in no other counter.
"""

from __future__ import annotations

from oomtop.analysis.model.assessment import MemoryAccount, PressureFigures, SwapAccount
from oomtop.analysis.trends.rates import rate
from oomtop.history import History, arc_surplus
from oomtop.snapshot import Snapshot


def account_memory(snapshot: Snapshot) -> MemoryAccount:
    """Return the account; what no counter names is `other`."""
    m = snapshot.meminfo
    shmem, arc = m.shmem or 0, snapshot.arc_size or 0
    hugetlb = m.hugetlb if m.hugetlb is not None else (m.huge_pages_total or 0) * (m.hugepagesize or 0)
    cache = max(0, (m.cached or 0) - shmem) + (m.buffers or 0) + (m.swap_cached or 0)
    kernel = sum(x or 0 for x in (m.s_unreclaim, m.page_tables, m.sec_page_tables, m.kernel_stack, m.percpu))
    known = (m.anon_pages or 0) + shmem + cache + (m.s_reclaimable or 0) + kernel + hugetlb + arc + m.mem_free
    return MemoryAccount(
        total=m.mem_total,
        anon=m.anon_pages or 0,
        shmem=shmem,
        page_cache=cache,
        slab_reclaimable=m.s_reclaimable or 0,
        kernel=kernel,
        hugetlb=hugetlb,
        arc=arc,
        other=m.mem_total - known,
        free=m.mem_free,
        available=_available(snapshot),
        min_watermark=sum(zone.min for zone in snapshot.zones) if snapshot.zones else None,
        dirty=m.dirty,
        writeback=m.writeback,
        mlocked=m.mlocked,
        committed=m.committed_as,
        commit_limit=m.commit_limit,
    )


def _available(snapshot: Snapshot) -> int | None:
    """MemAvailable, plus the part of ZFS ARC above its minimum, which the kernel does not count as available."""
    available = snapshot.meminfo.mem_available
    if available is None:
        return None
    return available + arc_surplus(snapshot)


def account_swap(snapshot: Snapshot, before: Snapshot | None) -> SwapAccount:
    """Return swap space and its traffic since the snapshot before."""
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
    """Return how much the machine waits for memory."""
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
    )


def _vmstat_rate(snapshot: Snapshot, before: Snapshot | None, counter: str, scale: int = 1) -> float | None:
    if before is None or before.vmstat is None or snapshot.vmstat is None:
        return None
    old, new = getattr(before.vmstat, counter), getattr(snapshot.vmstat, counter)
    return rate(old, new, snapshot.monotonic - before.monotonic, scale)
