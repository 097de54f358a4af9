"""The sampling thread: it reports a failure and starts again; one screen may take it over from another."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable

from oomtop.threads import begin
from oomtop.tui.base.sampling import Sample

ATTEMPTS = 3
PAUSE = 1.0
"""Seconds between a failure and the next attempt."""
_END_SECONDS = 2.0
Take = Callable[[Sample], object]
End = Callable[[str | None], object]
"""Takes the reason why sampling ended, None if that was requested."""


def hand_on(
    begin: Callable[[], Iterable[Sample]],
    take: Take,
    is_cancelled: Callable[[], bool],
    tell: Callable[[str], object],
    may_begin_again: bool,
) -> str | None:
    """Hand every sample to `take`; return why sampling ended, None if that was requested.

    Sampling that fails begins again after a pause, told by `tell`; without one sample in between it does so twice.
    """
    failures = 0
    while not is_cancelled():
        try:
            for sample in begin():
                if is_cancelled():
                    return None
                failures = 0
                take(sample)
            return None
        except Exception as error:  # noqa: BLE001 - whatever ended it is told, and ends the program if it lasts
            from oomtop.crash import reason_of

            failures += 1
            if not may_begin_again or failures >= ATTEMPTS:
                return reason_of(error)
            tell(f"sampling failed, restarting: {reason_of(error)}")
            time.sleep(PAUSE)
    return None


class Feed:
    """A thread that goes on sampling while one screen replaces another."""

    def __init__(self, begin: Callable[[], Iterable[Sample]], tell: Callable[[str], object]) -> None:
        """`begin` returns the samples, a second time after a failure."""
        self._begin, self._tell = begin, tell
        self._lock = threading.Lock()
        self._latest: Sample | None = None
        self._take: Take = lambda sample: None
        self._end: End = lambda problem: None
        self._ended: list[str | None] = []
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sampling", daemon=True)

    def start(self, seconds: float) -> None:
        """Begin after so many seconds.

        Raises:
            RuntimeError: there can be no further thread.
        """
        self._seconds = seconds
        begin(self._thread)

    def hand_to(self, take: Take, end: End) -> None:
        """Give the samples to another receiver, the newest at once; the former one gets no more."""
        with self._lock:
            self._take, self._end = take, end
            if self._latest is not None:
                take(self._latest)
            for problem in self._ended:
                end(problem)

    def close(self) -> None:
        """End after the source was closed; does not wait for a sample that hangs."""
        self._closed.set()
        self.hand_to(lambda sample: None, lambda problem: None)
        if self._thread.ident is not None:
            self._thread.join(_END_SECONDS)

    def _run(self) -> None:
        self._closed.wait(self._seconds)
        problem = hand_on(self._begin, self._put, self._closed.is_set, self._tell, may_begin_again=True)
        with self._lock:
            self._ended.append(problem)
            self._end(problem)

    def _put(self, sample: Sample) -> None:
        with self._lock:
            self._latest = sample
            self._take(sample)
