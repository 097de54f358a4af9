"""Rates of monotonic counters; a counter that was reset or is missing has no rate."""

from __future__ import annotations


def rate(before: int | None, after: int | None, seconds: float, scale: int = 1) -> float | None:
    """Return the increase of a counter per second, times `scale`; None if unknown."""
    if before is None or after is None or seconds <= 0 or after < before:
        return None
    return (after - before) * scale / seconds
