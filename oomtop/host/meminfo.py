"""`/proc/meminfo`: the machine's memory account (Documentation/filesystems/proc.rst, "meminfo").

Sample line: `MemAvailable:   23761384 kB`
"""

from __future__ import annotations

import re

from oomtop.errors import ParseError
from oomtop.frozen import frozen
from oomtop.host.root import Root, read_optional


@frozen
class Meminfo:
    """The fields of `/proc/meminfo` that oomtop uses, in bytes, None if this kernel lacks it or it is implausible."""

    mem_total: int
    mem_free: int | None
    mem_available: int | None = None
    buffers: int | None = None
    cached: int | None = None
    swap_cached: int | None = None
    active_file: int | None = None
    inactive_file: int | None = None
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
    commit_limit: int | None = None
    committed_as: int | None = None
    anon_huge_pages: int | None = None
    huge_pages_total: int | None = None
    """A number of pages of `hugepagesize` bytes."""
    huge_pages_free: int | None = None
    hugepagesize: int | None = None
    hugetlb: int | None = None
    """All hugetlb pages of all sizes, in bytes (4.16+)."""
    balloon: int | None = None
    """What the hypervisor took back (6.17+)."""
    available_estimated: bool = False
    """Whether `mem_available` was computed because the file has no plausible one."""
    doubts: tuple[str, ...] = ()
    """The implausible figures of the file, one sentence each; these are None."""


KERNEL_NAMES = {
    "MemTotal": "mem_total",
    "MemFree": "mem_free",
    "MemAvailable": "mem_available",
    "Buffers": "buffers",
    "Cached": "cached",
    "SwapCached": "swap_cached",
    "Active(file)": "active_file",
    "Inactive(file)": "inactive_file",
    "Mlocked": "mlocked",
    "SwapTotal": "swap_total",
    "SwapFree": "swap_free",
    "Zswap": "zswap",
    "Zswapped": "zswapped",
    "Dirty": "dirty",
    "Writeback": "writeback",
    "AnonPages": "anon_pages",
    "Mapped": "mapped",
    "Shmem": "shmem",
    "KReclaimable": "k_reclaimable",
    "Slab": "slab",
    "SReclaimable": "s_reclaimable",
    "SUnreclaim": "s_unreclaim",
    "KernelStack": "kernel_stack",
    "PageTables": "page_tables",
    "SecPageTables": "sec_page_tables",
    "Percpu": "percpu",
    "CommitLimit": "commit_limit",
    "Committed_AS": "committed_as",
    "AnonHugePages": "anon_huge_pages",
    "HugePages_Total": "huge_pages_total",
    "HugePages_Free": "huge_pages_free",
    "Hugepagesize": "hugepagesize",
    "Hugetlb": "hugetlb",
    "Balloon": "balloon",
}
# The kernel never prints a sign; lxcfs or a sandbox may, and the figure is checked later.
_NUMBER = re.compile(r"-?[0-9]{1,20}")


def parse_meminfo(text: str, path: str = "/proc/meminfo") -> Meminfo:
    """Return the account; unknown lines are skipped.

    Raises:
        ParseError: a known line without a number, or a text without MemTotal.
    """
    values: dict[str, int] = {}
    for line in text.splitlines():
        name, _, rest = line.partition(":")
        field = KERNEL_NAMES.get(name)
        if field is None:
            continue
        words = rest.split()
        if not words or not _NUMBER.fullmatch(words[0]):
            raise ParseError(path, line)
        values[field] = int(words[0]) * (1024 if words[-1] == "kB" else 1)
    if "mem_total" not in values:
        raise ParseError(path, "a text without MemTotal")
    if values["mem_total"] <= 0:
        raise ParseError(path, f"MemTotal: {values['mem_total'] // 1024} kB")
    return Meminfo(**{"mem_free": None} | values)  # type: ignore[arg-type]  # the names in KERNEL_NAMES are those of numbers


def read_unchecked(root: Root) -> Meminfo:
    """Return the account under `root` as the file has it; `read_meminfo` checks it.

    Raises:
        ParseError: the file is missing or malformed; without it there is nothing to watch.
    """
    path = root.at("/proc/meminfo")
    text = read_optional(path)
    if text is None:
        raise ParseError(path, None)
    return parse_meminfo(text, path)
