"""The picture of the first tab as escapes: every section where the style sheet puts it, from the widgets' own lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from oomtop.analysis.model.assessment import Assessment
from oomtop.frozen import replace
from oomtop.tui.base.aim import Aim, KeyPlace
from oomtop.tui.base.options import Options
from oomtop.tui.base.session import State
from oomtop.tui.dangers.danger_words import aim_in_danger, is_pressing
from oomtop.tui.dangers.forecast_chart import draw_forecast
from oomtop.tui.dashboard.room import ChartRoom
from oomtop.tui.dashboard.sections import Section, above, below, gauges
from oomtop.tui.plain.inks import Inks
from oomtop.tui.plain.rules import Element, declared, parse_rules
from oomtop.tui.plain.table import PlainTable, fill
from oomtop.tui.process_table.cells import Run
from oomtop.tui.style.breakpoints import size_classes
from oomtop.tui.style.ink import Ink
from oomtop.tui.style.palette import Look
from oomtop.tui.style.stylesheet import stylesheet
from oomtop.tui.style.text import Text
from oomtop.tui.widgets.chart import draw_chart
from oomtop.tui.widgets.keys_line import MONITOR_KEYS, Keys, draw_keys

_HIDDEN = {"display": "none"}
_ALONE: Keys = (
    ("k", "Kill"), ("J", "Select"), ("q", "Quit"), ("n", "Next danger"), ("Esc", "Nearest danger"),
    ("0-9", "Jump to PID"),
)  # fmt: skip
"""The keys that are answered without Textual."""


class Placed(NamedTuple):
    """A section with its height on the screen."""

    section: Section
    height: int
    ground: str
    layout: str = ""
    gap: int = 0
    """Blank cells before it."""


class Picture:
    """Draws the first tab of one monitor."""

    def __init__(self, options: Options, state: State, look: Look, inks: Inks) -> None:
        self._state, self._look, self._inks, self._hidden = state, look, inks, options.hidden
        self._has_chart = options.chart
        self._rules = parse_rules(stylesheet("dashboard/screen.tcss"))
        self._forecast = draw_forecast(state.subject, lambda: state.chart_seconds)
        self._past = draw_chart(lambda: state.chart_seconds)
        self.table = PlainTable(state.columns, state.sort, look.ascii, state.subject)
        self.is_alone = False
        """Whether Textual is not going to take its place, so that nothing but `k` acts."""
        self.cursor = 0
        """The line that the terminal's cursor belongs on: screen readers and braille lines follow it."""

    def paint(self, assessment: Assessment, width: int, height: int, foot: Sequence[Text] = ()) -> list[str]:
        """Return the lines of the screen, each with its place; `foot` stands over the last ones.

        `cursor` is set to the line of the selected row, or of the first line of `foot`.
        """
        self.table.show(assessment)
        find = self._finder(assessment, width, height)
        first = self._stack(above(self._state, self._aim), find, assessment, width)
        last = self._stack(below(self._state), find, assessment, width)
        room = height - len(first) - len(last) - 1
        if self._fit_spare_chart(find, assessment, width, room):
            find = self._finder(assessment, width, height)
        top = first + self._top(find, assessment, width, room)
        keys = self._ruled(draw_keys(_ALONE if self.is_alone else MONITOR_KEYS, width, self._look), width)
        table = self.table.lines(width, max(0, height - len(top) - len(last) - 1), self._inks)
        every = [*top, *table, *last, keys][:height]
        cursor = len(top) + self.table.cursor_line
        if foot:
            lines = [self._ruled(line, width) for line in foot[-height:]]
            cursor = len(every) - len(lines)
            every[cursor:] = lines
        self.cursor = min(cursor, height - 1)
        return [self._row(y, runs) for y, runs in enumerate(every, 1)]

    def _aim(self, assessment: Assessment) -> Aim:
        aim = aim_in_danger(self.table.aim, self._state.subject(assessment), assessment)
        return replace(aim, place=KeyPlace.PLAIN) if self.is_alone else aim

    def _row(self, y: int, runs: Sequence[Run[Ink]]) -> str:
        return f"\x1b[{y};1H" + "".join(self._inks.render(*run) for run in _joined(runs))

    def _finder(self, assessment: Assessment, width: int, height: int) -> Callable[[Section], Placed]:
        pressing = is_pressing(self._state.subject(assessment), assessment)
        classes = {*size_classes(width, height), *(f"-without-{id}" for id in self._hidden)}
        classes |= {"-spare"} if self._state.spare_chart else set()
        classes |= ({"-danger"} if pressing else set()) | (set() if self._has_chart else {"-no-chart"})
        screen = Element("Dashboard", "", frozenset(classes))
        limited = frozenset({"-limited"} if assessment.limit is not None else ())

        def find(section: Section) -> Placed:
            found = declared(self._rules, screen, Element("", section.id, limited))
            if section.id == "status" and not assessment.problems:
                found = _HIDDEN
            if found.get("display") == "none":
                return Placed(section, 0, "")
            wanted = found.get("height", "0")
            size = int(wanted) if wanted.isdigit() else 0
            if section.height is not None:
                size = section.height(assessment, width, height)
            ground = found.get("background", "$background").removeprefix("$")
            gap = int(found.get("margin-left", "0"))
            return Placed(section, size, ground, found.get("layout", ""), gap)

        return find

    def _stack(
        self, sections: Sequence[Section], find: Callable[[Section], Placed], assessment: Assessment, width: int
    ) -> list[list[Run[Ink]]]:
        """Return the lines of sections one below the other."""
        return [line for section in sections for line in self._lines(find(section), assessment, width)]

    def _ruled(self, line: Text, width: int) -> list[Run[Ink]]:
        return fill(self._runs(line, "panel"), width, self._inks.ground("panel"))

    def _fit_spare_chart(
        self, find: Callable[[Section], Placed], assessment: Assessment, width: int, lines: int
    ) -> bool:
        """Show a chart where few processes leave room for it; return whether that changed."""
        needed, before = self.table.wanted_height, self._state.spare_chart
        if needed is None:
            return False
        shown = sum(find(section).height for section in gauges(self._state))
        room = ChartRoom(lines, find(Section("chart", self._draw_chart)).height, shown, False)
        self._state.spare_chart = room.has_spare_chart(before, needed)
        return self._state.spare_chart != before

    def _top(
        self, find: Callable[[Section], Placed], assessment: Assessment, width: int, lines: int
    ) -> list[list[Run[Ink]]]:
        """Return chart and gauges, one below the other or side by side; `lines`: theirs and those of the table."""
        chart = find(Section("chart", self._draw_chart))
        is_beside = find(Section("top", self._draw_chart)).layout == "horizontal"
        gap = find(Section("gauges", self._draw_chart)).gap if is_beside and chart.height else 0
        left = (width - gap) // 2 if is_beside and chart.height else width
        right = width - gap - left if is_beside and chart.height else width
        shown = self._stack(gauges(self._state), find, assessment, right)
        room = ChartRoom(lines, chart.height, len(shown), is_beside)
        if (needed := self.table.wanted_height) is not None:
            self._state.more_chart = room.more(self._state.more_chart, needed)
        more = self._state.more_chart
        charted = self._lines(chart._replace(height=chart.height + more if chart.height else 0), assessment, left)
        if not is_beside or not chart.height:
            return charted + shown
        second = find(Section("chart", self._draw_second))
        shown += self._lines(second._replace(height=room.second(more)), assessment, right)
        height = max(len(charted), len(shown))
        base = self._inks.ground("background")
        nothing: list[list[Run[Ink]]] = []
        halves = ((charted, left), (nothing, gap), (shown, right))
        padded = ([*lines, *[[(" " * cells, base)]] * (height - len(lines))] for lines, cells in halves)
        return [[run for part in parts for run in part] for parts in zip(*padded, strict=True)]

    def _draw_second(self, assessment: Assessment, width: int, height: int, look: Look) -> list[Text]:
        """Return what the chart does not show."""
        pressing = is_pressing(self._state.subject(assessment), assessment)
        return (self._past if pressing else self._forecast)(assessment, width, height, look)

    def _draw_chart(self, assessment: Assessment, width: int, height: int, look: Look) -> list[Text]:
        pressing = is_pressing(self._state.subject(assessment), assessment)
        return (self._forecast if pressing else self._past)(assessment, width, height, look)

    def _lines(self, place: Placed, assessment: Assessment, width: int) -> list[list[Run[Ink]]]:
        if not place.height:
            return []
        drawn = place.section.draw(assessment, width, place.height, self._look)[: place.height]
        base = self._inks.ground(place.ground)
        lines = [fill(self._runs(line, place.ground), width, base) for line in drawn]
        return lines + [[(" " * width, base)]] * (place.height - len(lines))

    def _runs(self, line: Text, ground: str) -> list[Run[Ink]]:
        """Return a line cut where its style changes."""
        base = self._inks.ground(ground) + self._inks.of(line.style)
        plain = line.plain
        edges = sorted({0, len(plain), *(edge for span in line.spans for edge in span[:2])})
        runs: list[Run[Ink]] = []
        for start, end in pairwise(edges):
            style = base
            for span in line.spans:
                if span.start <= start and end <= span.end:
                    style = style + self._inks.of(span.style)
            runs.append((plain[start:end], style))
        return runs


def _joined(runs: Sequence[Run[Ink]]) -> Iterator[Run[Ink]]:
    """Yield neighbours of one style as one."""
    joined, before = "", None
    for text, ink in runs:
        if before is not None and ink != before:
            yield joined, before
            joined = ""
        joined, before = joined + text, ink
    if before is not None:
        yield joined, before
