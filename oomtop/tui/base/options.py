"""`Options`: what the command line and the configuration decide about the screen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from oomtop.config.load import AdjustRule
from oomtop.frozen import frozen

if TYPE_CHECKING:
    from oomtop.alerts.watch import AlertWatch


@frozen
class Options:
    """What the command line and the configuration decide."""

    interval: float = 2.0
    theme: str | None = None
    read_only: bool = False
    ascii: bool = False
    replay: bool = False
    chart: bool = True
    """Whether the chart is shown where there is room, until `v` is pressed."""
    columns: tuple[str, ...] = ()
    sort: str | None = None
    """The column sorted by at start, None for memory."""
    hidden: tuple[str, ...] = ()
    """The sections of the dashboard that are not shown."""
    protected: tuple[str, ...] = ()
    recording: str | None = None
    """Where the minutes before an event are looked up, None for where the recorder writes by default."""
    adjust: tuple[AdjustRule, ...] = ()
    """Rules that give new processes their `oom_score_adj`."""
    alerts: AlertWatch | None = None
    """What judges the alerts of the configuration, None where there are none."""


SECTIONS: Mapping[str, str] = {
    "swap": "swap space, its traffic, zram and zswap",
    "pressure": "PSI, faults, refaults, stalls, kills",
    "findings": "the causes found, with the key that acts on them",
    "chart": "the forecast of what fills up, or available memory and PSI over time",
    "events": "the newest kills and what came of actions",
}
"""The parts of the first tab that can be left out, by the id of their widget."""
INTERVALS = (0.2, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 30.0, 60.0)
"""Seconds between refreshes that `+` and `-` go through."""


def beside_interval(seconds: float, step: int) -> float:
    """Return the next longer (1) or shorter (-1) interval, the longest or shortest where there is none."""
    others = [item for item in INTERVALS if (item > seconds if step > 0 else item < seconds)]
    return (min(others) if step > 0 else max(others)) if others else seconds
