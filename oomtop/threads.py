"""Threads that report the exception that ends them to their starter."""

from __future__ import annotations

import threading
from collections.abc import Callable

from oomtop.errors import OomtopError


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
        thread.start()
    except (RuntimeError, MemoryError):
        raise OomtopError(f"cannot start a thread for {name} (ulimit -u, ulimit -v, pids.max)") from None
    return thread
