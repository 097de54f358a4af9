"""`UseHistory`: what one limit held over the last minutes, a point a second or better while it moves.

Columns of doubles: 600 points are 19 kB, where tuples would be 120 kB.  A point that says the same as the two before it
moves the last of them on, so that what stands still keeps two points.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Sequence

from oomtop.frozen import frozen

DENSE_POINTS = 600
"""Ten minutes at a point a second."""
THIN_SECONDS = 15.0
THIN_POINTS = 160
"""Forty minutes."""
_SPARE = 100


@frozen
class Use:
    """What a resource holds at one instant; bytes, and CLOCK_BOOTTIME in seconds."""

    subject: str
    """`RAM`, `commit`, or the path of a cgroup."""
    monotonic: float
    held: int
    """Anonymous, shared, kernel and locked memory."""
    used: int
    """The same with page cache and reclaimable slab."""
    swapped: int = 0


class Columns:
    """Parallel columns of a bounded number of points, oldest first."""

    def __init__(self, most: int, gap: float = 0.0) -> None:
        self._most, self._gap = most, gap
        self.times = array("d")
        self.held = array("d")
        self.used = array("d")
        self.swapped = array("d")

    def __len__(self) -> int:
        return len(self.times)

    def add(self, use: Use) -> None:
        """Keep a point; one that is no newer than the last, or nearer than the gap, is left out."""
        times = self.times
        if times and use.monotonic - times[-1] < max(self._gap, 1e-3):
            return
        if self._is_still(use):
            times[-1] = use.monotonic
            return
        for column, value in zip(self._all(), (use.monotonic, use.held, use.used, use.swapped), strict=True):
            column.append(value)
        if len(times) >= self._most + _SPARE:
            for column in self._all():
                del column[:_SPARE]

    def since(self, monotonic: float) -> Sequence[tuple[float, float]]:
        """Return (monotonic, held and swapped) from a time on, with the last point before it."""
        start = max(0, bisect_left(self.times, monotonic) - 1)
        taken = (held + swapped for held, swapped in zip(self.held[start:], self.swapped[start:], strict=True))
        return list(zip(self.times[start:], taken, strict=True))

    def _all(self) -> tuple[array[float], ...]:
        return self.times, self.held, self.used, self.swapped

    def _is_still(self, use: Use) -> bool:
        return len(self.times) > 1 and all(
            column[-1] == column[-2] == value
            for column, value in ((self.held, use.held), (self.used, use.used), (self.swapped, use.swapped))
        )


class UseHistory:
    """The last minutes of one limit in full, and the last half hour thinned."""

    def __init__(self) -> None:
        self.dense = Columns(DENSE_POINTS)
        self.thin = Columns(THIN_POINTS, THIN_SECONDS)
        self.first: float | None = None
        """The monotonic time of the first point ever."""

    def add(self, use: Use) -> None:
        """Take a point in."""
        if self.first is None:
            self.first = use.monotonic
        self.dense.add(use)
        self.thin.add(use)
