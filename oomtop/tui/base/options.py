"""`Options`: settings of the screen from the command line and the configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from oomtop.config.load import AdjustRule
from oomtop.frozen import frozen

if TYPE_CHECKING:
    from oomtop.alerts.watch import AlertWatch


@frozen
class Options:
    """Settings from the command line and the configuration."""

    interval: float = 2.0
    theme: str | None = None
    read_only: bool = False
    ascii: bool = False
    replay: bool = False
    chart: bool = True
    """Whether to show the chart if there is room, until `v` is pressed."""
    columns: tuple[str, ...] = ()
    sort: str | None = None
    """The sort column at start, None for memory."""
    hidden: tuple[str, ...] = ()
    """Hidden sections of the dashboard."""
    protected: tuple[str, ...] = ()
    recording: str | None = None
    """The recording with the minutes before an event, None for the recorder's default."""
    adjust: tuple[AdjustRule, ...] = ()
    """Rules that give new processes their `oom_score_adj`."""
    alerts: AlertWatch | None = None
    """The evaluator of the configured alerts, None without alerts."""


SECTIONS: Mapping[str, str] = {
    "swap": "swap space, its traffic, zram and zswap",
    "pressure": "PSI, faults, refaults, stalls, kills",
    "findings": "causes, with the key that acts on them",
    "chart": "forecast of the subject, or available memory and PSI over time",
    "events": "newest kills and outcomes of actions",
}
"""The sections of the first tab that can be hidden, by widget id."""
INTERVALS = (0.2, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 30.0, 60.0)
"""Refresh intervals in seconds for `+` and `-`."""


def beside_interval(seconds: float, step: int) -> float:
    """Return the next longer (1) or shorter (-1) interval, or the longest or shortest."""
    others = [item for item in INTERVALS if (item > seconds if step > 0 else item < seconds)]
    return (min(others) if step > 0 else max(others)) if others else seconds
