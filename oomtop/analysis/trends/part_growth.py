"""Growing parts of the memory account, and the cgroup in which shared memory grows."""

from __future__ import annotations

from collections.abc import Mapping

from oomtop.analysis.model.assessment import PartGrowth
from oomtop.analysis.trends.slope import Curve, slope
from oomtop.part_history import PartHistory

_LEAST_BYTES = 4 << 20
_LEAST_RATE = 256 * 1024.0
_MOST_OF_IT = 0.5
_SECONDS = 3.0


def part_growths(history: PartHistory) -> tuple[PartGrowth, ...]:
    """Return the parts that grow, the fastest first."""
    found = [PartGrowth(part, rate) for part, rate in _rates(history.parts()).items() if rate >= _LEAST_RATE]
    found.sort(key=lambda item: item.rate, reverse=True)
    shmem = next((item for item in found if item.part == "shmem"), None)
    if shmem is None:
        return tuple(found)
    group = _innermost(_rates(history.groups()), shmem.rate * _MOST_OF_IT)
    return tuple(PartGrowth(item.part, item.rate, group) if item is shmem else item for item in found)


def _rates(curves: Mapping[str, Curve]) -> Mapping[str, float]:
    moved = {name: curve for name, curve in curves.items() if curve[-1][1] - curve[0][1] >= _LEAST_BYTES}
    trends = {name: slope(curve, 3, _SECONDS, 20) for name, curve in moved.items()}
    return {name: trend.median for name, trend in trends.items() if trend is not None}


def _innermost(rates: Mapping[str, float], least: float) -> str | None:
    """Return the deepest cgroup with this share of the growth: its ancestors count it too."""
    return max((path for path, rate in rates.items() if rate >= least), key=lambda path: path.count("/"), default=None)
