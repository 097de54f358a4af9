"""Threads that cannot end unnoticed: what ends one before its time is handed to whoever started it."""

from __future__ import annotations

import threading
from collections.abc import Callable

from oomtop.errors import OomtopError


def start_thread(name: str, work: Callable[[], object], failed: Callable[[BaseException], object]) -> threading.Thread:
    """Start a daemon thread that does `work`; `failed` gets, in that thread, what it raised.

    Raises:
        OomtopError: this process may have no further thread.
    """

    def run() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - a thread has no caller; whoever started it hears of every error
            failed(error)

    thread = threading.Thread(target=run, name=f"oomtop-{name}", daemon=True)
    try:
        thread.start()
    except (RuntimeError, MemoryError):
        raise OomtopError(f"no thread for {name} can be started (ulimit -u, ulimit -v, pids.max)") from None
    return thread
