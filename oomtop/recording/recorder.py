"""`Recorder`: a thread that writes, so that no tick ever waits for the disk."""

from __future__ import annotations

import queue
from collections import deque
from collections.abc import Callable

from oomtop.crash import reason_of
from oomtop.frozen import replace
from oomtop.oomlog.event import OomEvent
from oomtop.recording.audit_tail import AuditTail
from oomtop.recording.store import Deed, Store
from oomtop.snapshot import Tick
from oomtop.threads import start_thread

_WAITING = 30
"""Ticks that may wait for a slow disk; more are left out, their events are not."""
_CLOSE_SECONDS = 10.0


class Recorder:
    """Takes ticks from one thread, writes them in its own; `report` gets a line when writing fails or works again."""

    def __init__(self, store: Store, audit_path: str, report: Callable[[str], None]) -> None:
        self.path = store.path
        self.written = 0
        self.left_out = 0
        """Ticks that came faster than the disk took them."""
        self.failed = 0
        """Ticks that could not be written."""
        self._store = store
        self._tail = AuditTail(audit_path)
        self._report = report
        self._problem: str | None = None
        self._pending: tuple[OomEvent, ...] = ()
        self._notes: deque[Deed] = deque(maxlen=_WAITING)
        self._unwritten: tuple[tuple[OomEvent, ...], tuple[Deed, ...]] = ((), ())
        self._queue: queue.Queue[Tick | None] = queue.Queue(_WAITING)
        # What fails in it is told for the tick that it fails with; it does not end.
        self._thread = start_thread("recorder", self._run, lambda error: report(reason_of(error)))

    def put(self, tick: Tick) -> None:
        """Have a tick written; never waits.  One that came before the kernel log was read is not the whole of it."""
        if not tick.log_read:
            return
        if self._pending:
            tick = replace(tick, events=(*self._pending, *tick.events))
        try:
            self._queue.put_nowait(tick)
            self._pending = ()
        except queue.Full:
            self.left_out += 1
            self._pending = tick.events

    def note(self, deed: Deed) -> None:
        """Have something that is no action, such as an alert, written beside the actions; never waits."""
        self._notes.append(deed)

    def close(self) -> None:
        """Write what waits, and let go of the file; gives up on a disk that does not answer."""
        if not self._thread.is_alive():
            return
        try:
            self._queue.put(None, timeout=_CLOSE_SECONDS)
        except queue.Full:
            return
        self._thread.join(_CLOSE_SECONDS)

    def _run(self) -> None:
        while (tick := self._queue.get()) is not None:
            self._write(tick)
        self._store.close()

    def _write(self, tick: Tick) -> None:
        """Write a tick; the events and actions of one that failed go with the next."""
        events, deeds = self._unwritten
        events, deeds = (*events, *tick.events), (*deeds, *self._tail.poll(), *self._take_notes())
        try:
            self._store.write(replace(tick, events=events), deeds)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told, and the next tick is tried
            self._unwritten = (events, deeds)
            self.failed += 1
            self._say(reason_of(error))
            return
        self._unwritten = ((), ())
        self.written += 1
        self._say(None)

    @property
    def missing(self) -> str:
        """What to say at the end of what could not be written, nothing where all was."""
        if not self.failed:
            return ""
        return f", {self.failed} not written" + (f": {self._problem}" if self._problem else "")

    def _take_notes(self) -> list[Deed]:
        return [self._notes.popleft() for _ in range(len(self._notes))]

    def _say(self, problem: str | None) -> None:
        if problem != self._problem:
            self._report(problem if problem is not None else "recording resumed")
        self._problem = problem
