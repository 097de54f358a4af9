"""The chart of available memory, swap and PSI over the last minute to day; the only user of plotext.

plotext 5 draws a 100x15 chart of 300 points in 6 ms with dots and 30 ms with braille: dots, and only when
it is on the screen and at least every few seconds old.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence

from oomtop.analysis.model.assessment import Assessment, PastSeries
from oomtop.tui.style.palette import Look
from oomtop.tui.style.text import Text
from oomtop.tui.widgets.text_parts import Draw
from oomtop.units import format_bytes


def draw_chart(seconds: Callable[[], int]) -> Draw:
    """Return what draws the last so many seconds as lines of text; with 0 as many as are known, up to ten minutes."""

    def draw(assessment: Assessment, width: int, height: int, look: Look) -> list[Text]:
        series = reaching_back(assessment, seconds() or _USUAL)
        if height < 5 or len(series.times) < 2:
            return [Text(" the chart begins with the second sample", look.style("dim"))]
        return _lines(_plot(series, assessment, seconds(), (width, height), look), height, look)

    return draw


def reaching_back(assessment: Assessment, seconds: int) -> PastSeries:
    """Return the series of the last so many seconds: the minutes of the day where the last samples do not reach."""
    recent, day = assessment.series, assessment.day
    if seconds <= _USUAL or len(day.times) < 2:
        series = recent
    else:
        # The last minute is not among the minutes yet.
        series = PastSeries(
            day.times + recent.times[-1:],
            day.available + recent.available[-1:],
            day.swap_used + recent.swap_used[-1:],
            day.some_avg10 + recent.some_avg10[-1:],
            day.full_avg10 + recent.full_avg10[-1:],
            day.marks,
        )
    begun = bisect_left(series.times, assessment.time - seconds)
    step = max(1, (len(series.times) - begun) // _MOST_POINTS)
    part = slice(begun, None, step)
    return PastSeries(
        series.times[part], series.available[part], series.swap_used[part], series.some_avg10[part],
        series.full_avg10[part], series.marks,
    )  # fmt: skip


def span_beside(seconds: int) -> int:
    """Return the next length of time that a chart may show, the shortest after the longest."""
    return next((span for span in SPANS if span > (seconds or _USUAL)), SPANS[0])


def _plot(series: PastSeries, assessment: Assessment, seconds: int, size: tuple[int, int], look: Look) -> str:
    # 1.6 MB and 20 ms: not for a screen without room for a chart.
    import plotext

    total, swap, now = assessment.memory.total, assessment.swap.total, assessment.time
    marker = "." if look.ascii else "dot"
    plotext.clear_figure()
    plotext.theme("clear")
    # Else it is no larger than the terminal of stdout, 80x24 where that is none.
    plotext.limit_size(False, False)
    plotext.plotsize(*size)
    ages = [time - now for time in series.times]
    available = [min(100.0, 100.0 * (value or 0) / total) for value in series.available]
    plotext.plot(ages, available, marker=marker, label="available")
    if swap and any(series.swap_used):
        # Of swap that was taken away since, more was used than there is now.
        used = [min(100.0, 100.0 * (value or 0) / swap) for value in series.swap_used]
        plotext.plot(ages, used, marker="s", label="swap used")
    if any(series.some_avg10):
        plotext.plot(ages, [value or 0.0 for value in series.some_avg10], marker="p", label="PSI some")
    span = seconds or min(span_of(-ages[0]), _USUAL)
    # One line a cell at the most: a storm of kills is thousands of marks, and each line is drawn by itself.
    cell = span / size[0]
    for place in {int((now - when) / cell) for when, _ in series.marks if now - when <= span}:
        plotext.vertical_line(-place * cell)
    plotext.ylim(0, 100)
    shares = (0, 50, 100) if size[1] < 12 else (0, 25, 50, 75, 100)
    plotext.yticks(shares, [f"{share}%" for share in shares])
    plotext.xlim(-span, 0)
    plotext.xticks(*ticks_of(span, size[0]))
    return str(plotext.uncolorize(plotext.build()))


def draw_curve(points: Sequence[tuple[float, int]], width: int, height: int, look: Look) -> list[Text]:
    """Return (seconds, bytes) as a chart whose time axis ends now."""
    if height < 5 or width < 20 or len(points) < 2:
        return [Text(" the curve begins with the second sample", look.style("dim"))]
    import plotext

    now = points[-1][0]
    plotext.clear_figure()
    plotext.theme("clear")
    # Else it is no larger than the terminal of stdout, 80x24 where that is none.
    plotext.limit_size(False, False)
    plotext.plotsize(width, height)
    plotext.plot([time - now for time, _ in points], [size for _, size in points], marker="." if look.ascii else "dot")
    low, high = min(size for _, size in points), max(size for _, size in points)
    margin = max((high - low) * 0.1, high * 0.01, 1.0)
    low, high = max(0, int(low - margin)), int(high + margin)
    plotext.ylim(low, high)
    sizes = [low + (high - low) * at // 2 for at in range(3)]
    plotext.yticks(sizes, [format_bytes(size) for size in sizes])
    span = span_of(now - points[0][0])
    plotext.xlim(-span, 0)
    plotext.xticks(*ticks_of(span, width))
    return _lines(str(plotext.uncolorize(plotext.build())), height, look)


def span_of(seconds: float) -> int:
    """Return the length of time that a chart of `seconds` shows: it grows in steps, so that the axis stands still."""
    return next((span for span in _SPANS if span >= seconds), int(seconds))


def ticks_of(span: int, width: int) -> tuple[list[int], list[str]]:
    """Return the places on a time axis of `width` cells, in seconds before now, and what is written there."""
    most = max(2, width // _TICK_CELLS)
    # Hours have steps of hours: -6h, not -360m.
    least = 3600 if span > 3 * 3600 else 1
    step = next((step for step in _STEPS if step >= least and span / step <= most), span)
    ages = range(0, span + 1, step)
    size, unit = next((size, unit) for size, unit in ((3600, "h"), (60, "m"), (1, "s")) if step % size == 0)
    return [-age for age in ages], [f"-{age // size}{unit}" if age else "now" for age in ages]


def _lines(text: str, height: int, look: Look) -> list[Text]:
    if look.ascii:
        text = text.translate(_FRAME)
    return [Text(line) for line in text.splitlines()[:height]]


SPANS = (60, 600, 3600, 6 * 3600, 24 * 3600)
"""The lengths of time that may be chosen."""
_USUAL = 600
"""Up to here the last samples are drawn, further back minutes."""
_MOST_POINTS = 300
_SPANS = (60, 120, 300, 600, 1800, 3600, 2 * 3600, 6 * 3600, 12 * 3600, 24 * 3600)
_STEPS = (10, 20, 60, 120, 300, 600, 1800, 3600, 2 * 3600, 6 * 3600)
_TICK_CELLS = 9
"""Cells that a tick takes with its label and some room."""
_FRAME = str.maketrans("┌┐└┘├┤┬┴┼─│", "++++||+++-|")
"""What stands for the frame that plotext draws where only ASCII may be drawn."""
