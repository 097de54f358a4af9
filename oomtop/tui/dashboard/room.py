"""Gives the lines that few processes leave empty to the chart, and those beside it to a second chart."""

from __future__ import annotations

from typing import NamedTuple

_BLANK = 6
"""Most empty lines below the processes."""
_KEPT = 3
"""Lines that are kept for processes to come: another layout sends the whole screen."""
_SPARE = 5
"""Lines of a chart that is shown for the room that is left, by the style sheet."""
_LEAST = 8
"""Least lines of the second chart."""
SETTLED_SECONDS = 30.0
"""Seconds for which the heights stay, however many processes come and go."""


class ChartRoom(NamedTuple):
    """Lines of the first tab between the strip and what is below the table."""

    lines: int
    chart: int
    """Those of the chart by the style sheet, 0 while it is hidden."""
    gauges: int
    is_beside: bool
    """Whether the gauges are beside the chart."""

    def table(self, more: int) -> int:
        """Return the lines of the table when the chart has `more` than its own."""
        chart = self.chart + more
        return self.lines - (max(chart, self.gauges) if self.is_beside else chart + self.gauges)

    def more(self, before: int, needed: int) -> int:
        """Return the lines that the chart gets besides its own, as the table needs so many and `before` were given."""
        if not self.chart or 0 <= self.table(before) - needed <= _BLANK:
            return before if self.chart else 0
        above = self.chart if self.is_beside else self.chart + self.gauges
        return max(0, self.lines - needed - _KEPT - above)

    def has_spare_chart(self, before: bool, needed: int) -> bool:
        """Whether a chart is shown that this screen has no room for, as few processes leave it some.

        `before`: whether it is shown already, and not by the style sheet alone.
        """
        if self.chart and not before:
            return False
        blank = self.lines - self.gauges - needed
        return blank >= _SPARE if before else blank > _BLANK

    def second(self, more: int) -> int:
        """Return the lines of the second chart below the gauges, 0 where there is no room for one."""
        left = self.chart + more - self.gauges
        return left if self.is_beside and self.chart and left >= _LEAST else 0
