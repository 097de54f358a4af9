"""`PssWatch`: reads the PSS of the larger processes in the background, on request.

`smaps_rollup` costs 11 ms for a GiB and waits for the process's mmap lock, so a round takes a twentieth of the time
at most, and one that hangs is left behind with the process it hangs on.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

from oomtop.errors import ParseError
from oomtop.host.process import Process, ProcessId
from oomtop.host.root import Root
from oomtop.host.smaps import read_smaps_rollup
from oomtop.sources.slow_reads import DEADLINE, SlowFacts

LEAST = 1 << 20
"""Bytes resident below which sharing is not worth a look."""
_MOST = 1000
_SECONDS = 10.0
_SHARE = 20

Sizes = tuple[tuple[ProcessId, int], ...]


class _Round:
    """One reading of many processes, filled by its thread."""

    def __init__(self, identities: Sequence[ProcessId]) -> None:
        self.identities = identities
        self.found: dict[ProcessId, int] = {}
        self.reading: ProcessId | None = None
        self.started = time.monotonic()
        self.done = threading.Event()

    def run(self, root: Root) -> None:
        for identity in self.identities:
            self.reading = identity
            try:
                memory = read_smaps_rollup(root, identity)
            except (OSError, ParseError):
                # Gone, or not ours to look into: its group has an upper bound only.
                continue
            self.found[identity] = memory.pss + memory.swap_pss
        self.done.set()


class PssWatch:
    """Keeps the sizes of the last round while they are wanted."""

    def __init__(self, root: Root, slow: SlowFacts) -> None:
        self._root, self._slow = root, slow
        self._round: _Round | None = None
        self._due = 0.0
        self._hanging: set[ProcessId] = set()
        self._sizes: Sizes = ()

    def sizes(self, processes: Sequence[Process], patience: float) -> Sizes:
        """Return (process, PSS with its share of swap) of the last round, the same object until there is a new one.

        Waits `patience` seconds at most, and only for the first round.
        """
        now = time.monotonic()
        if self._round is None and now >= self._due:
            self._begin(processes)
        if self._round is not None:
            self._round.done.wait(0.0 if self._sizes else patience)
            self._collect(self._round)
        return self._sizes

    def forget(self) -> None:
        """Give the sizes up: nobody asks for them any more."""
        self._sizes, self._due = (), 0.0

    def _begin(self, processes: Sequence[Process]) -> None:
        large = [process for process in processes if process.rss >= LEAST and process.id not in self._hanging]
        large.sort(key=lambda process: process.rss, reverse=True)
        begun = self._round = _Round([process.id for process in large[:_MOST]])
        self._slow.begin(lambda: begun.run(self._root))

    def _collect(self, begun: _Round) -> None:
        took = time.monotonic() - begun.started
        if not begun.done.is_set() and took < DEADLINE:
            return
        if not begun.done.is_set() and begun.reading is not None:
            self._hanging.add(begun.reading)
        self._sizes = tuple(begun.found.copy().items())
        self._due = time.monotonic() + max(_SECONDS, _SHARE * took)
        self._round = None
