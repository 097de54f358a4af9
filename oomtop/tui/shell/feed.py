"""The sampling thread: history and assessment live here, only frozen values leave it."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable
from typing import TYPE_CHECKING

from oomtop.analysis.assessment import assess
from oomtop.analysis.model.assessment import Assessment
from oomtop.crash import reason_of
from oomtop.history import History
from oomtop.sources.live import ReplayTick, Source
from oomtop.tui.base.messages import NewAssessment, Told

if TYPE_CHECKING:
    from oomtop.alerts.watch import AlertWatch

ATTEMPTS = 3
PAUSE = 1.0
"""Seconds between a failure and the next attempt."""


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
    begin: Callable[[], Iterable[NewAssessment]],
    take: Callable[[NewAssessment], None],
    is_cancelled: Callable[[], bool],
    tell: Callable[[str], object],
    may_begin_again: bool,
) -> str | None:
    """Hand every sample to `take`; return why there are no more, None where that was asked for.

    Sampling that fails begins again after a pause, told by `tell`; without one sample in between it does so twice.
    """
    failures = 0
    while not is_cancelled():
        try:
            for message in begin():
                if is_cancelled():
                    return None
                failures = 0
                take(message)
            return None
        except Exception as error:  # noqa: BLE001 - whatever ended it is told, and ends the program if it lasts
            failures += 1
            if not may_begin_again or failures >= ATTEMPTS:
                return reason_of(error)
            tell(f"sampling failed and begins again: {reason_of(error)}")
            time.sleep(PAUSE)
    return None
