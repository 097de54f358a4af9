"""When a resource will be gone if the present trend holds: a range with a confidence, or "not growing"."""

from __future__ import annotations

from collections.abc import Sequence

from oomtop.analysis.model import Confidence, Exhaustion
from oomtop.analysis.trend import Slope, slope

_RECENT = 30.0
# Half a minute cannot tell a trend of hours from the noise of a busy machine: beyond this it is "not growing".
_LONGEST = 2 * 3600.0


def exhaustion(resource: str, headroom: int, points: Sequence[tuple[float, int]], now: float, size: int) -> Exhaustion:
    """Return the outlook of one resource from (monotonic, bytes used) points.

    `size` is the whole resource in bytes; less than 0.002 % of it per second is noise.
    """
    trend = slope([point for point in points if now - point[0] <= _RECENT], least=5, seconds=4.0)
    if trend is None:
        return Exhaustion(resource, headroom, None)
    if trend.median <= max(size * 2e-5, 1.0) or not _is_trend(trend, headroom / trend.median):
        return Exhaustion(resource, headroom, trend.median)
    return Exhaustion(
        resource,
        headroom,
        trend.median,
        seconds=headroom / trend.median,
        earliest=headroom / max(trend.high, trend.median),
        latest=headroom / trend.low,
        confidence=_confidence(trend),
    )


def _is_trend(trend: Slope, seconds: float) -> bool:
    """Whether a slope is one: a quarter of all pairs falling, or hours to go, is noise."""
    return trend.low > 0 and seconds <= _LONGEST


def _confidence(trend: Slope) -> Confidence:
    """Lean on it when the middle half of all slopes lies close together and the trend has lasted."""
    spread = (trend.high - trend.low) / trend.median
    if spread < 0.3 and trend.seconds >= 10:
        return Confidence.HIGH
    return Confidence.MEDIUM if spread < 1.0 else Confidence.LOW
