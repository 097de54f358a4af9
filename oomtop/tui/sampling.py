"""The sampling thread: history and assessment live here, only frozen values leave it."""

from __future__ import annotations

from collections.abc import Callable

from oomtop.analysis.assessment import assess
from oomtop.analysis.model import Assessment
from oomtop.errors import OomtopError
from oomtop.history import History
from oomtop.source import ReplayTick, Source
from oomtop.tui.messages import NewAssessment, SourceEnded


def sample(
    source: Source, take: Callable[[Source, NewAssessment], None], is_cancelled: Callable[[], bool]
) -> SourceEnded:
    """Hand every tick of `source`, assessed, to `take`; return why there are no more."""
    history = History()
    assessment: Assessment | None = None
    try:
        for tick in source.ticks():
            if is_cancelled():
                break
            if isinstance(tick, ReplayTick) and tick.past is not None:
                history, assessment = tick.past.history, tick.past.assessment
            history.add(tick)
            assessment = assess(tick, history, assessment)
            take(source, NewAssessment(assessment, tick.snapshot))
    except (OomtopError, OSError) as error:
        return SourceEnded(str(error))
    return SourceEnded(None)
