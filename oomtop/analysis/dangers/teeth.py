"""Saw-tooth curves, such as a heap between garbage collections, and their peaks.

A tooth is a climb of which at least half is freed again.  A fall counts only if large relative to the limit, so that
noise is ignored.
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
    """Ends of climbs."""
    trough: tuple[float, float] | None = None
    """Start of the current climb; the first point if there was no fall."""

    @property
    def period(self) -> float | None:
        """Seconds from peak to peak, None with fewer than two."""
        if len(self.peaks) < 2:
            return None
        return (self.peaks[-1][0] - self.peaks[0][0]) / (len(self.peaks) - 1)

    @property
    def rise(self) -> float:
        """Bytes by which each peak exceeds the previous one; 0 for fewer than three, or without a trend."""
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
    """Return the turning points of a curve; changes under 3 % of the limit are ignored."""
    if not points:
        return Teeth()
    least = limit * _LEAST_SHARE
    peaks: list[tuple[float, float]] = []
    low = high = points[0]
    bottom = top = low[1]
    for point in points:
        size = point[1]
        if size > top:
            high, top = point, size
            continue
        fallen, climbed = top - size, top - bottom
        if fallen > least and fallen >= climbed * _GIVEN_BACK:
            if climbed > least:
                peaks.append(high)
            low = high = point
            bottom = top = size
        elif size <= bottom:
            low = high = point
            bottom = top = size
    return Teeth(tuple(peaks), low)
