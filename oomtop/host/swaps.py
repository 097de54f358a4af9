"""Swap: `/proc/swaps`, zram devices under `/sys/block/zram*`, zswap under `/sys/module/zswap/parameters`.

Documentation/admin-guide/blockdev/zram.rst, Documentation/admin-guide/mm/zswap.rst.
Sample line: `/swapfile   file   2097148   0   -2`
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SwapDevice:
    """One line of `/proc/swaps`; sizes in bytes."""

    filename: str
    kind: str
    size: int
    used: int
    priority: int


@dataclass(frozen=True, slots=True)
class Zram:
    """One zram device in use; sizes in bytes."""

    name: str
    disksize: int
    orig_data_size: int
    compr_data_size: int
    mem_used_total: int
    algorithm: str | None


@dataclass(frozen=True, slots=True)
class Zswap:
    """Whether zswap is on, and with which compressor and share of RAM at most (per cent)."""

    enabled: bool
    compressor: str | None
    max_pool_percent: int | None
