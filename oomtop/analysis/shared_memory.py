"""Memory of several processes together, counting shared pages once where possible.

PSS divides each page by the number of processes that map it, so the PSS of all sharers add up to it
(Documentation/filesystems/proc.rst, `smaps`); RSS counts it for each of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from oomtop.analysis.model.assessment import MemoryAccount, ProcessRow, SwapAccount, Together
from oomtop.frozen import frozen, replace
from oomtop.host.process import Process, ProcessId
from oomtop.units import format_bytes

_SMALL = 1 << 20
_NAMED = 20
_Number = TypeVar("_Number", int, float)


@frozen
class Ceiling:
    """The most that all processes together can hold of each kind, in bytes; None where it is not known."""

    ram: tuple[int | None, int | None, int | None] = (None, None, None)
    """Anonymous memory (AnonPages of `/proc/meminfo`), page cache, shared memory (Shmem)."""
    swap: int | None = None

    @classmethod
    def of(cls, memory: MemoryAccount, swap: SwapAccount) -> Ceiling:
        """Return that of a machine: what it has of each kind in all."""
        return cls((memory.anon, memory.page_cache, memory.shmem), swap.used)

    def lower(self, total: Process) -> Process:
        """Return a row of sums with nothing above what the machine has."""
        before = (total.rss_anon, total.rss_file, total.rss_shmem)
        anon, file, shmem = after = [_least(size, most) for size, most in zip(before, self.ram, strict=True)]
        excess = sum(size or 0 for size in before) - sum(size or 0 for size in after)
        rss, swap = max(0, total.rss - excess), _least(total.swap, self.swap)
        return replace(total, rss=rss, rss_anon=anon, rss_file=file, rss_shmem=shmem, swap=swap)


NO_CEILING = Ceiling()


def _least(size: int | None, most: int | None) -> int | None:
    return size if size is None or most is None else min(size, most)


def sum_sizes(first: Process, members: Sequence[Process], ceiling: Ceiling) -> Process:
    """Return `first` with the sizes of all members: each an upper bound where they share pages."""
    total = replace(
        first,
        rss=sum(member.rss for member in members),
        rss_anon=sum_known(member.rss_anon for member in members),
        rss_file=sum_known(member.rss_file for member in members),
        rss_shmem=sum_known(member.rss_shmem for member in members),
        swap=sum_known(member.swap for member in members),
    )
    return ceiling.lower(total)


def sum_known(values: Iterable[_Number | None]) -> _Number | None:
    """Return the sum of the known values, None if none is known."""
    known = [value for value in values if value is not None]
    return sum(known[1:], known[0]) if known else None


def held_together(
    processes: Iterable[Process], pss: Mapping[ProcessId, int], ceiling: Ceiling = NO_CEILING
) -> tuple[int, bool]:
    """Return the bytes that processes hold in RAM and swap, and whether shared pages are counted once.

    Without the PSS of each larger process it is an upper bound: the sum of RSS and swap, and at most what the machine
    has of each kind.
    """
    members = list(processes)
    if len(members) == 1:
        return members[0].rss_and_swap, True
    if all(process.id in pss or process.rss < _SMALL for process in members):
        return sum(pss.get(process.id, process.rss_and_swap) for process in members), True
    return sum_sizes(members[0], members, ceiling).rss_and_swap, False


def describe_together(processes: Sequence[Process], pss: Mapping[ProcessId, int], ceiling: Ceiling = NO_CEILING) -> str:
    """Return `3 processes, 2.0G`; `at most` where shared pages may be counted more than once."""
    size, counted_once = held_together(processes, pss, ceiling)
    return f"{len(processes)} processes, {'' if counted_once else 'at most '}{format_bytes(size)}"


def programs_together(
    rows: Sequence[ProcessRow], pss: Mapping[ProcessId, int], ceiling: Ceiling = NO_CEILING
) -> tuple[Together, ...]:
    """Return the largest programs with more than one process."""
    named: dict[str, list[Process]] = defaultdict(list)
    for row in rows:
        if not row.process.is_kernel_thread:
            named[row.process.comm].append(row.process)
    found = [
        Together(name, len(members), *held_together(members, pss, ceiling))
        for name, members in named.items()
        if len(members) > 1
    ]
    return tuple(sorted(found, key=lambda item: -item.size)[:_NAMED])
