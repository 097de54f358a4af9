"""A robust slope: the median of pairwise slopes (Theil-Sen), which is robust against a jump or a saw-tooth.

P. K. Sen, "Estimates of the regression coefficient based on Kendall's tau", 1968.  At most 40 points are
used, which is 780 slopes and 0.2 ms.
"""

from __future__ import annotations

from collections.abc import Sequence

from oomtop.frozen import frozen

Curve = Sequence[tuple[float, int]]
"""(monotonic seconds, bytes), oldest first."""

_MOST = 40


@frozen
class Slope:
    """Units per second: the median of all slopes and the quartiles around it."""

    median: float
    low: float
    high: float
    points: int
    seconds: float


def slope(points: Sequence[tuple[float, int]], least: int = 4, seconds: float = 3.0, most: int = _MOST) -> Slope | None:
    """Return the trend of (time, value) points, None if there are too few or they span too little time.

    At most `most` points are used.
    """
    if len(points) < least or points[-1][0] - points[0][0] < seconds:
        return None
    chosen = _thin(points, most)
    first = chosen[0][1]
    if all(value == first for _, value in chosen):
        return Slope(0.0, 0.0, 0.0, len(chosen), points[-1][0] - points[0][0])
    slopes = [(y2 - y1) / (x2 - x1) for i, (x1, y1) in enumerate(chosen) for x2, y2 in chosen[i + 1 :] if x2 > x1]
    if not slopes:
        return None
    slopes.sort()
    count = len(slopes)
    return Slope(
        median(slopes), slopes[count // 4], slopes[(3 * count) // 4], len(chosen), points[-1][0] - points[0][0]
    )


def _thin(points: Sequence[tuple[float, int]], most: int) -> list[tuple[float, int]]:
    if len(points) <= most:
        return list(points)
    step = (len(points) - 1) / (most - 1)
    return [points[round(index * step)] for index in range(most)]


def median(ordered: Sequence[float]) -> float:
    """Return the middle of sorted values, without the statistics module, whose library would be read at a kill."""
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
