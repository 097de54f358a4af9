"""`AlertEngine`: decides on each assessment which alerts fire and what to send; reads nothing, never blocks.

An alert fires once its conditions have held for `for`, and resolves once they are false, by their clear thresholds,
for `clear_for`: one incident per subject.  Unknown values change nothing; a subject that is gone resolves.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from oomtop.alerts.figures import AlertValue, Key, Readings, fits, read
from oomtop.alerts.notice import Notice
from oomtop.analysis.model.assessment import Assessment, FiringAlert, Severity
from oomtop.analysis.sentences import describe_event
from oomtop.config.alerts import FIGURES, AlertRule, AlertScope, Condition, Threshold, Unit
from oomtop.frozen import replace
from oomtop.oomlog.event import OomEvent
from oomtop.units import format_bytes, format_count, format_duration, format_rate, format_share

MOST_INCIDENTS = 20
"""Of one alert at a time: a swarm of ten thousand is told by its first twenty."""
_MOST_SEEN = 10_000
_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
_WORDS = {"<": "is below", "<=": "is at most", ">": "is above", ">=": "is at least"}
_LOUDEST = (Severity.CRITICAL, Severity.WARNING, Severity.INFO)


@dataclass(slots=True)
class _Case:
    """One subject of one alert: how long its conditions hold, or do not any more; times are monotonic."""

    since: float | None = None
    over_since: float | None = None
    alert: FiringAlert | None = None
    incident: str = ""
    event: OomEvent | None = None
    count: int = 0


@dataclass(slots=True)
class _Watch:
    """One alert and its cases."""

    rule: AlertRule
    cases: dict[Key, _Case] = field(default_factory=dict)

    @property
    def firing(self) -> list[_Case]:
        return [case for case in self.cases.values() if case.alert is not None]


class AlertEngine:
    """Judges the alerts of the configuration; owned by the thread that samples."""

    def __init__(self, rules: Sequence[AlertRule]) -> None:
        self._watches = [_Watch(rule) for rule in rules]
        self._incidents = 0
        self._started: float | None = None
        self._log_was_read = False
        self._seen: dict[tuple[object, ...], None] = {}
        self._newest: tuple[int, object] | None = None

    def judge(self, assessment: Assessment) -> tuple[Notice, ...]:
        """Take an assessment in; return what began and what ended with it."""
        if self._started is None:
            self._started = assessment.time
        kills = self._new_events(assessment)
        notices: list[Notice] = []
        for watch in self._watches:
            if watch.rule.scope is AlertScope.EVENT:
                notices.extend(self._judge_events(watch, kills, assessment))
            else:
                notices.extend(self._judge_figures(watch, assessment))
        return tuple(notices)

    @property
    def firing(self) -> tuple[FiringAlert, ...]:
        """What fires now, most severe first, then the longest."""
        alerts = [case.alert for watch in self._watches for case in watch.firing if case.alert is not None]
        return tuple(sorted(alerts, key=lambda alert: (_LOUDEST.index(alert.severity), alert.since)))

    @property
    def standing(self) -> tuple[tuple[str, bool], ...]:
        """(name, whether it fires) of every alert."""
        return tuple((watch.rule.name, bool(watch.firing)) for watch in self._watches)

    # -- figures ------------------------------------------------------------------------------------

    def _judge_figures(self, watch: _Watch, assessment: Assessment) -> Iterator[Notice]:
        rule = watch.rule
        columns = [(condition, read(condition.figure, assessment, rule.filters)) for condition in rule.conditions]
        keys = _keys(columns)
        for key in [key for key in watch.cases if key not in keys]:
            yield from self._end(watch, key, assessment)
        room = MOST_INCIDENTS - len(watch.firing)
        for key in keys:
            case = watch.cases.get(key)
            holds = _holds(columns, key, case is not None and case.alert is not None)
            if case is None and (not holds or room <= 0):
                continue
            case = watch.cases.setdefault(key, _Case())
            began = self._step(case, rule, columns, key, holds, assessment, room > 0)
            if began is not None:
                room -= 1
                yield began
            elif holds is False and (case.alert is None or _is_over(case, rule, assessment)):
                yield from self._end(watch, key, assessment)

    def _step(
        self,
        case: _Case,
        rule: AlertRule,
        columns: Sequence[tuple[Condition, Readings]],
        key: Key,
        holds: bool | None,
        assessment: Assessment,
        has_room: bool,
    ) -> Notice | None:
        """Move one case on; return the notice of its beginning."""
        now = assessment.monotonic
        if holds is False:
            case.over_since = now if case.over_since is None else case.over_since
        if not holds:
            return None
        case.over_since = None
        case.since = now if case.since is None else case.since
        subject, text, value = _describe(columns, key)
        if case.alert is not None:
            case.alert = replace(case.alert, text=text, value=value)
            return None
        if now - case.since < rule.hold or not has_room:
            return None
        return self._begin(case, rule, FiringAlert(rule.name, _severity(rule), subject, text, assessment.time, value))

    def _begin(self, case: _Case, rule: AlertRule, alert: FiringAlert) -> Notice:
        self._incidents += 1
        case.alert, case.incident = alert, f"{alert.since:.0f}-{self._incidents}"
        return Notice(rule, alert, case.incident, True, alert.since, case.event, max(1, case.count))

    def _end(self, watch: _Watch, key: Key, assessment: Assessment) -> Iterator[Notice]:
        case = watch.cases.pop(key)
        if case.alert is not None:
            count = max(1, case.count)
            yield Notice(watch.rule, case.alert, case.incident, False, assessment.time, case.event, count)

    # -- OOM events ---------------------------------------------------------------------------------

    def _new_events(self, assessment: Assessment) -> tuple[OomEvent, ...]:
        """Return the kills not told before, oldest first; those of before the start are history, not news."""
        newest = (len(assessment.events), assessment.events[0].key if assessment.events else None)
        was_read, self._log_was_read = self._log_was_read, assessment.log_read
        if newest == self._newest:
            return ()
        self._newest = newest
        fresh = [event for event in assessment.events if _is_kill(event) and event.key not in self._seen]
        self._seen.update(dict.fromkeys(event.key for event in fresh))
        while len(self._seen) > _MOST_SEEN:
            del self._seen[next(iter(self._seen))]
        oldest = (self._started or 0.0) - 1.0
        return tuple(event for event in reversed(fresh) if (was_read if event.time is None else event.time >= oldest))

    def _judge_events(self, watch: _Watch, events: Sequence[OomEvent], assessment: Assessment) -> Iterator[Notice]:
        rule, now = watch.rule, assessment.monotonic
        others = [condition for condition in rule.conditions if FIGURES[condition.figure][1] is AlertScope.MACHINE]
        columns = [(condition, read(condition.figure, assessment, {})) for condition in others]
        for event in events:
            if not _is_meant(event, rule.filters) or _holds(columns, "", False) is False:
                continue
            key: Key = (event.killer, event.victim_cgroup)
            if key not in watch.cases and len(watch.cases) >= MOST_INCIDENTS:
                continue
            case = watch.cases.setdefault(key, _Case(event=event))
            case.count, case.over_since = case.count + 1, now
            if case.alert is None:
                subject = event.victim_cgroup or event.killer
                alert = FiringAlert(rule.name, _severity(rule), subject, describe_event(event), assessment.time)
                yield self._begin(case, rule, alert)
        quiet = [name for name, case in watch.cases.items() if _is_over(case, rule, assessment)]
        for over in quiet:
            yield from self._end(watch, over, assessment)


def _is_over(case: _Case, rule: AlertRule, assessment: Assessment) -> bool:
    return case.over_since is not None and assessment.monotonic - case.over_since >= rule.clear_for


def _severity(rule: AlertRule) -> Severity:
    return Severity(rule.severity)


def _is_kill(event: OomEvent) -> bool:
    is_named = event.victim is not None or bool(event.processes_killed) or event.cgroup is not None
    return is_named and event.outcome not in ("failed", "dry-run")


def _is_meant(event: OomEvent, filters: Mapping[str, str]) -> bool:
    names = [victim.name for victim in (event.victim, *event.other_victims) if victim is not None]
    return (
        fits(filters.get("killer"), [event.killer])
        and fits(filters.get("cgroup"), [event.victim_cgroup, event.task_memcg])
        and fits(filters.get("process"), names)
    )


def _keys(columns: Sequence[tuple[Condition, Readings]]) -> list[Key]:
    """Return what the alert is judged for: the things that all conditions on things have in common."""
    things = [
        list(readings) for condition, readings in columns if FIGURES[condition.figure][1] is not AlertScope.MACHINE
    ]
    if not things:
        return [""]
    common = set(things[0]).intersection(*things[1:])
    return [key for key in things[0] if key in common]


def _holds(columns: Sequence[tuple[Condition, Readings]], key: Key, is_firing: bool) -> bool | None:
    """Whether all conditions hold for a thing; None if that is not known."""
    answers = [_one_holds(condition, _pick(readings, key), is_firing) for condition, readings in columns]
    if False in answers:
        return False
    return None if None in answers else True


def _pick(readings: Readings, key: Key) -> AlertValue:
    return readings[key] if key in readings else readings[""]


def _one_holds(condition: Condition, reading: AlertValue, is_firing: bool) -> bool | None:
    if condition.threshold is None:
        return True
    threshold = condition.clear if is_firing and condition.clear is not None else condition.threshold
    bound = _bound(condition, threshold, reading)
    if bound is None or reading.value is None:
        return None
    return _COMPARE[condition.operator](reading.value, bound)


def _bound(condition: Condition, threshold: Threshold, reading: AlertValue) -> float | None:
    """Return the threshold in the unit of the reading: a percentage of a size is one of its whole."""
    if not threshold.is_share or FIGURES[condition.figure][0] is Unit.SHARE:
        return threshold.amount
    return threshold.amount * reading.whole if reading.whole else None


def _describe(columns: Sequence[tuple[Condition, Readings]], key: Key) -> tuple[str, str, float | None]:
    """Return the subject, the sentence and the value of the first condition on it."""
    parts, subject, value = [], "", None
    for condition, readings in columns:
        reading = _pick(readings, key)
        subject = subject or reading.subject
        if value is None and reading.value is not None and math.isfinite(reading.value):
            value = reading.value
        parts.append(_sentence(condition, reading))
    return subject, " and ".join(parts) + (f": {subject}" if subject else ""), value


def _sentence(condition: Condition, reading: AlertValue) -> str:
    if condition.threshold is None:
        return condition.figure
    is_endless = reading.value is not None and math.isinf(reading.value)
    figure = "endless" if is_endless else _FORMATS[FIGURES[condition.figure][0]](reading.value)
    share = f" ({format_share((reading.value or 0) / reading.whole)})" if reading.whole else ""
    return f"{condition.figure} {figure}{share} {_WORDS[condition.operator]} {condition.threshold.text}"


_FORMATS: Mapping[Unit, Callable[[float | None], str]] = {
    Unit.BYTES: format_bytes,
    Unit.SHARED_BYTES: format_bytes,
    Unit.RATE: format_rate,
    Unit.SECONDS: format_duration,
    Unit.SHARE: format_share,
    Unit.COUNT: format_count,
}
