"""`BacktestResult`: how good forecasts were, judged by what then happened.  Seconds, Unix times."""

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
    """Seconds to the next kill at this limit, None where none came."""
    held: bool | None
    """Whether the truth lay within the range; None for one that cannot be judged."""


@frozen
class JudgedKill:
    """One kill, and what had been said of it."""

    time: float
    subject: str
    pid: int | None
    name: str
    seen: float
    """Seconds from the kill before it, or from the first tick."""
    first_word: float | None
    """Seconds before the kill at which there was a time for the first time."""
    first_alarm: float | None
    """The same of the first critical tick."""
    named: str | None
    """Who was said to die, on the last tick before it."""
    named_right: bool | None


@frozen
class RangeScore:
    """How often the ranges of one confidence held."""

    confidence: Confidence
    judged: int
    held: int
    open: int
    """Cut short by an action or by the end: not judged."""

    @property
    def share(self) -> float | None:
        """The share of those judged that held, None where none was."""
        return self.held / self.judged if self.judged else None


@frozen
class BacktestResult:
    """The account of a whole recording."""

    seconds: float
    ticks: int
    kills: tuple[JudgedKill, ...]
    ranges: tuple[RangeScore, ...]
    median_error: float | None
    """Of the medians, as a share of the truth; None where nothing was killed."""
    false_alarms: int
    """Alarms that began and that no kill followed in their time."""
    false_alarms_per_hour: float
    forecasts: tuple[JudgedForecast, ...]
