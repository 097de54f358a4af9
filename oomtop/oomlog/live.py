"""All live logs of this machine as one: the kernel's, and the journal once a daemon runs that kills by itself."""

from __future__ import annotations

from collections.abc import Iterable

from oomtop.host.own_priority import OwnPriority
from oomtop.host.root import Root
from oomtop.oomlog.event import OomEvent
from oomtop.oomlog.journal import KillerJournal, journalctl
from oomtop.oomlog.kernel_log import open_kernel_log
from oomtop.oomlog.killers.reader import DAEMONS
from oomtop.oomlog.merge import can_be_one

_REMEMBERED = 500


class LiveLog:
    """Polled without waiting; a kill in two logs is one event."""

    def __init__(self, root: Root, standing: OwnPriority) -> None:
        self._root, self._standing = root, standing
        self._kernel = open_kernel_log(root)
        self._journal: KillerJournal | None = None
        self._told_once: list[OomEvent] = []
        """Kills by daemons that only one log has told yet."""

    def follow_daemons(self, programs: Iterable[str]) -> None:
        """Follow the journal from now on if one of these running programs kills by itself; not in a tree of files."""
        if self._journal is None and self._root.path == "/" and not DAEMONS.isdisjoint(programs):
            self._journal = KillerJournal(journalctl(), self._root, self._standing)

    def poll(self) -> tuple[OomEvent, ...]:
        """Return the events that are new or became fuller since the last call."""
        told = (*self._kernel.poll(), *(self._journal.poll() if self._journal is not None else ()))
        return tuple(event for event in told if event.killer == "kernel" or not self._is_told_again(event))

    def _is_told_again(self, event: OomEvent) -> bool:
        """Whether the other log has this kill too; each entry matches one, so that a second kill is not lost."""
        for known in self._told_once:
            if known.source != event.source and can_be_one(known, event):
                self._told_once.remove(known)
                return True
        self._told_once.append(event)
        del self._told_once[:-_REMEMBERED]
        return False

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
