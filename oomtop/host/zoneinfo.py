"""`/proc/zoneinfo`: free pages and watermarks of each zone (mm/page_alloc.c, mm/vmstat.c).

Sample lines: `Node 0, zone   Normal` / `  pages free     3971`
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Zone:
    """One memory zone, in bytes.  The kernel kills when no zone the request may use stays above `min`."""

    node: int
    name: str
    free: int
    min: int
    low: int
    high: int
    managed: int
    present: int
    protection: tuple[int, ...] = ()
    """`lowmem_reserve`: what requests for higher zones must leave here, by zone index."""
