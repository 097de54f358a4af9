"""Turns ticks into assessments; keeps the history here, and yields only frozen values."""

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
    """An assessed tick."""

    assessment: Assessment
    snapshot: Snapshot


def samples(
    source: Source,
    alerts: AlertWatch | None = None,
    tell: Callable[[str, bool], object] = lambda text, bell: None,
) -> Generator[Sample, None, None]:
    """Yield the assessment of every tick of `source`; `alerts` evaluates each.

    `tell` gets each started or resolved alert, and whether to ring the bell.
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
