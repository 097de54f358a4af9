"""`NumaWatch`: the nodes of a machine that has more than one, and who is bound to some of them.

`numa_maps` waits for the mmap lock of its process, so it is read in the background: of the largest processes, every
ten seconds.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Iterable, Sequence

from oomtop.host.numa import NumaNode, numbers_with_memory, read_bound_nodes, read_node
from oomtop.host.process import Process, ProcessId
from oomtop.host.root import Root
from oomtop.sources.slow_reads import Kept, SlowFacts

_SECONDS, _PATIENCE = 10.0, 0.1
_LARGEST = 50

Bound = tuple[tuple[ProcessId, int], ...]


class NumaWatch:
    """Reads nothing where there is one node."""

    def __init__(self, root: Root, slow: SlowFacts) -> None:
        self._root = root
        numbers = numbers_with_memory(root)
        self._numbers = numbers if len(numbers) > 1 else ()
        self._kept: Kept[Bound] = Kept(slow, ())
        self._read_at = float("-inf")

    @property
    def has_nodes(self) -> bool:
        """Whether there is more than one."""
        return bool(self._numbers)

    def nodes(self) -> tuple[NumaNode, ...]:
        """Return the nodes, none where there is one."""
        found = (read_node(self._root, number) for number in self._numbers)
        return tuple(node for node in found if node is not None)

    def bound(self, processes: Iterable[Process]) -> Bound:
        """Return (process, nodes) of the largest that MPOL_BIND confines, as they were at most some seconds ago."""
        if not self._numbers:
            return ()
        now = time.monotonic()
        is_first = self._read_at == float("-inf")
        if self._kept.is_idle and now - self._read_at >= _SECONDS:
            self._read_at = now
            largest = heapq.nlargest(_LARGEST, processes, key=lambda process: process.rss)
            identities = [process.id for process in largest if process.virtual_size]
            self._kept.begin(lambda: _read(self._root, identities))
        return self._kept.take(_PATIENCE if is_first else 0.0)


def _read(root: Root, identities: Sequence[ProcessId]) -> Bound:
    found = []
    for identity in identities:
        try:
            nodes = read_bound_nodes(root, identity)
        except OSError:
            # Gone, or not ours to look into.
            continue
        if nodes is not None:
            found.append((identity, nodes))
    return tuple(found)
