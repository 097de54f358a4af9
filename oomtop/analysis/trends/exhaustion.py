"""When a resource will be gone if the present trend holds: a range with a confidence, or "not growing"."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

from oomtop.analysis.model.assessment import Exhaustion
from oomtop.analysis.model.danger import Confidence
from oomtop.analysis.trends.slope import Slope, slope
from oomtop.frozen import replace

# (seconds of the past, least part of them that is known, farthest end that they can tell): half a minute cannot tell
# a trend of hours from the noise of a busy machine, half an hour can.
_WINDOWS = ((30.0, 0.0, 2 * 3600.0), (300.0, 0.6, 12 * 3600.0), (1800.0, 0.6, 48 * 3600.0))
# A slow trend that half a minute contradicts is over.
_GOES_ON = 0.3
_RECENT_POINTS = 15
# Ten seconds do not tell of the next hour: a trend reaches this many times as far as it was seen.
_REACH = 120.0
# A surge leaves no time for five points: what would be full in this many seconds is said from three.
_SUDDEN, _SUDDEN_LEAST = 20.0, 1.5


def exhaustion(resource: str, headroom: int, points: Sequence[tuple[float, int]], now: float, size: int) -> Exhaustion:
    """Return the outlook of one resource from (monotonic, bytes used) points.

    `size` is the whole resource in bytes; a rate that would take longer than the window can tell is noise.
    """
    since = now - _WINDOWS[0][0]
    # From the newest back: of half an hour's points only the last are looked at.
    within = list(takewhile(lambda point: point[0] >= since, reversed(points)))
    recent = slope(within[::-1], least=5, seconds=4.0, most=_RECENT_POINTS)
    if recent is None:
        return _sudden(resource, headroom, within[::-1], size)
    if recent.median <= 0:
        # Half a minute without growth contradicts every slower trend.
        return Exhaustion(resource, headroom, recent.median)
    for seconds, known, farthest in _WINDOWS:
        trend = recent if seconds == _WINDOWS[0][0] else _trend(points, now, seconds, known)
        if trend is None or not _is_trend(trend, headroom, farthest, size, seconds):
            continue
        if recent.median >= trend.median * _GOES_ON:
            return _outlook(resource, headroom, trend)
    return Exhaustion(resource, headroom, recent.median)


def _sudden(resource: str, headroom: int, points: Sequence[tuple[float, int]], size: int) -> Exhaustion:
    """Return the outlook of three or four points: only of what is half full and would be full at once."""
    trend = slope(points, least=3, seconds=_SUDDEN_LEAST)
    is_sudden = trend is not None and trend.low > 0 and headroom <= min(size / 2, trend.median * _SUDDEN)
    if trend is None or not is_sudden:
        return Exhaustion(resource, headroom, None)
    return replace(_outlook(resource, headroom, trend), confidence=Confidence.LOW)


def _trend(points: Sequence[tuple[float, int]], now: float, seconds: float, known: float) -> Slope | None:
    return slope([point for point in points if now - point[0] <= seconds], least=20, seconds=seconds * known)


def _outlook(resource: str, headroom: int, trend: Slope) -> Exhaustion:
    return Exhaustion(
        resource,
        headroom,
        trend.median,
        seconds=headroom / trend.median,
        earliest=headroom / max(trend.high, trend.median),
        latest=headroom / trend.low,
        confidence=_confidence(trend),
    )


def _is_trend(trend: Slope, headroom: int, farthest: float, size: int, seconds: float) -> bool:
    """Whether a slope is one: a quarter of all pairs falling, or an end out of sight, is noise."""
    least = max(size * 2e-5 * _WINDOWS[0][0] / seconds, 1.0)
    farthest = min(farthest, trend.seconds * _REACH)
    return trend.median > least and trend.low > 0 and headroom / trend.median <= farthest


def _confidence(trend: Slope) -> Confidence:
    """Lean on it when the middle half of all slopes lies close together and the trend has lasted."""
    spread = (trend.high - trend.low) / trend.median
    if spread < 0.3 and trend.seconds >= 10:
        return Confidence.HIGH
    return Confidence.MEDIUM if spread < 1.0 else Confidence.LOW
