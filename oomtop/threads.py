"""Threads that report the exception that ends them to their starter."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable

from oomtop.errors import OomtopError

START_SECONDS = 10.0
"""How long a thread may take until it runs."""


_M_ARENA_MAX = -8


def use_one_heap() -> None:
    """Have all threads allocate from one heap, for only one of them runs at a time; to be called before the first.

    Each would map 64 MiB for its own: under `ulimit -v 200000` the last ones could not be started.
    """
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        libc.mallopt(_M_ARENA_MAX, 1)


class _Started(threading.Event):
    """What `Thread.start` waits for: with no deadline it never returns for a thread that died for want of memory."""

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the thread, for `START_SECONDS` at most."""
        return super().wait(START_SECONDS if timeout is None else timeout)


def begin(thread: threading.Thread) -> None:
    """Start a thread.

    Raises:
        RuntimeError: the process cannot start another one, or it ended before it ran.
    """
    started = thread._started = _Started()  # type: ignore[attr-defined]  # noqa: SLF001 - there is no other way in
    thread.start()
    if not started.is_set():
        raise RuntimeError("can't start new thread")


def start_thread(name: str, work: Callable[[], object], failed: Callable[[BaseException], object]) -> threading.Thread:
    """Start a daemon thread that runs `work`; in that thread `failed` gets any exception.

    Raises:
        OomtopError: the process cannot start another thread.
    """

    def run() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - a thread has no caller: every error goes to its starter
            failed(error)

    thread = threading.Thread(target=run, name=f"oomtop-{name}", daemon=True)
    try:
        begin(thread)
    except (RuntimeError, MemoryError):
        raise OomtopError(f"cannot start a thread for {name} (ulimit -u, ulimit -v, pids.max)") from None
    return thread
