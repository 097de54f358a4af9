"""Which limits get a new forecast on a tick: those that may be full soonest on each, the others in turn.

A forecast of a curve that moves costs 0.1 ms, so that those of 500 groups would cost more than the rest of the tick.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping

from oomtop.analysis.dangers.forecast import Outlook, calm
from oomtop.analysis.model.danger import Danger, DangerState, Forecast
from oomtop.use_history import Columns

_SOONEST, _IN_TURN = 32, 16
_POINTS = 4


def due(seconds: Mapping[str, float], ticks: int) -> frozenset[str]:
    """Return the subjects to forecast anew on this tick, given the least seconds until each is full."""
    if len(seconds) <= _SOONEST + _IN_TURN:
        return frozenset(seconds)
    shares = -(-len(seconds) // _IN_TURN)
    soonest = heapq.nsmallest(_SOONEST, seconds, key=seconds.__getitem__)
    return frozenset((*soonest, *sorted(seconds)[ticks % shares :: shares]))


def fastest(uses: Columns) -> float:
    """Return the higher rate since the last point and since the fourth last, in bytes per second, at least 0."""
    return max(0.0, _rate(uses, -2), _rate(uses, max(-_POINTS, -len(uses))))


def _rate(uses: Columns, at: int) -> float:
    seconds = uses.times[-1] - uses.times[at]
    return (uses.held[-1] + uses.swapped[-1] - uses.held[at] - uses.swapped[at]) / seconds if seconds > 0 else 0.0


def carried(known: Danger, room: int, rate: float, seconds: float) -> Outlook:
    """Return the outlook of a limit whose turn it is not: its last range, shorter as the room is."""
    if known.median is None or known.earliest is None or known.latest is None or known.confidence is None:
        state = known.state if known.state is DangerState.UNSTEADY else calm(rate, known.limit)
        return Outlook(state, rate)
    share = room / max(1, known.room)
    forecast = Forecast(
        known.earliest * share, known.median * share, known.latest * share, known.confidence, known.basis or ""
    )
    return Outlook(DangerState.FILLING, known.rate, forecast, (known.growing or 0.0) + seconds)
