"""The growth of a process: the robust slope of RSS+swap over the last minute."""

from __future__ import annotations

from collections.abc import Sequence

from oomtop.analysis.trends.slope import slope

WINDOW = 60.0
# A process that has not changed for this long is not growing.
_STILL = 5.0
# After a change the older points mislead: if they disagree with the newest ten seconds, those win.
_RECENT = 10.0
# Over a shorter time one allocation decides the slope: the end points are as good as the median of all pairs,
# which costs 0.1 ms for each of hundreds of active processes.
_NOISE = 1 << 20


def growth(points: Sequence[tuple[float, int]] | None, now: float) -> float | None:
    """Return bytes per second; 0.0 for an unchanged process, None with too few points."""
    if points is None:
        return 0.0
    if now - points[-1][0] > _STILL:
        return 0.0
    within = [point for point in points if now - point[0] <= WINDOW]
    sizes = [size for _, size in within]
    if len(within) > 3 and max(sizes) - min(sizes) < _NOISE:
        return (sizes[-1] - sizes[0]) / max(_STILL, within[-1][0] - within[0][0])
    whole = slope(within)
    if whole is None:
        return None
    recent = slope([point for point in within if now - point[0] <= _RECENT])
    if recent is None or whole.low <= recent.median <= whole.high:
        return whole.median
    return recent.median
