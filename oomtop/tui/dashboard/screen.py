"""The dashboard screen, updated by one reactive."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from math import inf

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from oomtop.analysis.load_policy import DUTIES
from oomtop.analysis.model.assessment import Assessment, ProcessRow
from oomtop.analysis.shared_memory import describe_together
from oomtop.host.process import ProcessId
from oomtop.oomlog.event import OomEvent
from oomtop.tui.base.aim import Aim
from oomtop.tui.base.messages import AimMoved
from oomtop.tui.base.options import SECTIONS
from oomtop.tui.base.session import State
from oomtop.tui.dangers.danger_words import aim_in_danger, group_in_danger, is_pressing
from oomtop.tui.dangers.forecast_chart import draw_forecast
from oomtop.tui.dashboard.event_pane import event_at, has_rail
from oomtop.tui.dashboard.room import SETTLED_SECONDS, ChartRoom
from oomtop.tui.dashboard.sections import Section, above, below, gauges
from oomtop.tui.process_table.notes import TableCursor
from oomtop.tui.process_table.widget import ProcessTable
from oomtop.tui.style.palette import Look
from oomtop.tui.style.stylesheet import stylesheet
from oomtop.tui.style.text import Text
from oomtop.tui.widgets.chart import draw_chart, span_beside
from oomtop.tui.widgets.key_bar import KeyBar
from oomtop.tui.widgets.keys_line import MONITOR_KEYS
from oomtop.tui.widgets.panel import FittedPanel, Panel
from oomtop.tui.widgets.prompt_line import PromptLine
from oomtop.tui.widgets.tab_screen import Copies, TabScreen, title_of

_CHART_SECONDS = 4.0
_SECOND_SECONDS = 10.0


class Dashboard(TabScreen):
    """Header, gauges, outlook, chart, processes, events, keys."""

    # Defaults are parsed with those of the widgets; as `CSS` all styles would be parsed and applied again.
    DEFAULT_CSS = stylesheet("dashboard/screen.tcss")

    def __init__(self, state: State, look: Look, latest: Callable[[], Assessment | None]) -> None:
        super().__init__(state, look, name="processes-tab")
        self._latest = latest
        self._shared_at = 0.0
        self._drawn_at: dict[str, float] = {}
        """When each chart was drawn, in seconds of the monotonic clock; none once all are to be drawn."""
        """When the charts were drawn, and their heights chosen, on the clock of the ticks."""
        self._room_before: ChartRoom | None = None
        self._charted_subject = ""
        self._sought = ""
        self.with_forecast = True
        self.place: TableCursor | None = None
        """The cursor of the plain screen's table."""
        self._forecast = draw_forecast(state.subject, lambda: state.chart_seconds)
        self._past = draw_chart(lambda: state.chart_seconds)

    def compose(self) -> ComposeResult:
        """Mount every widget once."""
        look, state = self.look, self.state
        yield from (_panel(section, look) for section in above(state, self.aim))
        with Horizontal(id="top"):
            yield Panel(self._draw_chart, look, id="chart")
            with Vertical(id="gauges"):
                yield from (_panel(section, look) for section in gauges(state))
                yield Panel(self._draw_second, look, id="second")
        pane, *others = (_panel(section, look) for section in below(state))
        with Horizontal(id="middle"):
            yield ProcessTable(
                ascii_only=look.ascii, columns=state.columns, sort=state.sort, subject=state.subject, id="processes",
                begun=self.place,
            )  # fmt: skip
            yield pane
        yield from others
        yield KeyBar(MONITOR_KEYS, look, id="keys")

    def on_mount(self) -> None:
        """Focus the table; the first picture shows what is already known."""
        self.hide(self.state.hidden)
        self.set_class(self.state.spare_chart, "-spare")
        self._focus_table()
        self.assessment = self._latest()
        self.call_after_refresh(self._make_prompt)

    def _focus_table(self) -> None:
        self.table.focus()

    def search(self) -> None:
        """Ask for a text; the cursor goes to the first row that contains what is typed so far."""
        self.prompt.ask("/", self._searched, typed=lambda text: text and self.table.search(text, 0))

    def _searched(self, text: str) -> None:
        """Stay on the row that was found; the same text once more goes on to the next one."""
        again, self._sought = text == self._sought, text
        if text and not self.table.search(text, int(again)):
            self.notice(f"no process matches {text!r}")

    def filter(self) -> None:
        """Ask for a filter; an empty one shows everything."""
        before = self.table.view.filter_text
        self.prompt.ask("filter: text, !regex, rss>1g and user=root", self._filtered, before, self.table.set_filter)

    def _filtered(self, text: str) -> None:
        problem = self.table.set_filter(text)
        if problem is not None:
            self.notice(f"filter: {problem}")

    def choose_user(self) -> None:
        """Offer the users with what they hold; the first entry shows everyone."""
        from oomtop.tui.dashboard.user_menu import user_menu

        menu, users = user_menu(self.table.every_row, self.table.view.user)
        self.app.push_screen(menu, lambda at: None if at is None else self.table.set_user(users[at]))

    def event_on(self, line: int) -> OomEvent | None:
        """Return the kill on a line of the event pane, None where that is none."""
        if self.assessment is None:
            return None
        size = self.query_one("#events").size
        return event_at(self.assessment, self.state.remarks, line, (size.width, size.height), self.look)

    def notice(self, text: str) -> None:
        """Add a line to the event pane."""
        self.state.add_remark(text)
        self.show_remarks()

    @property
    def prompt(self) -> PromptLine:
        """The prompt line."""
        return super().prompt or self._make_prompt()

    def _make_prompt(self) -> PromptLine:
        """Mount the prompt after the first picture: 4 ms of the start.

        Not with the first question: keys typed right after it would go to the table until the prompt has focus.
        """
        line = super().prompt
        if line is None:
            line = PromptLine(self._focus_table)
            self.mount(line, before="#status")
        return line

    @property
    def table(self) -> ProcessTable:
        """The process table."""
        return self.query_one("#processes", ProcessTable)

    def aim(self, assessment: Assessment) -> Aim:
        """Return what the action keys act on."""
        return aim_in_danger(self.table.aim, self.state.subject(assessment), assessment)

    def on_aim_moved(self, message: AimMoved) -> None:
        """Have the strip name the keys for what the cursor is on now."""
        message.stop()
        if self.assessment is not None:
            self.show_strip(self.assessment)

    def cgroup(self) -> str | None:
        """Return the cgroup in danger if all targets are in it; else an action is for their own group."""
        if self.assessment is None:
            return None
        return group_in_danger(self.state.subject(self.assessment), self.assessment, self.targets())

    def targets(self) -> tuple[ProcessId, ...]:
        """Return the tagged processes, else those of the line under the cursor; of several never oomtop's own."""
        table = self.table
        rows = self._targeted()
        if not rows and table.selected is not None and not table.tagged:
            # A filter lets it through no longer, but its line was kept.
            return (table.selected,)
        return tuple(row.process.id for row in rows)

    def _targeted(self) -> tuple[ProcessRow, ...]:
        """Return the chosen rows without oomtop and its ancestors, unless there is nothing else."""
        rows = self.table.chosen_rows
        return tuple(row for row in rows if not self.state.may.is_own(row.process.id)) or rows

    def targets_title(self) -> str:
        """Return the process with its user and memory, or the number of processes and what they hold together."""
        rows = self._targeted() or tuple(row for row in (self.table.selected_row,) if row is not None)
        without = ", without oomtop" if len(rows) < len(self.table.chosen_rows) else ""
        if len(rows) == 1:
            return f"{title_of(rows[0])}{without}"
        moment = self.table.moment
        return f"{describe_together([row.process for row in rows], moment.pss, moment.ceiling)}{without}"

    def copies(self) -> Copies:
        """Return the line under the cursor, its sorted cell, its pid and its command, and all lines."""
        from oomtop.tui.process_table.copies import table_copies

        return table_copies(self.table)

    def commands(self) -> Iterator[tuple[str, str, Callable[[], object]]]:
        """Yield every sort order and grouping, and some filters."""
        from oomtop.tui.process_table.commands import table_commands

        return table_commands(self.table)

    def hold(self, still: bool) -> None:
        """Keep the rows where they are."""
        self.table.hold_order = still

    def watch_assessment(self, assessment: Assessment | None) -> None:
        """Pass a tick to every widget; each repaints only what changed."""
        if assessment is None:
            return
        subject = self.state.subject(assessment)
        if subject is not None and subject.subject != self._charted_subject:
            self._charted_subject = subject.subject
            self._drawn_at.clear()
        # First: a chart that appears with this tick is drawn with it.
        self._fit(assessment)
        for panel in self.query(Panel):
            if panel.id != "strip" and self._is_due(panel, assessment):
                panel.show(assessment)
        self.table.show(assessment)
        # After the table: it names the keys for what the cursor is on.
        self.show_strip(assessment)
        self._share_room(assessment)

    def _fit(self, assessment: Assessment) -> None:
        """Show non-empty sections; assigning `display` triggers a full layout, so only on change."""
        status = self.query_one("#status")
        if status.display != bool(assessment.problems):
            status.display = bool(assessment.problems)
        pressing = is_pressing(self.state.subject(assessment), assessment)
        if self.has_class("-danger") != pressing:
            self._restyle("#top, #top *", {"-danger": pressing})
            # What one chart showed goes to the other.
            self._drawn_at.clear()
        has = has_rail(assessment, self.state.remarks, *self.app.size)
        if self.has_class("-rail") != has:
            self._restyle("#middle, #events", {"-rail": has})
        self.query_one("#memory").set_class(assessment.limit is not None, "-limited")

    def _draw_chart(self, assessment: Assessment, width: int, height: int, look: Look) -> list[Text]:
        """Return the forecast while something fills up, else memory, swap and pressure."""
        has_forecast = self.with_forecast and is_pressing(self.state.subject(assessment), assessment)
        return (self._forecast if has_forecast else self._past)(assessment, width, height, look)

    def _draw_second(self, assessment: Assessment, width: int, height: int, look: Look) -> list[Text]:
        """Return what the chart does not show."""
        has_forecast = self.with_forecast and is_pressing(self.state.subject(assessment), assessment)
        return (self._past if has_forecast else self._forecast)(assessment, width, height, look)

    def _is_due(self, panel: Panel, assessment: Assessment) -> bool:
        """Whether a panel is drawn with this tick; charts take 6 ms and some hundred bytes."""
        if panel.id not in ("chart", "second"):
            return True
        if not DUTIES[self.state.level].chart or not panel.display:
            return False
        pause = _SECOND_SECONDS if panel.id == "second" else 1.0 if self.has_class("-danger") else _CHART_SECONDS
        if assessment.monotonic - self._drawn_at.get(panel.id, -inf) < pause:
            return False
        self._drawn_at[panel.id] = assessment.monotonic
        return True

    def _share_room(self, assessment: Assessment) -> None:
        """Give the chart the lines that the table does not need, and a second one the room beside it."""
        room, needed = self._room(), self.table.wanted_height
        if needed is not None and self._is_to_share(room, assessment):
            spare = room.has_spare_chart(self.state.spare_chart, needed)
            if self.has_class("-spare") != spare:
                self.state.spare_chart = spare
                self._restyle("#chart", {"-spare": spare})
                self.query_one("#chart", Panel).show(assessment)
                room = self._room_before = self._room()
            self.state.more_chart = room.more(self.state.more_chart, needed)
        second, height = self.query_one("#second", Panel), room.second(self.state.more_chart)
        if second.has_class("-shown") != bool(height):
            second.set_class(bool(height), "-shown")
            self._drawn_at["second"] = assessment.monotonic
            second.show(assessment)
        for panel, lines in ((self.query_one("#chart"), room.chart + self.state.more_chart), (second, height)):
            if panel.display and _height_of(panel) != lines:
                panel.styles.height = lines

    def _is_to_share(self, room: ChartRoom, assessment: Assessment) -> bool:
        """Whether heights are chosen anew: for another layout at once, for other processes now and then."""
        is_settled = room == self._room_before and abs(assessment.monotonic - self._shared_at) < SETTLED_SECONDS
        if not is_settled:
            self._room_before, self._shared_at = room, assessment.monotonic
        return not is_settled

    def _room(self) -> ChartRoom:
        """Return the room for chart, gauges and table; from the style sheet, as nothing is laid out yet at first."""
        chart, second = self.query_one("#chart"), self.query_one("#second")
        gauges = sum(_height_of(panel) for panel in self.query("#gauges > Panel") if panel is not second)
        others = self.query(f"#header, #strip, #status, #keys{'' if self.has_class('-rail') else ', #events'}")
        lines = self.app.size.height - sum(map(_height_of, others))
        base = chart.styles.base.height
        layout = self.query_one("#top").styles.layout
        is_beside = layout is not None and layout.name == "horizontal"
        return ChartRoom(lines, int(base.value) if chart.display and base is not None else 0, gauges, is_beside)

    def hide(self, hidden: Collection[str]) -> None:
        """Hide these sections and show the others."""
        self.state.hidden = tuple(hidden)
        for id in SECTIONS:
            name = f"-without-{id}"
            if self.has_class(name) != (id in hidden):
                self.set_class(id in hidden, name)

    def show_remarks(self) -> None:
        """Redraw the event pane and the header, because their state changed."""
        if self.assessment is not None:
            # There are none if progress arrives while the program ends.
            for panel in self.query("#events, #header").results(Panel):
                panel.show(self.assessment)

    def chart_further(self) -> None:
        """Show a longer time in the chart, the shortest after the longest; show the chart if hidden."""
        if not self.query_one("#chart").display:
            self.toggle_chart()
            return
        self.state.chart_seconds = span_beside(self.state.chart_seconds)
        self._drawn_at.clear()
        if self.assessment is not None:
            for panel in self.query("#chart, #second").results(Panel):
                panel.show(self.assessment)

    def toggle_chart(self) -> None:
        """Cycle through forecast, memory/swap/pressure, and no chart, whatever the screen size."""
        if self.with_forecast and self.has_class("-danger") and self.query_one("#chart").display:
            self.with_forecast = False
            self._drawn_at.clear()
            self.watch_assessment(self.assessment)
            return
        self.with_forecast = True
        # Read once: the first class may take effect before the second is set.
        was_shown = self.query_one("#chart").display
        self._restyle("#chart", {"-chart": not was_shown, "-no-chart": was_shown})
        self._drawn_at.clear()

    def _restyle(self, whose: str, classes: Mapping[str, bool]) -> None:
        """Set classes of the screen and style only the widgets that have rules for them: all of them take 20 ms."""
        self.update_classes(classes, update=False)
        self.app.stylesheet.update_nodes(self.query(whose))


def _height_of(widget: Widget) -> int:
    """Return the lines that the style sheet or its own code gives a widget, 0 while it is hidden."""
    height = widget.styles.height
    return int(height.value) if widget.display and height is not None else 0


def _panel(section: Section, look: Look) -> Panel:
    if section.height is None:
        return Panel(section.draw, look, id=section.id)
    return FittedPanel(section.draw, look, id=section.id, height=section.height)
