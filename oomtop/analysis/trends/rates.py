"""Rates from counters that only rise; a counter that fell back or is missing gives no rate."""

from __future__ import annotations


def rate(before: int | None, after: int | None, seconds: float, scale: int = 1) -> float | None:
    """Return how fast a counter rises per second, times `scale`; None where that cannot be known."""
    if before is None or after is None or seconds <= 0 or after < before:
        return None
    return (after - before) * scale / seconds
