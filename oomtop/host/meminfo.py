"""`/proc/meminfo`: the machine's memory account (Documentation/filesystems/proc.rst, "meminfo").

Sample line: `MemAvailable:   23761384 kB`
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Meminfo:
    """The fields of `/proc/meminfo` that oomtop uses, in bytes, None where this kernel lacks one."""

    mem_total: int
    mem_free: int
    mem_available: int | None = None
    buffers: int | None = None
    cached: int | None = None
    swap_cached: int | None = None
    active_anon: int | None = None
    inactive_anon: int | None = None
    active_file: int | None = None
    inactive_file: int | None = None
    unevictable: int | None = None
    mlocked: int | None = None
    swap_total: int | None = None
    swap_free: int | None = None
    zswap: int | None = None
    zswapped: int | None = None
    dirty: int | None = None
    writeback: int | None = None
    anon_pages: int | None = None
    mapped: int | None = None
    shmem: int | None = None
    k_reclaimable: int | None = None
    slab: int | None = None
    s_reclaimable: int | None = None
    s_unreclaim: int | None = None
    kernel_stack: int | None = None
    page_tables: int | None = None
    sec_page_tables: int | None = None
    percpu: int | None = None
    vmalloc_used: int | None = None
    hardware_corrupted: int | None = None
    commit_limit: int | None = None
    committed_as: int | None = None
    anon_huge_pages: int | None = None
    huge_pages_total: int | None = None
    """A number of pages of `hugepagesize` bytes."""
    huge_pages_free: int | None = None
    hugepagesize: int | None = None
    hugetlb: int | None = None
    """All hugetlb pages of all sizes, in bytes (4.16+)."""
