"""From ticks to assessments: the history and the assessment before live here, only frozen values leave."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, NamedTuple

from oomtop.analysis.assessment import assess
from oomtop.analysis.model.assessment import Assessment
from oomtop.history import History
from oomtop.snapshot import Snapshot
from oomtop.sources.live import ReplayTick, Source

if TYPE_CHECKING:
    from oomtop.alerts.watch import AlertWatch


class Sample(NamedTuple):
    """A tick that was assessed."""

    assessment: Assessment
    snapshot: Snapshot


def samples(
    source: Source,
    alerts: AlertWatch | None = None,
    tell: Callable[[str, bool], object] = lambda text, bell: None,
) -> Generator[Sample, None, None]:
    """Yield every tick of `source`, assessed; `alerts` judges each.

    `tell` gets what began or ended, and whether it is to be heard.
    """
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
                tell(f"alert {notice.state}: {notice.text}", notice.rule.bell and notice.is_firing)
        yield Sample(assessment, tick.snapshot)
