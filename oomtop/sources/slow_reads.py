"""`SlowFacts`: runs reads that may hang in daemon threads, with a bound on how many hang at once.

`smaps`, `environ`, `maps` and `cmdline` wait for the mmap lock of their process, in a sleep that no signal ends:
a thread that waits there cannot be called back, only left behind.  It is a daemon, so it never holds up the exit.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, TypeVar

from oomtop.threads import begin

if TYPE_CHECKING:
    from concurrent.futures import Future

T = TypeVar("T")

DEADLINE = 2.0
"""Seconds after which an answer is not waited for any longer."""
_MOST = 12


class TooManyHang(OSError):
    """So many reads hang that no further one is begun."""

    def __init__(self, hanging: int) -> None:
        super().__init__(f"{hanging} earlier reads of stuck processes are still blocked")


class Kept(Generic[T]):
    """A value that is read in the background: the last one read, until the next is there."""

    def __init__(self, slow: SlowFacts, value: T) -> None:
        self.value = value
        self._slow = slow
        self._reading: Future[T] | None = None

    @property
    def is_idle(self) -> bool:
        """Whether no read is under way."""
        return self._reading is None

    def begin(self, read: Callable[[], T]) -> None:
        """Begin a read."""
        self._reading = self._slow.begin(read)

    def take(self, patience: float) -> T:
        """Return the value, after waiting at most `patience` seconds for a read; a failed one keeps the last value."""
        if self._reading is None:
            return self.value
        from concurrent.futures import TimeoutError

        try:
            self.value = self._reading.result(patience)
        except TimeoutError:
            return self.value
        except OSError:
            # Too many reads hang: the last value stays until the next read.
            pass
        self._reading = None
        return self.value


class SlowFacts:
    """Begins reads in threads of their own; at most twelve of them may be unfinished."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running = 0

    def begin(self, read: Callable[[], T]) -> Future[T]:
        """Begin a read and return its future, which holds the result or the error; waiting is up to the caller."""
        # With logging and traceback behind it 6 ms, which no start waits for.
        from concurrent.futures import Future

        future: Future[T] = Future()
        with self._lock:
            if self._running >= _MOST:
                future.set_exception(TooManyHang(self._running))
                return future
            self._running += 1
        future.set_running_or_notify_cancel()
        try:
            begin(threading.Thread(target=self._run, args=(read, future), name="oomtop-slow", daemon=True))
        except RuntimeError as error:
            self._done()
            future.set_exception(OSError(str(error)))
        return future

    def _run(self, read: Callable[[], T], future: Future[T]) -> None:
        try:
            result = read()
        except BaseException as error:  # noqa: BLE001 - a thread has no caller; the future carries every error to one
            self._done()
            future.set_exception(error)
        else:
            self._done()
            future.set_result(result)

    def _done(self) -> None:
        with self._lock:
            self._running -= 1
