"""The forecast chart: held memory up to now, the limit, and the cone to where they meet; drawn with plotext.

Each kind of point has a character of its own, so that colour is never needed to tell them apart.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from oomtop.analysis.model.assessment import Assessment
from oomtop.analysis.model.danger import Danger, DangerKind, UseCurve
from oomtop.analysis.sentences import describe_danger
from oomtop.frozen import frozen
from oomtop.tui.dangers.strip import Subject
from oomtop.tui.style.palette import Look
from oomtop.tui.style.text import Text
from oomtop.tui.widgets.chart import span_of, ticks_of
from oomtop.tui.widgets.text_parts import Draw, keep_start
from oomtop.units import format_bytes, printable

_USUAL = 120
_KEYS = (
    ("Send SIGSTOP", "f"), ("Send SIGCONT", "f"), ("Freeze", "f"), ("Thaw", "f"), ("Send", "k"), ("Kill", "k"),
    ("Set memory.", "L"), ("Move", "L"), ("Dissolve", "L"), ("Set oom_score_adj", "o"), ("Set vm.", "y"),
    ("Drop caches", "d"), ("Compact", "d"), ("Reclaim", "r"), ("Page out", "r"), ("Add", "W"), ("Stop swapping", "W"),
)  # fmt: skip
"""(beginning of the title of an action, its key)."""
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
    truth: str


PLAIN = Signs("#", "=", "-", ":", "/", "X", "o")
DRAWN = Signs("█", "░", "┄", "▒", "╱", "✗", "●")


def draw_forecast(subject: Subject, seconds: Callable[[], int]) -> Draw:
    """Return the drawing function for the last `seconds` of the subject (0: two minutes), and as long ahead."""

    def draw(assessment: Assessment, width: int, height: int, look: Look) -> list[Text]:
        danger = subject(assessment)
        if danger is None or height < _LEAST_HEIGHT or len(danger.curve.times) < 2:
            return [Text(" the chart of the nearest limit begins after some seconds", look.style("dim"))]
        return chart_of(danger, assessment.time, seconds() or _USUAL, (width, height), look, assessment.series.marks)

    return draw


def draw_forecast_of(danger: Danger | None, assessment: Assessment, size: tuple[int, int], look: Look) -> list[Text]:
    """Return a title and the chart of one danger, for a screen about one group or one process."""
    width, height = size
    if danger is None:
        return [Text(" no limit of its own or above it, but the machine's memory", look.style("dim"))]
    title = Text(keep_start(f" {printable(describe_danger(danger))}", width, look), "bold")
    if height <= _LEAST_HEIGHT or len(danger.curve.times) < 2:
        return [title]
    return [title, *chart_of(danger, assessment.time, _USUAL, (width, height - 1), look, assessment.series.marks)]


def chart_of(
    danger: Danger, now: float, most: int, size: tuple[int, int], look: Look, marks: Sequence[tuple[float, str]] = ()
) -> list[Text]:
    """Return the chart of one danger; `most` bounds the past in seconds, and what is ahead is at most as long.

    `marks` are (Unix time, title) of actions, each a tick with the letter of its key.
    """
    signs = PLAIN if look.ascii else DRAWN
    past = min(most, span_of(now - danger.curve.times[0]))
    ahead = min(float(past), _ahead_of(danger, now))
    deeds = [(when - now, key) for when, title in marks if 0 <= now - when <= past and (key := _key_of(title))]
    first, *others = _plot(danger, now, (past, ahead), size, signs, deeds).splitlines()[: size[1]]
    if danger.median is not None and danger.median <= ahead:
        first = _with_clock(first, now + danger.median, (past + danger.median) / (past + ahead), signs)
    first = _with_legend(first, danger, signs)
    return [_coloured(line, signs, look) for line in (first, *others)]


def _ahead_of(danger: Danger, now: float) -> float:
    """Return the seconds ahead that are drawn: of the forecast, and in a replay up to a recorded kill."""
    foretold = 0.0 if danger.latest is None else danger.latest * 1.05
    next_kill = min((kill.time for kill in danger.later_kills), default=float("inf"))
    truth = min((next_kill - now) * 1.2 + 5, danger.truth.times[-1] - now) if danger.truth.times else 0.0
    return max(foretold, truth)


def _key_of(title: str) -> str:
    """Return the key of an action by its title, empty for what has no key: an alert, or a kill by the kernel."""
    return next((key for begin, key in _KEYS if title.startswith(begin)), "")


def _plot(
    danger: Danger,
    now: float,
    span: tuple[int, float],
    size: tuple[int, int],
    signs: Signs,
    deeds: Sequence[tuple[float, str]],
) -> str:
    import plotext

    past, ahead = span
    limit = _limit_of(danger)
    plotext.clear_figure()
    plotext.theme("clear")
    # Else it is no larger than the terminal of stdout, 80x24 where that is none.
    plotext.limit_size(False, False)
    plotext.plotsize(*size)
    plotext.frame(False)
    ages, held, used = _recent(danger.curve, danger, now, past)
    plotext.plot(ages, used, marker=signs.cache, fillx=True)
    plotext.plot(ages, held, marker=signs.held, fillx=True)
    # On a high chart too the limit stands in the first line, with the clock time and the legend.
    top = limit * min(1.02, 1 + 0.4 / size[1])
    plotext.plot([-past, ahead], [limit, limit], marker=signs.limit)
    if danger.brake is not None and danger.brake < danger.limit:
        plotext.plot([-past, ahead], [danger.brake, danger.brake], marker=signs.limit)
    if ahead:
        _plot_cone(danger, ahead, size, signs)
    after, truth, _ = _recent(danger.truth, danger, now, past, ahead)
    if after:
        plotext.plot(after, truth, marker=signs.truth)
    _plot_kills(danger, now, span, size[1], signs)
    for age, key in deeds:
        plotext.scatter([age], [limit], marker=key)
    plotext.ylim(0, top)
    plotext.yticks([0, limit], ["0", format_bytes(limit)])
    plotext.xlim(-past, ahead)
    places, labels = ticks_of(past, max(18, round(size[0] * past / (past + ahead))))
    step = -places[1] if len(places) > 1 else past
    later = range(step, int(ahead), step)
    units = {1: "s", 60: "m", 3600: "h"}
    size_of = next(each for each in (3600, 60, 1) if step % each == 0)
    plotext.xticks([*places, *later], [*labels, *(f"+{at // size_of}{units[size_of]}" for at in later)])
    return str(plotext.uncolorize(plotext.build()))


def _recent(
    curve: UseCurve, danger: Danger, now: float, past: float, ahead: float = 0.0
) -> tuple[list[float], list[float], list[float]]:
    """Return (seconds from now, held, used) of a part of a curve; for the machine including swap."""
    with_swap = danger.kind is DangerKind.MACHINE
    # plotext fills up to a value above the axis line by line, and a group may hold a million times its limit.
    most = 2 * _limit_of(danger)
    points = [
        (when - now, min(most, held + swapped * with_swap), min(most, used + swapped * with_swap))
        for when, held, used, swapped in zip(curve.times, curve.held, curve.used, curve.swapped, strict=True)
        if -past <= when - now <= ahead
    ]
    ages, held, used = zip(*points, strict=True) if points else ((), (), ())
    return list(ages), list(held), list(used)


def _limit_of(danger: Danger) -> int:
    """Return the limit in bytes, at least one: `memory.max` may be 0."""
    return max(1, danger.capacity)


def _plot_cone(danger: Danger, ahead: float, size: tuple[int, int], signs: Signs) -> None:
    """Fill between the paths to the earliest and the latest time, and draw the median."""
    import plotext

    if danger.earliest is None or danger.median is None or danger.latest is None:
        return
    rise, limit, steps = danger.capacity - danger.filled, _limit_of(danger), max(2, size[0])
    xs, ys = [], []
    for step in range(1, steps):
        when = ahead * step / steps
        low = danger.filled + rise * min(1.0, when / max(danger.latest, 0.1))
        high = danger.filled + rise * min(1.0, when / max(danger.earliest, 0.1))
        count = max(1, round((high - low) / limit * size[1] * 2))
        xs += [when] * (count + 1)
        ys += [low + (high - low) * at / count for at in range(count + 1)]
    plotext.scatter(xs, ys, marker=signs.cone)
    end = min(ahead, danger.median)
    plotext.plot([0, end], [danger.filled, danger.filled + rise * end / max(danger.median, 0.1)], marker=signs.median)


def _plot_kills(danger: Danger, now: float, span: tuple[int, float], height: int, signs: Signs) -> None:
    """Mark the forecast kill and past ones, with a name below, and in a replay the recorded ones ahead."""
    import plotext

    if danger.median is not None and danger.median <= span[1]:
        plotext.scatter([danger.median], [danger.capacity], marker=signs.kill)
    for kill in (*danger.kills, *danger.later_kills):
        if -span[0] <= kill.time - now <= span[1]:
            plotext.scatter([kill.time - now], [danger.capacity], marker=signs.kill)
        if -span[0] <= kill.time - now <= 0:
            plotext.text(printable(kill.name)[:15], kill.time - now, danger.capacity * (1 - 1.7 / height))


def _coloured(line: str, signs: Signs, look: Look) -> Text:
    text = Text(line)
    for sign, style in (
        (signs.held, look.style("anon")), (signs.cache, look.style("cache")), (signs.cone, look.style("warn")),
        (signs.median, look.style("bad")), (signs.truth, "bold"), (signs.kill, look.style("bad", bold=True)),
        (signs.limit, look.style("dim")),
    ):  # fmt: skip
        if style:
            text.highlight_runs(sign, style)
    return text


def _with_legend(line: str, danger: Danger, signs: Signs) -> str:
    """Write what the signs of a forecast and of a replay mean into the line of the limit, where it is free."""
    words = [(signs.truth, "happened")] if danger.truth.times else []
    if danger.median is not None:
        words += [(signs.held, "past"), (signs.median, "expected"), (signs.cone, "range"), (signs.kill, "kill")]
    legend = f" {'  '.join(f'{sign} {word}' for sign, word in words)} "
    begin = line.find(signs.limit * (len(legend) + 4)) + 2
    return line[:begin] + legend + line[begin + len(legend) :] if words and begin > 1 else line


def _with_clock(line: str, when: float, place: float, signs: Signs) -> str:
    """Write the clock time of the forecast kill beside its sign, on the side with room.

    `place` is the share of the time axis where it stands.
    """
    left = line.find(signs.limit)
    marks = [at for at, sign in enumerate(line) if sign == signs.kill]
    if left < 0 or not marks:
        return line
    at = min(marks, key=lambda mark: abs(mark - left - place * (len(line) - left - 1)))
    clock = f" {time.strftime('%H:%M:%S', time.localtime(when))} "
    begin = at + 1 if at + 1 + len(clock) <= len(line) and signs.kill not in line[at + 1 :] else at - len(clock)
    return line if begin < 5 else line[:begin] + clock + line[begin + len(clock) :]
