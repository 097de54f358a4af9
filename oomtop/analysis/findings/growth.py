"""Findings about one process: a leak, and a hog.

A leak grows all the time and frees nothing.  A saw-tooth frees memory, a warm-up ends, a jump is
a single step, and reading files grows the page cache only: none of them is a leak.
"""

from __future__ import annotations

from itertools import pairwise

from oomtop.analysis.findings.rule import Facts
from oomtop.analysis.model.assessment import Finding, ProcessRow, Severity
from oomtop.analysis.trends.slope import Curve, slope
from oomtop.frozen import frozen
from oomtop.units import format_bytes, format_duration, format_rate, format_share

_LEAST_SECONDS = 300.0
_LEAST_POINTS = 12
_LEAST_BYTES = 32 << 20
_LEAST_RISE = 0.1
_MOST_GIVEN_BACK = 0.05
# Minimum share of each third at a steady rate, and of the last third relative to the first: a warm-up slows down.
_LEAST_THIRD = 0.4
_SLOWS = 0.6
_HOG = 0.5
_SCARCE = 0.25


@frozen
class Leak:
    """A leak: bytes, bytes per second, seconds."""

    rise: int
    rate: float
    seconds: float
    given_back: int


def find_leak(curve: Curve) -> Leak | None:
    """Return the leak that a curve shows, None if there is none or too little data."""
    if len(curve) < _LEAST_POINTS or curve[-1][0] - curve[0][0] < _LEAST_SECONDS:
        return None
    first, last = curve[0][1], curve[-1][1]
    rise = last - first
    if rise < max(_LEAST_BYTES, first * _LEAST_RISE):
        return None
    back = sum(max(0, before[1] - after[1]) for before, after in pairwise(curve))
    if back > rise * _MOST_GIVEN_BACK or not _is_steady(curve, rise):
        return None
    trend = slope(curve)
    if trend is None or trend.low <= 0:
        return None
    return Leak(rise, trend.median, curve[-1][0] - curve[0][0], back)


def _is_steady(curve: Curve, rise: int) -> bool:
    """Whether the rise is spread over all three thirds of the time."""
    start, length = curve[0][0], curve[-1][0] - curve[0][0]
    marks = [_size_at(curve, start + length * part / 3) for part in range(4)]
    thirds = [after - before for before, after in pairwise(marks)]
    return min(thirds) >= rise / 3 * _LEAST_THIRD and thirds[2] >= thirds[0] * _SLOWS


def _size_at(curve: Curve, time: float) -> int:
    return min(curve, key=lambda point: abs(point[0] - time))[1]


def leak(facts: Facts) -> Finding | None:
    """The process that leaks fastest."""
    found = [(row, verdict) for row, curve in facts.lasting if (verdict := find_leak(curve)) is not None]
    if not found:
        return None
    row, worst = max(found, key=lambda item: item[1].rate)
    return Finding(
        "leak",
        Severity.WARNING,
        f"{row.process.comm} ({row.process.pid}) leaks {format_rate(worst.rate * 60, 'min')}",
        f"{format_bytes(worst.rise)} more in {format_duration(worst.seconds)}, steadily,  "
        f"{format_bytes(worst.given_back)} freed",
        "J select it, Enter: which mapping grows; L caps its group, k kill it",
        target=row.process.id,
    )


def hog(facts: Facts) -> Finding | None:
    """One process holds half of RAM and swap while memory is scarce."""
    if facts.memory.available is None or facts.memory.available > facts.memory.total * _SCARCE:
        return None
    row = max(facts.rows, key=_held, default=None)
    total = facts.memory.total + (facts.swap.total or 0)
    if row is None or _held(row) < total * _HOG:
        return None
    return Finding(
        "hog",
        Severity.WARNING,
        f"{row.process.comm} ({row.process.pid}) holds {format_bytes(_held(row))}",
        f"{format_share(_held(row) / total)} of RAM and swap; available {format_bytes(facts.memory.available)}",
        "J select it, k kill it, r reclaim from it, L caps its group",
        target=row.process.id,
    )


def _held(row: ProcessRow) -> int:
    return (row.process.rss_anon or 0) + (row.process.swap or 0)
