"""The sampling thread: history and assessment live here, only frozen values leave it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from typing import TYPE_CHECKING

from oomtop.analysis.assessment import assess
from oomtop.analysis.model.assessment import Assessment
from oomtop.errors import OomtopError
from oomtop.history import History
from oomtop.sources.live import ReplayTick, Source
from oomtop.tui.base.messages import NewAssessment, SourceEnded, Told

if TYPE_CHECKING:
    from oomtop.alerts.watch import AlertWatch


def samples(
    source: Source,
    alerts: AlertWatch | None = None,
    tell: Callable[[Told], object] = lambda told: None,
) -> Generator[NewAssessment, None, None]:
    """Yield every tick of `source`, assessed; `alerts` judges each, and `tell` gets what began or ended."""
    history = History()
    assessment: Assessment | None = None
    for tick in source.ticks():
        if isinstance(tick, ReplayTick) and tick.past is not None:
            history, assessment = tick.past.history, tick.past.assessment
        history.add(tick)
        assessment = assess(tick, history, assessment)
        if alerts is not None:
            assessment, notices = alerts.judge(assessment)
            for notice in notices:
                tell(Told(f"alert {notice.state}: {notice.text}", notice.rule.bell and notice.is_firing))
        yield NewAssessment(assessment, tick.snapshot)


def hand_on(
    samples: Iterable[NewAssessment], take: Callable[[NewAssessment], None], is_cancelled: Callable[[], bool]
) -> SourceEnded:
    """Hand every sample to `take`; return why there are no more."""
    try:
        for message in samples:
            if is_cancelled():
                break
            take(message)
    except (OomtopError, OSError) as error:
        return SourceEnded(str(error))
    return SourceEnded(None)
