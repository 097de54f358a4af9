"""The forecast chart: what is held up to now, the limit, and the cone to where both meet; drawn with plotext.

Each kind of point has a character of its own, so that colour is never needed to tell them apart.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from oomtop.analysis.model.assessment import Assessment
from oomtop.analysis.model.danger import Danger, UseCurve
from oomtop.analysis.sentences import describe_danger
from oomtop.frozen import frozen
from oomtop.tui.dangers.strip import Subject
from oomtop.tui.style.palette import Look
from oomtop.tui.style.text import Text
from oomtop.tui.widgets.chart import span_of, ticks_of
from oomtop.tui.widgets.text_parts import Draw, keep_start
from oomtop.units import format_bytes, printable

_USUAL = 120
_LEAST_HEIGHT = 4


@frozen
class Signs:
    """The characters of a chart."""

    held: str
    cache: str
    limit: str
    cone: str
    median: str
    kill: str


PLAIN = Signs("#", "=", "-", ":", "/", "X")
DRAWN = Signs("█", "░", "┄", "▒", "╱", "✗")


def draw_forecast(subject: Subject, seconds: Callable[[], int]) -> Draw:
    """Return what draws the last so many seconds of the subject, with 0 two minutes, and as long ahead."""

    def draw(assessment: Assessment, width: int, height: int, look: Look) -> list[Text]:
        danger = subject(assessment)
        if danger is None or height < _LEAST_HEIGHT or len(danger.curve.times) < 2:
            return [Text(" the forecast begins with the second sample", look.style("dim"))]
        return chart_of(danger, assessment.time, seconds() or _USUAL, (width, height), look)

    return draw


def draw_forecast_of(danger: Danger | None, assessment: Assessment, size: tuple[int, int], look: Look) -> list[Text]:
    """Return a title and the chart of one danger, for a screen about one group or one process."""
    width, height = size
    if danger is None:
        return [Text(" no limit of its own or above it, but the machine's memory", look.style("dim"))]
    title = Text(keep_start(f" {printable(describe_danger(danger))}", width, look), "bold")
    if height <= _LEAST_HEIGHT or len(danger.curve.times) < 2:
        return [title]
    return [title, *chart_of(danger, assessment.time, _USUAL, (width, height - 1), look)]


def chart_of(danger: Danger, now: float, most: int, size: tuple[int, int], look: Look) -> list[Text]:
    """Return the chart of one danger; `most` bounds the past in seconds, and what is ahead is at most as long."""
    signs = PLAIN if look.ascii else DRAWN
    past = min(most, span_of(now - danger.curve.times[0]))
    ahead = min(float(past), danger.latest * 1.05) if danger.latest is not None else 0.0
    first, *others = _plot(danger, now, (past, ahead), size, signs).splitlines()[: size[1]]
    lines = [_with_clock(first, danger, now, signs) if ahead else first, *others]
    return [_coloured(line, signs, look) for line in lines]


def _plot(danger: Danger, now: float, span: tuple[int, float], size: tuple[int, int], signs: Signs) -> str:
    import plotext

    past, ahead = span
    plotext.clear_figure()
    plotext.theme("clear")
    plotext.plotsize(*size)
    plotext.frame(False)
    ages, held, used = _recent(danger.curve, now, past)
    plotext.plot(ages, used, marker=signs.cache, fillx=True)
    plotext.plot(ages, held, marker=signs.held, fillx=True)
    top = danger.limit * 1.02
    plotext.plot([-past, ahead], [danger.limit, danger.limit], marker=signs.limit)
    if danger.brake is not None and danger.brake < danger.limit:
        plotext.plot([-past, ahead], [danger.brake, danger.brake], marker=signs.limit)
    if ahead:
        _plot_cone(danger, ahead, size, signs)
    _plot_kills(danger, now, past, size[1], signs)
    plotext.ylim(0, top)
    plotext.yticks([0, danger.limit], ["0", format_bytes(danger.limit)])
    plotext.xlim(-past, ahead)
    places, labels = ticks_of(past, max(18, round(size[0] * past / (past + ahead))))
    step = -places[1] if len(places) > 1 else past
    later = range(step, int(ahead), step)
    units = {1: "s", 60: "m", 3600: "h"}
    size_of = next(each for each in (3600, 60, 1) if step % each == 0)
    plotext.xticks([*places, *later], [*labels, *(f"+{at // size_of}{units[size_of]}" for at in later)])
    return str(plotext.uncolorize(plotext.build()))


def _recent(curve: UseCurve, now: float, past: int) -> tuple[list[float], list[float], list[float]]:
    points = [
        (when - now, held, used)
        for when, held, used in zip(curve.times, curve.held, curve.used, strict=True)
        if now - when <= past
    ]
    ages, held, used = zip(*points, strict=True) if points else ((), (), ())
    return list(ages), list(held), list(used)


def _plot_cone(danger: Danger, ahead: float, size: tuple[int, int], signs: Signs) -> None:
    """Fill between the paths to the earliest and the latest time, draw the median and mark the kill."""
    import plotext

    if danger.earliest is None or danger.median is None or danger.latest is None:
        return
    rise, steps = danger.limit - danger.held, max(2, size[0])
    xs, ys = [], []
    for step in range(1, steps):
        when = ahead * step / steps
        low = danger.held + rise * min(1.0, when / max(danger.latest, 0.1))
        high = danger.held + rise * min(1.0, when / max(danger.earliest, 0.1))
        count = max(1, round((high - low) / danger.limit * size[1] * 2))
        xs += [when] * (count + 1)
        ys += [low + (high - low) * at / count for at in range(count + 1)]
    plotext.scatter(xs, ys, marker=signs.cone)
    end = min(ahead, danger.median)
    plotext.plot([0, end], [danger.held, danger.held + rise * end / max(danger.median, 0.1)], marker=signs.median)
    if danger.median <= ahead:
        plotext.scatter([danger.median], [danger.limit], marker=signs.kill)


def _plot_kills(danger: Danger, now: float, past: int, height: int, signs: Signs) -> None:
    import plotext

    for kill in danger.kills:
        if 0 <= now - kill.time <= past:
            plotext.scatter([kill.time - now], [danger.limit], marker=signs.kill)
            plotext.text(printable(kill.name)[:15], kill.time - now, danger.limit * (1 - 1.7 / height))


def _coloured(line: str, signs: Signs, look: Look) -> Text:
    text = Text(line)
    for sign, style in (
        (signs.held, look.style("anon")), (signs.cache, look.style("cache")), (signs.cone, look.style("warn")),
        (signs.median, look.style("bad")), (signs.kill, look.style("bad", bold=True)), (signs.limit, look.style("dim")),
    ):  # fmt: skip
        if style:
            text.highlight_runs(sign, style)
    return text


def _with_clock(line: str, danger: Danger, now: float, signs: Signs) -> str:
    """Write the clock time of the kill that is foretold beside its sign, on the side that has room."""
    at = line.rfind(signs.kill)
    if danger.median is None or at < 0:
        return line
    clock = f" {time.strftime('%H:%M:%S', time.localtime(now + danger.median))} "
    begin = at + 1 if at + 1 + len(clock) <= len(line) else at - len(clock)
    return line if begin < 5 else line[:begin] + clock + line[begin + len(clock) :]
