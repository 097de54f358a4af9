"""`Outbox`: a thread that delivers to one destination from a bounded queue; adding a letter never blocks."""

from __future__ import annotations

import queue
from collections.abc import Callable

from oomtop.alerts.notice import Letter
from oomtop.crash import reason_of
from oomtop.threads import start_thread

MOST_WAITING = 32
Deliver = Callable[[Letter], "str | None"]
"""Delivers a letter, however long it takes, and returns what went wrong."""


class Outbox:
    """Delivers letters in turn; `report` gets a line, from its thread, when that begins to fail or works again."""

    def __init__(self, name: str, deliver: Deliver, report: Callable[[str], object]) -> None:
        self.failed = 0
        self.dropped = 0
        """Letters dropped because the queue was full."""
        self._name = name
        self._deliver = deliver
        self._report = report
        self._problem: str | None = None
        # Room for what says that nothing more comes, however many letters wait.
        self._queue: queue.Queue[Letter | None] = queue.Queue(MOST_WAITING + 1)
        self._thread = start_thread("alert", self._run, lambda error: report(reason_of(error)))

    def put(self, letter: Letter) -> None:
        """Queue a letter; drops it if the queue is full."""
        if self._queue.qsize() < MOST_WAITING:
            self._queue.put_nowait(letter)
        else:
            self.dropped += 1

    def end(self) -> None:
        """Say, once, that nothing more comes; what waits is given up only if the thread does not get to it."""
        self._queue.put_nowait(None)

    def join(self, seconds: float) -> None:
        """Wait for the thread."""
        self._thread.join(seconds)

    def _run(self) -> None:
        while (letter := self._queue.get()) is not None:
            problem = self._try(letter)
            self.failed += problem is not None
            self._say(problem)

    def _try(self, letter: Letter) -> str | None:
        """Deliver; whatever goes wrong with one letter, the next is tried."""
        try:
            return self._deliver(letter)
        except Exception as error:  # noqa: BLE001 - it is told, and the thread goes on
            return reason_of(error)

    def _say(self, problem: str | None) -> None:
        if problem is not None and problem != self._problem:
            lost = f"; {self.dropped} dropped so far" if self.dropped else ""
            self._report(f"alert {self._name} could not be delivered: {problem}{lost}")
        elif problem is None and self._problem is not None:
            self._report(f"alert {self._name} is delivered again")
        self._problem = problem
