"""What is concluded from the kernel's own figures: settings, watermarks, fragmentation, slab, commit, compression."""

from __future__ import annotations

from collections.abc import Sequence

from oomtop.analysis.model.assessment import Assessment
from oomtop.analysis.settings.verdicts import SettingRow, assess_settings
from oomtop.frozen import frozen
from oomtop.host.buddyinfo import BuddyZone
from oomtop.host.kernel_facts import KernelFacts
from oomtop.host.meminfo import Meminfo
from oomtop.host.slabinfo import Slab
from oomtop.host.swaps import Zram
from oomtop.host.zoneinfo import Zone

COSTLY_ORDER = 3
"""`PAGE_ALLOC_COSTLY_ORDER`: larger requests fail rather than kill."""


@frozen
class ZoneState:
    """A zone and the state of its free memory."""

    zone: Zone
    word: str
    """`ok`, `kswapd works` (below low), `requests wait` (below min)."""
    reserve: int
    """Bytes that requests for higher zones must leave here (largest `lowmem_reserve`)."""
    left: int
    """Bytes of free memory above the min watermark, negative below."""


@frozen
class SlabState:
    """A slab cache."""

    slab: Slab
    share: float | None
    """Of all slab memory."""
    idle: int
    """Bytes without live objects; freed only in whole pages."""
    meaning: str
    """What it holds; empty if unknown."""


@frozen
class KernelState:
    """The state of the kernel's memory management; a part that cannot be read is empty."""

    settings: tuple[SettingRow, ...]
    """Those with a verdict first, the gravest at the top."""
    zones: tuple[ZoneState, ...]
    fragmentation: tuple[Fragmentation, ...]
    huge_page_order: int
    slabs: tuple[SlabState, ...] | None
    """The largest first; None if only root may read them."""
    commit_share: float | None
    """Committed memory as a share of the commit limit."""
    zswap_ratio: float | None
    """Compression ratio of zswap, None while empty."""


def assess_kernel(assessment: Assessment) -> KernelState:
    """Return what the kernel's figures of this tick mean."""
    kernel, memory, swap = assessment.kernel, assessment.memory, assessment.swap
    committed, limit = memory.committed, memory.commit_limit
    return KernelState(
        settings=assess_settings(assessment),
        zones=zone_states(assessment.zones),
        fragmentation=() if kernel is None else fragmentation(kernel.buddy),
        huge_page_order=0 if kernel is None else huge_page_order(kernel, assessment.machine.page_size),
        slabs=None if kernel is None or kernel.slabs is None else _slabs(kernel.slabs, assessment.meminfo),
        commit_share=committed / limit if committed is not None and limit else None,
        zswap_ratio=swap.zswapped / swap.zswap_pool if swap.zswapped and swap.zswap_pool else None,
    )


def _slabs(slabs: Sequence[Slab], meminfo: Meminfo | None) -> tuple[SlabState, ...]:
    total = meminfo.slab if meminfo else None
    return tuple(
        SlabState(
            slab,
            slab.bytes / total if total else None,
            max(0, slab.bytes - slab.active_objs * slab.objsize),
            slab_meaning(slab.name),
        )
        for slab in slabs
    )


def zone_states(zones: Sequence[Zone]) -> tuple[ZoneState, ...]:
    """Return the state of every zone that holds memory."""
    return tuple(ZoneState(zone, _word(zone), max(zone.protection, default=0), zone.free - zone.min) for zone in zones)


def _word(zone: Zone) -> str:
    if zone.free < zone.min:
        return "requests wait"
    return "kswapd works" if zone.free < zone.low else "ok"


@frozen
class Fragmentation:
    """A zone's free lists; `unusable[order]` is the share of its free memory in blocks too small for the order."""

    buddy: BuddyZone
    unusable: tuple[float, ...]

    def share(self, order: int) -> float | None:
        """Return the unusable share at an order, None if the zone has nothing free or no such order."""
        return self.unusable[order] if order < len(self.unusable) and self.buddy.free_pages else None


def fragmentation(buddy: Sequence[BuddyZone]) -> tuple[Fragmentation, ...]:
    """Return the unusable free space index of each zone (mm/vmstat.c, `unusable_free_index`)."""
    return tuple(Fragmentation(zone, tuple(_unusable(zone, at) for at in range(len(zone.counts)))) for zone in buddy)


def _unusable(zone: BuddyZone, order: int) -> float:
    free = zone.free_pages
    return (free - zone.pages_from(order)) / free if free else 0.0


def huge_page_order(kernel: KernelFacts, page_size: int) -> int:
    """Return the order of the smallest huge page of at least 1 MiB: 9 with 4 KiB pages."""
    sizes = [pool.page_size for pool in kernel.huge_pools if pool.page_size >= 1 << 20]
    return (min(sizes, default=2 << 20) // page_size).bit_length() - 1


def zram_ratio(zram: Zram) -> float | None:
    """Return the compression ratio including overhead; None while empty."""
    return zram.orig_data_size / zram.mem_used_total if zram.mem_used_total and zram.orig_data_size else None


_MEANINGS = (
    ("dentry", "file names (dentry cache); reclaimable, d drops it"),
    ("shmem_inode", "files on tmpfs"),
    ("sock_inode", "sockets"),
    ("inode_cache", "inodes; reclaimable, d drops them"),
    ("_inode", "inodes; reclaimable, d drops them"),
    ("radix_tree_node", "index of the page cache"),
    ("extent_status", "file extents on disk; reclaimable"),
    ("buffer_head", "block buffers of the page cache"),
    ("kernfs_node", "entries of sysfs and cgroupfs: many cgroups"),
    ("vm_area_struct", "mappings of processes"),
    ("anon_vma", "mappings of processes"),
    ("maple_node", "mappings of processes"),
    ("task_struct", "threads"),
    ("signal_cache", "processes"),
    ("filp", "open files"),
    ("skbuff", "network packets in flight"),
    ("TCP", "connections"),
    ("nf_conntrack", "connections tracked by the firewall"),
    ("kmalloc-cg", "small allocations charged to cgroups"),
    ("kmalloc", "general small allocations"),
    ("pid", "processes and threads"),
    ("zs", "compressed swap (zram, zswap)"),
)  # fmt: skip


def slab_meaning(name: str) -> str:
    """Return a description of a cache, an empty string if unknown."""
    return next((meaning for part, meaning in _MEANINGS if part in name), "")
