"""`ArmedTrigger`: when an armed action is due, from readings several times a second.

A forecast for the screen wants to be right on average; this one must never be late.  Of the rates over the last third
of a second, second and three seconds the highest counts.
"""

from __future__ import annotations

from collections import deque

from oomtop.frozen import frozen

_WINDOWS = (0.3, 1.0, 3.0)
_KEPT = 4.0
_LAST_SHARE = 0.02
"""With less room than this share of the limit the action is due however slowly the use grows."""


@frozen
class Room:
    """What a limit still has room for at one instant: bytes; CLOCK_MONOTONIC in seconds."""

    monotonic: float
    left: int
    limit: int


class ArmedTrigger:
    """Takes readings in and tells how long the room lasts."""

    def __init__(self, before: float) -> None:
        """Be due so many seconds before the limit is reached."""
        self._before = before
        self._rooms: deque[Room] = deque()

    def add(self, room: Room) -> None:
        """Take a reading in."""
        self._rooms.append(room)
        # Two at least: on a starved machine seconds may lie between two readings.
        while len(self._rooms) > 2 and room.monotonic - self._rooms[0].monotonic > _KEPT:
            self._rooms.popleft()

    @property
    def seconds_left(self) -> float | None:
        """How long the room lasts at the highest recent rate; None while it does not shrink."""
        if not self._rooms:
            return None
        last = self._rooms[-1]
        rate = max((self._rate(last, seconds) for seconds in _WINDOWS), default=0.0)
        return last.left / rate if rate > 0 else None

    def _rate(self, last: Room, seconds: float) -> float:
        """Return the bytes a second by which the room shrank over a window, 0 while that is not covered."""
        first = next((room for room in reversed(self._rooms) if last.monotonic - room.monotonic >= seconds), None)
        return 0.0 if first is None else (first.left - last.left) / (last.monotonic - first.monotonic)

    @property
    def is_due(self) -> bool:
        """Whether it is time to act."""
        left = self.seconds_left
        if left is None:
            return False
        return left <= self._before or self._rooms[-1].left <= self._rooms[-1].limit * _LAST_SHARE
