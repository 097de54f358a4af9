"""Growth over one, five and thirty minutes: of the largest processes, and of programs, users and groups.

A group's figure is the sum over its processes at each instant, so that short-lived ones count.  The sum
covers private memory: anonymous memory and swap.  Points are taken every 15 s (`LASTING_SECONDS`).
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from oomtop.analysis.model.assessment import Growth
from oomtop.analysis.trends.slope import Curve, slope
from oomtop.history import History
from oomtop.host.containers import name_of
from oomtop.snapshot import Snapshot

_Key = TypeVar("_Key")
MINUTE, FIVE_MINUTES, HALF_HOUR = 60.0, 300.0, 1800.0
PROCESSES, GROUPS = 50, 20
"""How many of each kind; a slope costs 25 us."""
SPARK_POINTS = 30
# A trend needs half of its window and at least three points.
_LEAST_SHARE = 0.45
_LEAST_POINTS = 3
_MOST_POINTS = 13


def growths(snapshot: Snapshot, history: History) -> tuple[Growth, ...]:
    """Return the largest processes, programs, users and units with their growth, each kind the largest first."""
    names = {process.id: process.comm for process in snapshot.processes}
    found = [
        _growth("process", names.get(identity, ""), points, identity.pid, identity.start_time)
        for identity, points in _largest(history.lasting, PROCESSES)
    ]
    users = {str(number): name for number, name in snapshot.users}
    containers = dict(snapshot.containers)
    curves: dict[str, dict[str, list[Curve]]] = {"program": {}, "user": {}, "unit": {}}
    for (kind, key), points in history.sums.items():
        name = {"user": users.get(key, key), "unit": name_of(key, containers) or key}.get(kind, key)
        curves[kind].setdefault(name, []).append(points)
    for kind, of_kind in curves.items():
        whole = {name: _sum(parts) if len(parts) > 1 else parts[0] for name, parts in of_kind.items()}
        found += [_growth(kind, name, points) for name, points in _largest(whole, GROUPS)]
    return tuple(found)


def _largest(curves: Mapping[_Key, Curve], count: int) -> list[tuple[_Key, Curve]]:
    return heapq.nlargest(count, curves.items(), key=lambda item: item[1][-1][1])


def _sum(curves: Iterable[Curve]) -> Curve:
    """Return the sum of curves whose points were taken at the same instants."""
    total: dict[float, int] = defaultdict(int)
    for curve in curves:
        for time, size in curve:
            total[time] += size
    return sorted(total.items())


def _growth(kind: str, name: str, curve: Curve, pid: int | None = None, start_time: int | None = None) -> Growth:
    return Growth(
        kind=kind,
        name=name,
        pid=pid,
        start_time=start_time,
        size=curve[-1][1],
        minute=_over(curve, MINUTE),
        five_minutes=_over(curve, FIVE_MINUTES),
        half_hour=_over(curve, HALF_HOUR),
        curve=_thin([size for _, size in curve]),
    )


def _over(curve: Curve, seconds: float) -> float | None:
    """Return bytes per second over the last `seconds`, None if less than half of them was seen."""
    end = curve[-1][0]
    within = [point for point in curve if end - point[0] <= seconds + 1.0]
    trend = slope(within, _LEAST_POINTS, seconds * _LEAST_SHARE, _MOST_POINTS)
    return None if trend is None else trend.median


def _thin(sizes: Sequence[int]) -> tuple[int, ...]:
    """Return at most `SPARK_POINTS` sizes, including the newest."""
    step = -(-len(sizes) // SPARK_POINTS)
    return tuple(sizes[::-step][::-1])
