"""The chart of available memory, swap and PSI over the last minutes; the only user of plotext.

plotext 5 draws a 100x15 chart of 300 points in 6 ms with dots and 30 ms with braille: dots, and only when
it is on the screen and at least every few seconds old.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from oomtop.analysis.model import Assessment, Series
from oomtop.tui.look import Look
from oomtop.units import GIB, KIB, MIB, format_duration


def draw_chart(assessment: Assessment, width: int, height: int, look: Look) -> list[Text]:
    """Return the chart as lines of text."""
    series = assessment.series
    if height < 5 or len(series.times) < 2:
        return [Text(" the chart begins with the second sample", look.style("dim"))]
    text = _plot(series, assessment.memory.total, width, height, look)
    return [Text(line) for line in text.splitlines()[:height]]


def _plot(series: Series, total: int, width: int, height: int, look: Look) -> str:
    # 1.6 MB and 20 ms: not for a screen without room for a chart.
    import plotext

    now = series.times[-1]
    marker = "." if look.ascii else "dot"
    plotext.clear_figure()
    plotext.theme("clear")
    plotext.limit_size(False, False)
    plotext.plotsize(width, height)
    ages = [time - now for time in series.times]
    available = [100.0 * (value or 0) / total for value in series.available]
    plotext.plot(ages, available, marker=marker, label="available %")
    if any(series.some_avg10):
        plotext.plot(ages, [value or 0.0 for value in series.some_avg10], marker="p", label="PSI some %")
    # plotext widens the axis for a mark outside of it: older kills would squeeze the curve into a corner.
    for when in (when for when, _ in series.marks if when >= series.times[0]):
        plotext.vertical_line(when - now)
    plotext.ylim(0, 100)
    # Its own ticks stand beside the wrong rows of a low chart.
    plotext.yticks((0, 25, 50, 75, 100))
    times = [ages[0] * quarter / 4 for quarter in range(5)]
    plotext.xticks(times, [f"-{format_duration(-time)}" if time else "now" for time in times])
    text = str(plotext.uncolorize(plotext.build()))
    return text.translate(_FRAME) if look.ascii else text


def draw_curve(points: Sequence[tuple[float, int]], width: int, height: int, look: Look) -> list[Text]:
    """Return (seconds, bytes) as a chart whose time axis ends now."""
    if height < 5 or width < 20 or len(points) < 2:
        return [Text(" the curve begins with the second sample", look.style("dim"))]
    import plotext

    step, unit = _unit(max(size for _, size in points))
    now = points[-1][0]
    plotext.clear_figure()
    plotext.theme("clear")
    plotext.plotsize(width, height)
    sizes = [size / step for _, size in points]
    plotext.plot([time - now for time, _ in points], sizes, marker="." if look.ascii else "dot")
    low, high = min(sizes), max(sizes)
    margin = max((high - low) * 0.1, high * 0.01)
    plotext.ylim(max(0.0, low - margin), high + margin)
    plotext.xlabel(f"seconds before now; {unit}")
    text = str(plotext.uncolorize(plotext.build()))
    if look.ascii:
        text = text.translate(_FRAME)
    return [Text(line) for line in text.splitlines()[:height]]


_FRAME = str.maketrans("┌┐└┘├┤┬┴┼─│", "++++||+++-|")
"""What stands for the frame that plotext draws where only ASCII may be drawn."""


def _unit(size: int) -> tuple[int, str]:
    """Return the divisor and the name of the unit in which `size` has few digits."""
    return next(((step, name) for step, name in ((GIB, "GiB"), (MIB, "MiB")) if size >= step), (KIB, "KiB"))
