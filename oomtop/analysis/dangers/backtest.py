"""`Backtest`: compares forecasts and predicted victims with what happened; pure.

A forecast is judged once its limit killed, or its latest time passed without a kill.  A forecast
cut short by an action or the end of the recording is not judged.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from statistics import median

from oomtop.analysis.dangers.kills import kills_by_subject
from oomtop.analysis.dangers.severity import severity_of
from oomtop.analysis.model.assessment import Assessment, Severity
from oomtop.analysis.model.backtest import BacktestResult, JudgedForecast, JudgedKill, RangeScore
from oomtop.analysis.model.danger import Confidence, Danger, PastKill, UseCurve
from oomtop.frozen import frozen, replace

_LATE = 2.0
"""Seconds by which a kill may be dated after the tick that reports it."""


@frozen
class _Told:
    """The forecast of one tick for one limit; Unix time."""

    time: float
    danger: Danger
    is_alarm: bool


class Backtest:
    """Collects assessments and judges them at the end; only limits whose path starts with `subjects`."""

    def __init__(self, subjects: str = "") -> None:
        self._subjects = subjects
        self._told: dict[str, list[_Told]] = defaultdict(list)
        self._kills: dict[tuple[str, float], PastKill] = {}
        self._first = self._last = 0.0
        self._ticks = 0

    def take(self, assessment: Assessment) -> None:
        """Add one tick."""
        now = assessment.time
        self._first = self._first or now
        self._last = now
        self._ticks += 1
        for danger in assessment.dangers:
            if danger.subject.startswith(self._subjects) and (danger.median is not None or danger.dying):
                told = _Told(now, _without_curve(danger), severity_of(danger) is Severity.CRITICAL)
                self._told[danger.subject].append(told)
        for subject, kills in kills_by_subject(assessment.events).items():
            if subject.startswith(self._subjects):
                self._kills.update(((subject, kill.time), kill) for kill in kills if kill.time >= self._first)

    @property
    def has_kills(self) -> bool:
        """Whether any kill was seen."""
        return bool(self._kills)

    def result(self, deeds: Iterable[float] = ()) -> BacktestResult:
        """Return the result; `deeds` are the times of actions, after which a forecast is not judged."""
        acted = sorted(deeds)
        forecasts = [one for subject in self._told for one in self._forecasts(subject, acted)]
        alarms = sum(self._false_alarms(subject, acted) for subject in self._told)
        hours = max(self._last - self._first, 1.0) / 3600
        errors = [abs(one.median - one.truth) / max(one.truth, 1.0) for one in forecasts if one.truth is not None]
        return BacktestResult(
            seconds=self._last - self._first,
            ticks=self._ticks,
            kills=tuple(self._kill(subject, kill) for (subject, _), kill in self._in_order()),
            ranges=tuple(_range(confidence, forecasts) for confidence in Confidence),
            median_error=median(errors) if errors else None,
            false_alarms=alarms,
            false_alarms_per_hour=alarms / hours,
            forecasts=tuple(forecasts),
        )

    def _in_order(self) -> list[tuple[tuple[str, float], PastKill]]:
        return sorted(self._kills.items(), key=lambda item: item[0][1])

    def _of(self, subject: str) -> list[PastKill]:
        found = [kill for (of, _), kill in self._kills.items() if of == subject]
        return sorted(found, key=lambda kill: kill.time)

    def _forecasts(self, subject: str, acted: Sequence[float]) -> Iterable[JudgedForecast]:
        kills = self._of(subject)
        for told in self._told[subject]:
            danger = told.danger
            if danger.median is None or danger.earliest is None or danger.latest is None or danger.confidence is None:
                continue
            truth = next((kill.time - told.time for kill in kills if kill.time >= told.time), None)
            ends = told.time + (danger.latest if truth is None else truth)
            is_open = ends > self._last or any(told.time <= deed <= ends for deed in acted)
            is_held = truth is not None and danger.earliest <= truth <= danger.latest
            yield JudgedForecast(
                told.time, subject, danger.earliest, danger.median, danger.latest, danger.confidence, truth,
                None if is_open and not is_held else is_held,
            )  # fmt: skip

    def _false_alarms(self, subject: str, acted: Sequence[float]) -> int:
        """Return the number of alarms that no kill followed."""
        kills, count, was_alarm = self._of(subject), 0, False
        for told in self._told[subject]:
            ends = told.time + (told.danger.latest or 60.0) + _LATE
            is_new = told.is_alarm and not was_alarm
            was_alarm = told.is_alarm
            is_true = any(told.time <= kill.time + _LATE and kill.time <= ends for kill in kills)
            is_open = ends > self._last or any(told.time <= deed <= ends for deed in acted)
            count += is_new and not is_true and not is_open
        return count

    def _kill(self, subject: str, kill: PastKill) -> JudgedKill:
        before = max((one.time for one in self._of(subject) if one.time < kill.time), default=self._first)
        told = [one for one in self._told[subject] if before < one.time <= kill.time]
        spoken = [one for one in told if one.danger.median is not None]
        alarms = [one for one in told if one.is_alarm]
        last = next((one.danger for one in reversed(told) if one.danger.dying), None)
        return JudgedKill(
            time=kill.time,
            subject=subject,
            pid=kill.pid,
            name=kill.name,
            seen=kill.time - before,
            first_word=kill.time - spoken[0].time if spoken else None,
            first_alarm=kill.time - alarms[0].time if alarms else None,
            named=None if last is None else last.dying[0].name,
            named_right=None if last is None else _is_named(last, kill),
        )


def _without_curve(danger: Danger) -> Danger:
    """Return the danger without its curve, to save memory over thousands of ticks."""
    return replace(danger, curve=UseCurve(), kills=(), remedies=())


def _is_named(danger: Danger, kill: PastKill) -> bool:
    """Whether the victim was predicted; either of a near tie counts, and all that die together."""
    named = [one.id for one in danger.dying[: 2 if danger.near_tie else 1]]
    return kill.pid in [identity.pid for identity in (*named, *danger.dies_with)]


def _range(confidence: Confidence, forecasts: Sequence[JudgedForecast]) -> RangeScore:
    of_it = [one for one in forecasts if one.confidence is confidence]
    judged = [one for one in of_it if one.held is not None]
    return RangeScore(confidence, len(judged), sum(one.held is True for one in judged), len(of_it) - len(judged))
