"""Finds growing mappings of a process by comparing two reads of smaps."""

from __future__ import annotations

from collections.abc import Sequence

from oomtop.frozen import frozen
from oomtop.host.smaps import MappedMemory


@frozen
class MappingsAt:
    """The mappings of a process at one instant; `monotonic` in seconds."""

    monotonic: float
    mappings: tuple[MappedMemory, ...]


@frozen
class MappingRow:
    """A mapping name and its change since the first read, in bytes (resident and swapped)."""

    memory: MappedMemory
    change: int | None
    rate: float | None
    """Bytes per second; None after one read."""


def compare(before: MappingsAt | None, after: MappingsAt) -> tuple[MappingRow, ...]:
    """Return the mappings of the later read with their change since the earlier one, largest first."""
    if before is None or after.monotonic <= before.monotonic:
        return tuple(MappingRow(memory, None, None) for memory in after.mappings)
    seconds = after.monotonic - before.monotonic
    old = {memory.name: memory.rss + memory.swap for memory in before.mappings}
    rows = []
    for memory in after.mappings:
        change = memory.rss + memory.swap - old.get(memory.name, 0)
        rows.append(MappingRow(memory, change, change / seconds))
    return tuple(rows)


# A smaller change between two reads is noise: lazily freed pages, a thread's stack.
_LEAST_GROWTH = 1 << 20


def fastest(rows: Sequence[MappingRow]) -> MappingRow | None:
    """Return the mapping that grew most, None if none grew by a mebibyte."""
    growing = [row for row in rows if row.change is not None and row.change >= _LEAST_GROWTH]
    return max(growing, key=lambda row: row.change or 0, default=None)
