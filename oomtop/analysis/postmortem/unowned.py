"""Memory that no process owns, so that no kill of a process gives it back: tmpfs, slab, huge pages, page cache.

Global reports give it in `Mem-Info:` (pages), cgroup reports in `Memory cgroup stats for` (bytes).
Sample line: ` slab_reclaimable:130091 slab_unreclaimable:89303`
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from oomtop.analysis.postmortem.model import NamedSize, Ranked
from oomtop.analysis.postmortem.zones import ram_of
from oomtop.oomlog.event import OomEvent
from oomtop.units import format_bytes, format_share

_HUGE = re.compile(r"hugepages_total=(\d{1,19}) .{0,80}hugepages_size=(\d{1,19})kB")
# Of a node since 5.9, of each zone before: never of both.
_STACKS = re.compile(r"\bkernel_stack:(\d{1,19})kB")
_CGROUP_KEYS = (
    ("slab_unreclaimable", "unreclaimable slab"), ("pagetables", "page tables"),
    ("kernel_stack", "kernel stacks"), ("sock", "socket buffers"), ("percpu", "per-CPU memory"),
)  # fmt: skip
_LRU = (
    "active_anon", "inactive_anon", "isolated_anon", "active_file", "inactive_file", "isolated_file", "unevictable",
    "slab_reclaimable", "slab_unreclaimable", "pagetables", "free", "free_pcp",
)  # fmt: skip
HARD = frozenset({"tmpfs and shared memory", "unreclaimable slab", "huge pages", "not in any counter"})


def unowned_of(event: OomEvent) -> tuple[NamedSize, ...]:
    """Return what no process owns, biggest first."""
    figures = _of_cgroup(event) if event.type == "memcg" else _of_machine(event)
    return tuple(sorted((figure for figure in figures if figure.size > 0), key=lambda figure: -figure.size))


def _of_cgroup(event: OomEvent) -> Iterable[NamedSize]:
    stats = dict(event.memcg_stats)
    mapped = stats.get("file_mapped", stats.get("mapped_file"))
    if "shmem" in stats and mapped is not None:
        yield NamedSize("tmpfs and shared memory", stats["shmem"] - mapped, "'shmem' less mapped file pages: at least")
    for key, name in _CGROUP_KEYS:
        if key in stats:
            yield NamedSize(name, stats[key], f"'{key}' of the cgroup's statistics")
    for key in ("file", "cache"):
        # Both count tmpfs and shared memory as well.
        if key in stats and "shmem" in stats:
            yield NamedSize(
                "page cache", stats[key] - stats["shmem"], f"'{key}' less 'shmem' of the cgroup's statistics"
            )
        elif key in stats:
            yield NamedSize("page cache and shared memory", stats[key], f"'{key}' of the cgroup's statistics")


def _of_machine(event: OomEvent) -> Iterable[NamedSize]:
    pages, size = dict(event.mem_info_pages), event.page_size
    if size is None:
        return
    if "shmem" in pages:
        # Mapped pages are in the rss of a process; the rest is in none.
        unmapped = pages["shmem"] - pages.get("mapped", 0)
        yield NamedSize("tmpfs and shared memory", unmapped * size, "'shmem' - 'mapped' of Mem-Info: at least")
    names = (
        ("slab_unreclaimable", "unreclaimable slab"),
        ("slab_reclaimable", "reclaimable slab"), ("pagetables", "page tables"),
    )  # fmt: skip
    for key, name in names:
        if key in pages:
            yield NamedSize(name, pages[key] * size, f"'{key}' of Mem-Info")
    if "active_file" in pages or "inactive_file" in pages:
        cache = pages.get("active_file", 0) + pages.get("inactive_file", 0)
        yield NamedSize("page cache", cache * size, "'active_file' + 'inactive_file' of Mem-Info")
    huge = sum(int(count) * int(kib) * 1024 for line in event.raw for count, kib in _HUGE.findall(line))
    yield NamedSize("huge pages", huge, "'hugepages_total' x 'hugepages_size'")
    stacks = sum(int(kib) * 1024 for line in event.raw for kib in _STACKS.findall(line))
    yield NamedSize("kernel stacks", stacks, "'kernel_stack' of Mem-Info")
    ram = ram_of(event)
    if ram is not None and all(key in pages for key in ("active_anon", "slab_unreclaimable", "free")):
        rest = (ram - sum(pages.get(key, 0) for key in _LRU)) * size - huge - stacks
        yield NamedSize("not in any counter", rest, "RAM less all counters of Mem-Info (drivers, balloon)")


def dominance(event: OomEvent, unowned: Sequence[NamedSize], ranking: Sequence[Ranked]) -> str | None:
    """Return a sentence where memory that no kill frees is half of the whole, or more than all processes hold."""
    hard = [figure for figure in unowned if figure.name in HARD]
    total = sum(figure.size for figure in hard)
    whole = whole_of(event)
    owned = sum((row.rss or 0) for row in ranking)
    if not hard or not whole or total < whole / 10 or (total < whole / 2 and total <= owned):
        return None
    big = hard[0]
    return (
        f"{format_bytes(total)} ({format_share(total / whole)}) is owned by no process, most of it {big.name} "
        f"({format_bytes(big.size)}, {big.source}): killing processes does not free it."
    )


def whole_of(event: OomEvent) -> int | None:
    """Return the bytes of what ran out: the cgroup's limit, or RAM."""
    if event.type == "memcg":
        return event.memcg_limit
    ram = ram_of(event)
    return None if ram is None or event.page_size is None else ram * event.page_size
