"""`/proc/vmstat`: event counters since boot (mm/vmstat.c; Documentation/admin-guide/mm/).

Sample line: `pgmajfault 1234`
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Vmstat:
    """Counters since boot; a unit of pages is in the name, the rest count events.  None where the kernel lacks one."""

    pgfault: int | None = None
    pgmajfault: int | None = None
    pswpin_pages: int | None = None
    pswpout_pages: int | None = None
    pgscan_kswapd_pages: int | None = None
    pgscan_direct_pages: int | None = None
    pgsteal_kswapd_pages: int | None = None
    pgsteal_direct_pages: int | None = None
    allocstall: int | None = None
    """Direct reclaim stalls: the sum of `allocstall_*` (4.10+) or `allocstall`."""
    workingset_refault_pages: int | None = None
    """The sum of `workingset_refault_anon` and `_file` (5.9+) or `workingset_refault`."""
    oom_kill: int | None = None
    """Processes killed by the kernel's OOM killer, cgroup kills included (4.13+)."""
    compact_stall: int | None = None
    compact_fail: int | None = None
    thp_fault_fallback: int | None = None
    drop_pagecache: int | None = None
    drop_slab: int | None = None
