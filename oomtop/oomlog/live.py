"""All live logs of this machine as one: the kernel's, and the journal once a daemon runs that kills by itself."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from oomtop.host.root import Root
from oomtop.oomlog.event import OomEvent
from oomtop.oomlog.journal import DAEMONS, KillerJournal, journalctl
from oomtop.oomlog.merge import is_retold
from oomtop.oomlog.sources import open_kernel_log

_REMEMBERED = 500


class LiveLog:
    """Polled without ever waiting; a kill that two logs tell is one event."""

    def __init__(self, root: Root) -> None:
        self._root = root
        self._kernel = open_kernel_log(root)
        self._journal: KillerJournal | None = None
        self._by_daemons: deque[OomEvent] = deque(maxlen=_REMEMBERED)

    def follow_daemons(self, names: Iterable[str]) -> None:
        """Follow the journal from now on if one of the running programs kills by itself; a tree of files has none."""
        if self._journal is None and self._root.path == "/" and not DAEMONS.isdisjoint(names):
            self._journal = KillerJournal(journalctl(), self._root)

    def poll(self) -> tuple[OomEvent, ...]:
        """Return the events that are new or became fuller since the last call."""
        found = []
        for event in (*self._kernel.poll(), *(self._journal.poll() if self._journal is not None else ())):
            if event.killer != "kernel":
                if is_retold(event, self._by_daemons):
                    continue
                self._by_daemons.append(event)
            found.append(event)
        return tuple(found)

    @property
    def problems(self) -> tuple[tuple[str, str], ...]:
        """(log, why) of every log that cannot be followed."""
        journal = None if self._journal is None else self._journal.problem
        return tuple((log, why) for log, why in (("kernel log", self._kernel.problem), ("journal", journal)) if why)

    def close(self) -> None:
        """Give everything back."""
        self._kernel.close()
        if self._journal is not None:
            self._journal.close()
