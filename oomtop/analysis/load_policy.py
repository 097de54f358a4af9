"""Load shedding: how much work oomtop skips while the machine stalls; pure, and recovers by itself.

The measure is PSI (Documentation/accounting/psi.rst): `some` and `full` avg10 of `/proc/pressure/memory`.
"""

from __future__ import annotations

from enum import IntEnum

from oomtop.frozen import frozen
from oomtop.host.pressure import Pressure

LONGEST = 10.0
"""The longest interval, in seconds."""
_SHARE = 0.1
"""Maximum share of one CPU for sampling."""


class Level(IntEnum):
    """How much oomtop does: less while the machine stalls."""

    FULL = 0
    LESS = 1
    LEAST = 2


@frozen
class Duty:
    """What oomtop still does at a level."""

    word: str
    """Text for the header; empty at full work."""
    stretch: float
    """Factor on the interval."""
    chart: bool
    slow_facts: bool
    """Whether expensive or blocking files of the selected process are read."""


DUTIES: dict[Level, Duty] = {
    Level.FULL: Duty("", 1.0, True, True),
    Level.LESS: Duty("light", 1.5, False, True),
    Level.LEAST: Duty("lightest", 2.5, False, False),
}
# (some avg10, full avg10) at which a level begins; it ends at half of that, to avoid flicker.
_BEGINS = {Level.LESS: (20.0, 5.0), Level.LEAST: (60.0, 25.0)}


def shed(pressure: Pressure | None, before: Level = Level.FULL) -> Level:
    """Return the level for this pressure after the level `before`; full work without PSI."""
    if pressure is None:
        return Level.FULL
    reached = (level for level in (Level.LEAST, Level.LESS) if _is_at(pressure, level, level <= before))
    return next(reached, Level.FULL)


def _is_at(pressure: Pressure, level: Level, holds: bool) -> bool:
    some, full = (limit / 2 if holds else limit for limit in _BEGINS[level])
    return pressure.some.avg10 >= some or (pressure.full is not None and pressure.full.avg10 >= full)


def interval_for(level: Level, chosen: float, cost: float) -> float:
    """Return the seconds between ticks: the configured interval, longer under stalls or expensive samples.

    `cost` is the CPU time of a sample; sampling takes at most a tenth of one CPU.
    """
    wanted = max(chosen * DUTIES[level].stretch, cost / _SHARE)
    return max(chosen, min(wanted, LONGEST))
