"""The chart of available memory, swap and PSI over the last minutes; the only user of plotext.

plotext 5 draws a 100x15 chart of 300 points in 6 ms with dots and 30 ms with braille: dots, and only when
it is on the screen and at least every few seconds old.
"""

from __future__ import annotations

from rich.text import Text

from oomtop.analysis.model import Assessment, Series
from oomtop.tui.look import Look


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
    plotext.plotsize(width, height)
    ages = [time - now for time in series.times]
    available = [100.0 * (value or 0) / total for value in series.available]
    plotext.plot(ages, available, marker=marker, label="available %")
    if any(series.some_avg10):
        plotext.plot(ages, [value or 0.0 for value in series.some_avg10], marker="p", label="PSI some %")
    for when, _ in series.marks:
        plotext.vertical_line(when - now)
    plotext.ylim(0, 100)
    plotext.xlabel("seconds")
    return str(plotext.uncolorize(plotext.build()))
