"""Crash loops: the previous round predicts the end of the current one."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from oomtop.analysis.dangers.reach import Reach
from oomtop.analysis.dangers.teeth import find_teeth
from oomtop.analysis.model.danger import Rounds
from oomtop.analysis.trends.slope import median

Points = Sequence[tuple[float, float]]
LAST_ROUND = "last round"
"""The basis of such a forecast."""
_REMEMBERED = 600.0
_COMPARED = 3
_PAD = 0.15
_ALIKE = 2.5
_LOOP = 3


def crash_loop(kills: Sequence[float], now: float) -> Rounds | None:
    """Return the crash loop in a series of kills (newest first): three or more at even intervals."""
    gaps = [after - before for after, before in pairwise(kills)]
    if len(gaps) < _LOOP - 1 or now - kills[0] > 2 * max(gaps[:2]) + 60:
        return None
    each = median(sorted(gaps[:5]))
    count = 1
    for gap in gaps:
        if not each / _ALIKE - 1 <= gap <= each * _ALIKE + 1:
            break
        count += 1
    return Rounds(count, kills[0] - kills[count - 1], each) if count >= _LOOP else None


def by_last_round(dense: Points, climb: Points, kills: Sequence[float], limit: int, now: float) -> Reach | None:
    """Return when this round of a crash loop ends: the last ones tell how long it is from the current use to a kill."""
    if not kills or now - kills[0] > _REMEMBERED or len(climb) < 2 or climb[-1][1] <= climb[0][1]:
        return None
    left = []
    for end, start in zip(kills[:_COMPARED], [*kills[1:], float("-inf")], strict=False):
        found = _left(_last_climb([point for point in dense if start < point[0] <= end], limit), climb, end)
        if found is not None:
            left.append(found)
    if not left:
        return None
    seconds = climb[-1][0] - climb[0][0]
    seen = max(seconds, kills[0] - dense[0][0])
    return Reach(min(left), median(sorted(left)), max(left), seen, LAST_ROUND).padded(_PAD, 1.0)


def _last_climb(points: Points, limit: int) -> Points:
    trough = find_teeth(points, limit).trough
    return points if trough is None else [point for point in points if point[0] >= trough[0]]


def _left(before: Points, climb: Points, end: float) -> float | None:
    """Return the seconds an earlier round had left at this size; None if this one grows differently."""
    size = climb[-1][1]
    place = next((at for at, point in enumerate(before) if point[1] >= size), None)
    if place is None or place == 0 or len(before) < 3:
        return None
    (t1, y1), (t2, y2) = before[place - 1], before[place]
    since = max(climb[0][0], climb[-1][0] - 4.0)
    recent = next(point for point in climb if point[0] >= since)
    rate = (size - recent[1]) / max(1e-3, climb[-1][0] - recent[0])
    was = _rate_about(before, place)
    if was <= 0 or not was / _ALIKE <= rate <= was * _ALIKE:
        return None
    at = t2 if y2 <= y1 else t1 + (t2 - t1) * (size - y1) / (y2 - y1)
    return end - at


def _rate_about(points: Points, place: int) -> float:
    first, last = points[max(0, place - 3)], points[min(len(points) - 1, place + 1)]
    return (last[1] - first[1]) / max(1e-3, last[0] - first[0])
