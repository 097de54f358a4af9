"""`UseHistory`: the use of one limit over the last minutes, at least a point a second while it changes.

Columns of doubles: 300 points are 10 kB, where tuples would be 60 kB.  A point equal to the two before it
replaces the last of them, so that constant use keeps two points.
"""

from __future__ import annotations

from array import array
from operator import add

from oomtop.frozen import frozen

DENSE_POINTS = 300
"""Five minutes at a point a second."""
THIN_SECONDS = 15.0
THIN_POINTS = 160
"""Forty minutes."""
_SPARE = 60
# A tick repeats a read made just before it; points this close give no rate.
_AT_ONCE = 0.25


@frozen
class Use:
    """The use of a resource at one instant, in bytes; CLOCK_BOOTTIME in seconds."""

    subject: str
    """`RAM`, `commit`, or the path of a cgroup."""
    monotonic: float
    held: int
    """Anonymous, shared, kernel and locked memory."""
    used: int
    """`held` plus page cache and reclaimable slab."""
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
        """Keep a point; one closer to the last than the gap is dropped, or replaces it if it follows at once."""
        times = self.times
        since = use.monotonic - times[-1] if times else float("inf")
        if since < self._gap or since < 0:
            return
        if self._is_still(use):
            times[-1] = use.monotonic
            return
        is_again = since < _AT_ONCE and len(times) > 1
        for column, value in zip(self._all(), (use.monotonic, use.held, use.used, use.swapped), strict=True):
            if is_again:
                column[-1] = value
            else:
                column.append(value)
        if len(times) >= self._most + _SPARE:
            for column in self._all():
                del column[:_SPARE]

    def repeat(self, monotonic: float) -> None:
        """Add a point that equals the last."""
        times = self.times
        since = monotonic - times[-1]
        if since < self._gap or since < 0:
            return
        if len(times) > 1 and all(column[-1] == column[-2] for column in (self.held, self.used, self.swapped)):
            times[-1] = monotonic
            return
        self.add(Use("", monotonic, int(self.held[-1]), int(self.used[-1]), int(self.swapped[-1])))

    def points(self) -> list[tuple[float, float]]:
        """Return (monotonic, held and swapped) of all points."""
        return list(zip(self.times, map(add, self.held, self.swapped), strict=True))

    def is_still(self, since: float) -> bool:
        """Whether nothing changed after a monotonic time, as far as was read."""
        if len(self.times) < 2 or self.times[-2] > since:
            return False
        return all(column[-1] == column[-2] for column in self._all()[1:])

    def _all(self) -> tuple[array[float], ...]:
        return self.times, self.held, self.used, self.swapped

    def _is_still(self, use: Use) -> bool:
        return len(self.times) > 1 and all(
            column[-1] == column[-2] == value
            for column, value in ((self.held, use.held), (self.used, use.used), (self.swapped, use.swapped))
        )


class UseHistory:
    """The last minutes of one limit in full, and the last half hour at fewer points."""

    def __init__(self) -> None:
        self.dense = Columns(DENSE_POINTS)
        self.thin = Columns(THIN_POINTS, THIN_SECONDS)
        self.first: float | None = None
        """The monotonic time of the very first point."""

    def add(self, use: Use) -> None:
        """Add a point."""
        if self.first is None:
            self.first = use.monotonic
        self.dense.add(use)
        self.thin.add(use)

    def repeat(self, monotonic: float) -> None:
        """Add a point that equals the last."""
        self.dense.repeat(monotonic)
        self.thin.repeat(monotonic)
