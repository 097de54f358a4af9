"""Memory of several processes together, counting shared pages once where possible.

PSS divides each page by the number of processes that map it, so the PSS of all sharers add up to it
(Documentation/filesystems/proc.rst, `smaps`); RSS counts it for each of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from oomtop.analysis.model.assessment import ProcessRow, Together
from oomtop.host.process import Process, ProcessId

_SMALL = 1 << 20
_NAMED = 20


def held_together(processes: Iterable[Process], pss: Mapping[ProcessId, int]) -> tuple[int, bool]:
    """Return the bytes that processes hold in RAM and swap, and whether shared pages are counted once.

    Without the PSS of each larger process it is the sum of RSS and swap: an upper bound.
    """
    members = list(processes)
    known = len(members) == 1 or all(process.id in pss or process.rss < _SMALL for process in members)
    if not known:
        return sum(process.rss_and_swap for process in members), False
    if len(members) == 1:
        return members[0].rss_and_swap, True
    return sum(pss.get(process.id, process.rss_and_swap) for process in members), True


def programs_together(rows: Sequence[ProcessRow], pss: Mapping[ProcessId, int]) -> tuple[Together, ...]:
    """Return the largest programs with more than one process."""
    named: dict[str, list[Process]] = defaultdict(list)
    for row in rows:
        if not row.process.is_kernel_thread:
            named[row.process.comm].append(row.process)
    found = [
        Together(name, len(members), *held_together(members, pss))
        for name, members in named.items()
        if len(members) > 1
    ]
    return tuple(sorted(found, key=lambda item: -item.size)[:_NAMED])
