"""`read_meminfo`: `/proc/meminfo` without implausible figures, and with MemAvailable on every kernel.

lxcfs gives a container a file of which some lines are the container's and some the host's; sandboxes, old kernels
and balloons have errors of their own.  What contradicts MemTotal or itself becomes None and is told in `doubts`.
lxcfs(8), proc_meminfo_read; `si_mem_available` of mm/page_alloc.c.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Sequence

from oomtop.frozen import replace
from oomtop.host.meminfo import KERNEL_NAMES, Meminfo, read_unchecked
from oomtop.host.root import Root
from oomtop.host.zoneinfo import Zone, read_zoneinfo
from oomtop.units import format_bytes

_NAMES = {field: name for name, field in KERNEL_NAMES.items()}
# May exceed RAM: address space, commitments, swap, and numbers of pages.
_UNBOUNDED = frozenset({
    "mem_total", "swap_total", "swap_free", "zswapped", "commit_limit", "committed_as",
    "huge_pages_total", "huge_pages_free", "hugepagesize",
})  # fmt: skip
HOSTS_UNDER_LXCFS = (
    "anon_pages", "mapped", "kernel_stack", "page_tables", "sec_page_tables", "percpu", "mlocked", "k_reclaimable",
    "anon_huge_pages", "dirty", "writeback", "hugetlb", "huge_pages_total", "huge_pages_free",
    "zswap", "zswapped", "commit_limit", "committed_as", "balloon",
)  # fmt: skip
"""Lines that lxcfs passes on from the host, whatever the limit of the container."""
_PARTS = (
    "mem_free", "anon_pages", "cached", "buffers", "s_reclaimable", "s_unreclaim", "kernel_stack", "page_tables",
    "sec_page_tables", "percpu",
)  # fmt: skip
# Per-CPU counters are summed late: two of them may differ by this much without either being wrong.
_SLACK_SHARE, _SLACK = 64, 32 << 20


def read_meminfo(root: Root, by_lxcfs: bool = False) -> Meminfo:
    """Return the account of the machine under `root`, checked; `by_lxcfs`: the file is made by lxcfs.

    Raises:
        ParseError: the file, or zoneinfo where MemAvailable is missing, is malformed.
    """
    checked = check(read_unchecked(root), by_lxcfs)
    if checked.mem_available is not None:
        return checked
    zones = () if by_lxcfs else read_zoneinfo(root, os.sysconf("SC_PAGE_SIZE"))
    return replace(checked, mem_available=estimate_available(checked, zones), available_estimated=True)


def is_lxcfs(mounts: str) -> bool:
    """Whether the text of `/proc/self/mounts` has a file system of its own on `/proc/meminfo`."""
    return any(line.split()[1:2] == ["/proc/meminfo"] for line in mounts.splitlines())


def check(info: Meminfo, by_lxcfs: bool = False) -> Meminfo:
    """Return the account with None for implausible figures, each explained in `doubts`."""
    wrong: dict[str, str] = dict(_impossible(info))
    if by_lxcfs:
        wrong |= _hosts(info, "lxcfs passes on the host's {}")
    elif why := _contradiction(info, wrong):
        wrong |= {field: text for field, text in _hosts(info, f"{why}: {{}}").items() if field not in wrong}
    doubts = tuple(dict.fromkeys(f"{text}: not used" for text in wrong.values()))
    if info.mem_free is None:
        doubts = (*doubts, "no MemFree")
    return replace(info, doubts=doubts, **dict.fromkeys(wrong))  # type: ignore[arg-type]  # never MemTotal


def _impossible(info: Meminfo) -> Iterable[tuple[str, str]]:
    """Yield (field, reason) of each figure that is implausible by itself or exceeds one that bounds it."""
    for field, name in _NAMES.items():
        value = getattr(info, field)
        if value is not None and (value < 0 or (field not in _UNBOUNDED and value > info.mem_total)):
            yield field, f"{name} {format_bytes(value)} of MemTotal {format_bytes(info.mem_total)}"
    pool = (info.huge_pages_total or 0) * (info.hugepagesize or 0)
    if pool > info.mem_total:
        text = f"HugePages_Total of {format_bytes(pool)} in MemTotal {format_bytes(info.mem_total)}"
        yield from (("huge_pages_total", text), ("huge_pages_free", text))
    slack = _slack(info)
    for field, most, more in (
        ("swap_free", "swap_total", 0),
        ("swap_cached", "swap_total", slack),
        ("huge_pages_free", "huge_pages_total", 0),
        ("shmem", "cached", slack),
        ("mapped", "cached", (info.anon_pages or 0) + slack),
    ):
        value, bound = getattr(info, field), getattr(info, most)
        # Swap without a total is no room either.
        if value and (bound is not None or most == "swap_total") and value > (bound or 0) + more:
            yield field, f"{_NAMES[field]} {format_bytes(value)} is above {_NAMES[most]} {format_bytes(bound)}"


def _contradiction(info: Meminfo, wrong: Collection[str]) -> str:
    """Return why the counters cannot be of one machine, empty if they can."""
    if "anon_pages" in wrong:
        return "as AnonPages is above MemTotal"
    if "shmem" in wrong:
        return "as Shmem is above Cached"
    known = sum(getattr(info, field) or 0 for field in _PARTS if field not in wrong)
    if known > info.mem_total + _slack(info):
        return f"counters add up to {format_bytes(known)} of MemTotal {format_bytes(info.mem_total)}"
    return ""


def _hosts(info: Meminfo, text: str) -> dict[str, str]:
    """Return (field, reason) of the lines of another machine, with one reason for all."""
    fields = [field for field in HOSTS_UNDER_LXCFS if getattr(info, field) is not None]
    named = ", ".join(_NAMES[field] for field in fields[:4]) + (", ..." if len(fields) > 4 else "")
    return dict.fromkeys(fields, text.format(named))


def _slack(info: Meminfo) -> int:
    return min(_SLACK, info.mem_total // _SLACK_SHARE) + info.mem_total // _SLACK_SHARE


def estimate_available(info: Meminfo, zones: Sequence[Zone]) -> int | None:
    """Return MemAvailable as the kernel computes it (`si_mem_available`), None where MemFree is not known.

    free - reserves + (page cache - min(half of it, low)) + (reclaimable - min(half of it, low)), at least 0.
    """
    if info.mem_free is None:
        return None
    low = sum(zone.low for zone in zones)
    reserve = sum(min(zone.managed, zone.high + max(zone.protection, default=0)) for zone in zones)
    cache = _page_cache(info)
    slab = info.k_reclaimable if info.k_reclaimable is not None else info.s_reclaimable or 0
    found = info.mem_free - reserve + cache - min(cache // 2, low) + slab - min(slab // 2, low)
    return min(info.mem_total, max(0, found))


def _page_cache(info: Meminfo) -> int:
    """Return the pages of files; where the lists are not told, the cache without what is in memory only."""
    cache = max(0, (info.cached or 0) + (info.buffers or 0) - (info.shmem or 0))
    if info.active_file is None or info.inactive_file is None:
        return cache
    lists = info.active_file + info.inactive_file
    return lists if info.cached is None else min(lists, cache)
