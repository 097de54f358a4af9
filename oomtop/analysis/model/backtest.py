"""`BacktestResult`: how well forecasts matched what happened.  Seconds, Unix times."""

from __future__ import annotations

from oomtop.analysis.model.danger import Confidence
from oomtop.frozen import frozen


@frozen
class JudgedForecast:
    """One forecast of one tick."""

    time: float
    subject: str
    earliest: float
    median: float
    latest: float
    confidence: Confidence
    truth: float | None
    """Seconds to the next kill at this limit, None without one."""
    held: bool | None
    """Whether the kill was within the range; None if it cannot be judged."""


@frozen
class JudgedKill:
    """One kill and its forecasts."""

    time: float
    subject: str
    pid: int | None
    name: str
    seen: float
    """Seconds since the previous kill, or since the first tick."""
    first_word: float | None
    """Seconds before the kill of its first forecast."""
    first_alarm: float | None
    """Seconds before the kill of its first critical forecast."""
    named: str | None
    """The predicted victim on the last tick before it."""
    named_right: bool | None


@frozen
class RangeScore:
    """How often ranges of one confidence were right."""

    confidence: Confidence
    judged: int
    held: int
    open: int
    """Cut short by an action or the end of the recording: not judged."""

    @property
    def share(self) -> float | None:
        """The share of judged ranges that were right, None without any."""
        return self.held / self.judged if self.judged else None


@frozen
class BacktestResult:
    """The result for a whole recording."""

    seconds: float
    ticks: int
    kills: tuple[JudgedKill, ...]
    ranges: tuple[RangeScore, ...]
    median_error: float | None
    """Error of the medians as a share of the true time; None without kills."""
    false_alarms: int
    """Alarms without a kill in their time."""
    false_alarms_per_hour: float
    forecasts: tuple[JudgedForecast, ...]
