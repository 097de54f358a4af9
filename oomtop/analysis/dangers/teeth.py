"""What rises and falls: the peaks of a saw-tooth, such as a heap between two garbage collections.

A tooth is a climb of which at least half was given back.  A fall is one only when it is large beside the limit, so that
noise makes no teeth.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import sqrt

from oomtop.frozen import frozen

_GIVEN_BACK = 0.5
_LEAST_SHARE = 0.03
_PEAKS = 8


@frozen
class Teeth:
    """The turning points of a curve as (monotonic, bytes), oldest first."""

    peaks: tuple[tuple[float, float], ...] = ()
    """Where a climb ended in a fall."""
    trough: tuple[float, float] | None = None
    """Where the climb that still goes on began; the first point where nothing fell."""

    @property
    def period(self) -> float | None:
        """Seconds from peak to peak, None with less than two."""
        if len(self.peaks) < 2:
            return None
        return (self.peaks[-1][0] - self.peaks[0][0]) / (len(self.peaks) - 1)

    @property
    def rise(self) -> float:
        """Bytes by which a peak is higher than the one before; 0 for less than three, or where they wander."""
        sizes = [size for _, size in self.peaks[-_PEAKS:]]
        steps = [after - before for before, after in pairwise(sizes)]
        if len(steps) < 2:
            return 0.0
        mean = sum(steps) / len(steps)
        scatter = sqrt(sum((step - mean) ** 2 for step in steps) / (len(steps) - 1))
        return mean if mean > scatter else 0.0

    @property
    def height(self) -> float:
        """Bytes from the last trough to the last peak."""
        return self.peaks[-1][1] - self.trough[1] if self.peaks and self.trough is not None else 0.0

    @property
    def highest(self) -> float:
        """The highest of the last three peaks."""
        return max((size for _, size in self.peaks[-3:]), default=0.0)


def find_teeth(points: Sequence[tuple[float, float]], limit: int) -> Teeth:
    """Return the turning points of a curve; a wobble of less than 3 % of the limit is none."""
    if not points:
        return Teeth()
    least = limit * _LEAST_SHARE
    peaks: list[tuple[float, float]] = []
    low = high = points[0]
    for point in points[1:]:
        if point[1] > high[1]:
            high = point
        fallen, climbed = high[1] - point[1], high[1] - low[1]
        if fallen > least and fallen >= climbed * _GIVEN_BACK:
            if climbed > least:
                peaks.append(high)
            low = high = point
        elif point[1] <= low[1]:
            low = high = point
    return Teeth(tuple(peaks), low)
