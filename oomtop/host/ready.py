"""Waits for descriptors, by poll(2).

select(2) refuses numbers from 1024 on; a scan holds one per process, and a leaking parent may hand over as many.
"""

from __future__ import annotations

import select
from collections.abc import Iterable


def readable(descriptors: Iterable[int], seconds: float | None) -> list[int]:
    """Return those that can be read at once, or whose other end is gone; waits at most `seconds`, None for ever."""
    return _wait(descriptors, select.POLLIN, seconds)


def writable(descriptor: int, seconds: float | None) -> bool:
    """Return whether it can be written at once, or its other end is gone; waits at most `seconds`, None for ever."""
    return bool(_wait((descriptor,), select.POLLOUT, seconds))


def _wait(descriptors: Iterable[int], events: int, seconds: float | None) -> list[int]:
    poll = select.poll()
    for descriptor in descriptors:
        poll.register(descriptor, events)
    return [descriptor for descriptor, _ in poll.poll(None if seconds is None else seconds * 1000)]
