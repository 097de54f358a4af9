"""How densely to record: every second under pressure, every ten when calm, every five otherwise."""

from __future__ import annotations

from oomtop.snapshot import Snapshot, Tick

DENSE, USUAL, SPARSE = 1.0, 5.0, 10.0
_SOME, _FULL = 5.0, 1.0
"""Per cent of time stalled over ten seconds above which it is recorded densely."""
_LITTLE, _PLENTY = 0.1, 0.3
"""Shares of RAM: less available than the one is pressure, more than the other is needed to be calm."""
_FALL = 0.005
"""Share of RAM a second by which what is available falls: at this rate an idle machine is full in three minutes."""
_AFTER_EVENT, _CALM_AFTER = 60.0, 300.0


class Density:
    """Decides the seconds to the next tick from those before."""

    def __init__(self) -> None:
        self._last: Snapshot | None = None
        self._dense_until = 0.0
        self._stirred = 0.0

    def after(self, tick: Tick) -> float:
        """Return the seconds to wait after `tick`."""
        snapshot = tick.snapshot
        before, self._last = self._last, snapshot
        now = snapshot.monotonic
        if before is None or before.monotonic > now:
            self._dense_until, self._stirred = 0.0, now
            before = None
        if _has_news(tick) or _kills(snapshot) > (_kills(before) if before is not None else _kills(snapshot)):
            self._dense_until = now + _AFTER_EVENT
        if _is_pressed(snapshot) or (before is not None and _is_falling(before, snapshot)):
            self._dense_until = max(self._dense_until, now + SPARSE)
        if now < self._dense_until:
            self._stirred = now
            return DENSE
        if not _is_calm(snapshot, before):
            self._stirred = now
        return SPARSE if now - self._stirred >= _CALM_AFTER else USUAL


def _has_news(tick: Tick) -> bool:
    """Whether an event came that is not the backlog of the log."""
    return any(event.time is None or tick.snapshot.time - event.time < _AFTER_EVENT for event in tick.events)


def _kills(snapshot: Snapshot) -> int:
    return (snapshot.vmstat.oom_kill or 0) if snapshot.vmstat is not None else 0


def _available(snapshot: Snapshot) -> float | None:
    available = snapshot.meminfo.mem_available
    return None if available is None else available / max(1, snapshot.meminfo.mem_total)


def _is_pressed(snapshot: Snapshot) -> bool:
    pressure, available = snapshot.pressure_memory, _available(snapshot)
    if available is not None and available < _LITTLE:
        return True
    if pressure is None:
        return False
    return pressure.some.avg10 >= _SOME or (pressure.full is not None and pressure.full.avg10 >= _FULL)


def _is_falling(before: Snapshot, snapshot: Snapshot) -> bool:
    old, new = _available(before), _available(snapshot)
    seconds = snapshot.monotonic - before.monotonic
    return old is not None and new is not None and seconds > 0 and (old - new) / seconds > _FALL


def _is_calm(snapshot: Snapshot, before: Snapshot | None) -> bool:
    available = _available(snapshot)
    if before is None or (available is not None and available < _PLENTY):
        return False
    pressure = snapshot.pressure_memory
    if pressure is not None and pressure.some.avg10 >= 0.1:
        return False
    return snapshot.meminfo.swap_free is None or snapshot.meminfo.swap_free >= (before.meminfo.swap_free or 0)
