"""The minutes before a kill as a chart: held memory below the limit, from the history or a recording."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable

from oomtop.analysis.dangers.kills import kills_by_subject
from oomtop.analysis.model.danger import Danger, DangerKind, DangerState, UseCurve
from oomtop.frozen import replace
from oomtop.history import RAM, uses_of
from oomtop.oomlog.event import OomEvent
from oomtop.tui.dangers.forecast_chart import chart_of
from oomtop.tui.style.palette import Look
from oomtop.tui.style.text import Text
from oomtop.tui.widgets.text_parts import section
from oomtop.units import printable

HEIGHT = 9
_BEFORE, _AFTER = 120.0, 10.0
_LEAST_POINTS = 3


def remembered_minutes(event: OomEvent, dangers: Iterable[Danger]) -> Danger | None:
    """Return the limit that killed, with its held memory; None if the history does not reach back that far."""
    when = event.time
    if when is None:
        return None
    danger = next((each for each in dangers if each.subject in kills_by_subject([event])), None)
    return None if danger is None else _at_kill(danger, when, danger.curve)


def recorded_minutes(path: str | None, event: OomEvent) -> Danger | None:
    """Return the limit that killed, with its held memory, from the recording at `path` (None: the default one).

    None if the recording has nothing of these minutes.

    Raises:
        RecordingError: it cannot be read.
    """
    # SQLite is loaded where there is a recording to read.
    from oomtop.recording.layout import default_path
    from oomtop.recording.reader import Recording

    path, subject, when = path or default_path(), next(iter(kills_by_subject([event])), None), event.time
    if subject is None or when is None or not os.path.exists(path):
        return None
    recording = Recording(path)
    try:
        if not recording.covers(when):
            return None
        start, stop = recording.place(when - _BEFORE), recording.place(when + _AFTER) + 1
        points, size = [], 0
        for _, facts in recording.read(start, stop):
            limits = {group.path: group.max for group in facts.cgroups}
            size = limits.get(subject) or (facts.meminfo.mem_total if subject == RAM else 0) or size
            points += [
                (facts.time, float(use.held), float(use.used), float(use.swapped))
                for use in uses_of(facts, ())
                if use.subject == subject
            ]
    finally:
        recording.close()
    if not size or len(points) < _LEAST_POINTS:
        return None
    kind = DangerKind.MACHINE if subject == RAM else DangerKind.CGROUP
    danger = Danger(
        subject, subject, kind, size, None, used=0, held=0, cache=0, swapped=0, swap_left=0, state=DangerState.FALLING,
        first_seen=points[0][0], kills=kills_by_subject([event])[subject],
    )  # fmt: skip
    return _at_kill(danger, when, UseCurve(*map(list, zip(*points, strict=True))))


def draw_minutes(danger: Danger, width: int, look: Look) -> list[Text]:
    """Return a title and the chart; its time axis ends some seconds after the kill."""
    end = danger.curve.times[-1]
    *chart, axis = chart_of(danger, end, int(_BEFORE + _AFTER), (width, HEIGHT), look)
    clock = time.strftime("%H:%M:%S", time.localtime(end))
    title = section("What was held", width, look, f"limit of {printable(danger.name)}, until {clock}")
    return [title, *chart, Text(axis.plain.replace("now", "   ")), Text("")]


def _at_kill(danger: Danger, when: float, curve: UseCurve) -> Danger | None:
    """Return the limit as it was some seconds after the kill, without a forecast."""
    columns = zip(curve.times, curve.held, curve.used, curve.swapped, strict=True)
    points = [point for point in columns if when - _BEFORE <= point[0] <= when + _AFTER]
    if sum(point[0] <= when for point in points) < _LEAST_POINTS:
        return None
    part = UseCurve(*map(list, zip(*points, strict=True)))
    return replace(
        danger, earliest=None, median=None, latest=None, curve=part, truth=UseCurve(), later_kills=(),
        kills=tuple(kill for kill in danger.kills if kill.time <= points[-1][0]),
    )  # fmt: skip
