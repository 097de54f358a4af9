"""`Outbox`: a thread that delivers to one place, behind a bounded queue; whoever puts a letter in never waits."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

from oomtop.alerts.notice import Letter

MOST_WAITING = 32
Deliver = Callable[[Letter], "str | None"]
"""Delivers a letter, however long it takes, and returns what went wrong."""


class Outbox:
    """Delivers letters in turn; `report` gets a line, from its thread, when that begins to fail or works again."""

    def __init__(self, name: str, deliver: Deliver, report: Callable[[str], object]) -> None:
        self.delivered = 0
        self.failed = 0
        self.dropped = 0
        """Letters that came while too many waited."""
        self._name = name
        self._deliver = deliver
        self._report = report
        self._problem: str | None = None
        self._queue: queue.Queue[Letter | None] = queue.Queue(MOST_WAITING)
        self._thread = threading.Thread(target=self._run, name="alert", daemon=True)
        self._thread.start()

    def put(self, letter: Letter) -> None:
        """Have a letter delivered; drops it where too many wait."""
        try:
            self._queue.put_nowait(letter)
        except queue.Full:
            self.dropped += 1

    def end(self) -> None:
        """Say that nothing more comes; what waits is given up only if the thread does not get to it."""
        try:
            self._queue.put_nowait(None)
        except queue.Full:
            self.dropped += 1

    def join(self, seconds: float) -> None:
        """Wait for the thread."""
        self._thread.join(seconds)

    def _run(self) -> None:
        while (letter := self._queue.get()) is not None:
            problem = self._deliver(letter)
            if problem is None:
                self.delivered += 1
            else:
                self.failed += 1
            self._say(problem)

    def _say(self, problem: str | None) -> None:
        if problem is not None and problem != self._problem:
            lost = f"; {self.dropped} dropped so far" if self.dropped else ""
            self._report(f"alert {self._name} could not be told: {problem}{lost}")
        elif problem is None and self._problem is not None:
            self._report(f"alert {self._name} is told again")
        self._problem = problem
