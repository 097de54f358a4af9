"""The Cgroups tab: the tree of groups with use, limit and headroom; actions apply to the group under the cursor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from heapq import nlargest
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical

from oomtop.analysis.cgroups.assess import chain, working_set
from oomtop.analysis.load_policy import DUTIES
from oomtop.analysis.model.assessment import Assessment
from oomtop.analysis.model.danger import DangerKind, DangerState
from oomtop.host.cgroup import is_inside
from oomtop.tui.base.aim import Aim, KeyPlace
from oomtop.tui.base.session import State
from oomtop.tui.cgroups.rows import COLUMNS, DANGER, CgroupLine, arrange, columns_for, group_line, title_line
from oomtop.tui.dangers.danger_words import DISTANT
from oomtop.tui.dangers.forecast_chart import draw_forecast_of
from oomtop.tui.dangers.panel import tab_head
from oomtop.tui.process_table.columns import command_of
from oomtop.tui.style.palette import Look
from oomtop.tui.style.stylesheet import stylesheet
from oomtop.tui.style.text import Text
from oomtop.tui.widgets.cursor_list import CursorList, move_keys
from oomtop.tui.widgets.key_bar import KeyBar
from oomtop.tui.widgets.panel import Panel
from oomtop.tui.widgets.prompt_line import PromptLine
from oomtop.tui.widgets.tab_screen import TabScreen
from oomtop.tui.widgets.text_block import Sheet
from oomtop.tui.widgets.text_parts import keep_end, keep_start
from oomtop.units import format_bytes, format_rate, printable

_KEYS = (
    ("?", "Help"), ("Tab", "Next tab"), ("L", "Limit"), ("r", "Reclaim"), ("f", "Freeze"), ("k", "Kill"),
    ("+-", "Fold"), ("q", "Quit"), ("<>", "Sort"), ("\\", "Filter"), ("C", "Copy"),
)  # fmt: skip
_LEAST_PATH = 20
_TALL, _HIGH = 34, 50
"""Terminal heights from which the largest processes of a group are named, and more of them."""


class CgroupTree(CursorList):
    """The lines of the tree; the cursor follows its group."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *move_keys("cgroups"),
        Binding("plus,right", "screen.fold(False)", "Unfold", show=False, id="cgroups.unfold"),
        Binding("minus,left", "screen.fold(True)", "Fold", show=False, id="cgroups.fold"),
        Binding("less_than_sign", "screen.sort_beside(-1)", "Sort column left", show=False, id="cgroups.sort_left"),
        Binding(
            "greater_than_sign",
            "screen.sort_beside(1)",
            "Sort column right",
            show=False,
            id="cgroups.sort_right",
        ),
    ]

    def __init__(self, look: Look, *, id: str, moved: Callable[[], object]) -> None:
        super().__init__(id=id, moved=moved)
        self._look = look
        self._lines: list[CgroupLine] = []
        self._shown: list[str] = []

    @property
    def lines(self) -> list[CgroupLine]:
        """The lines in order."""
        return self._lines

    @property
    def path(self) -> str | None:
        """The group under the cursor."""
        return self._lines[self.cursor].figures.cgroup.path if self._lines else None

    def go_to_path(self, path: str) -> None:
        """Put the cursor on a group."""
        self.go_to(self._index_of(path))

    def _index_of(self, path: str | None) -> int:
        return next((at for at, line in enumerate(self._lines) if line.figures.cgroup.path == path), 0)

    def set_lines(self, lines: list[CgroupLine]) -> None:
        """Show these groups; only changed lines are repainted."""
        path = self.path
        self._lines = lines
        self.set_rows(len(lines), self._index_of(path))
        top = int(self.scroll_offset.y)
        shown = [group_line(line, self.size.width) for line in lines[top : top + self.size.height]]
        if shown != self._shown:
            self._shown = shown
            self.refresh()

    def draw_row(self, at: int, width: int) -> Text:
        """Return a group: bold if it fills up, dim if it has no limit or is empty."""
        line, danger = Text(group_line(self._lines[at], width)), self._lines[at].figures.danger
        if danger is None or danger.state is DangerState.EMPTY:
            line.stylize(self._look.style("dim"))
        elif danger.median is not None and danger.median < DISTANT:
            line.stylize(self._look.style("warn", bold=True) or "bold")
        return line


class CgroupsScreen(TabScreen):
    """The tree, and below it the limits that apply to the group under the cursor."""

    DEFAULT_CSS = stylesheet("cgroups/screen.tcss")

    def __init__(self, state: State, look: Look) -> None:
        super().__init__(state, look, name="cgroups-tab")
        self._sort = DANGER
        self._folded: frozenset[str] = frozenset()
        self._text = ""
        self._is_built = False
        self._has_moved = False
        """Whether the cursor was moved; until then it stands on the nearest danger."""

    def compose(self) -> ComposeResult:
        """Mount every widget once."""
        yield from tab_head(self, "cgroups")
        with Horizontal(id="cgroups-body"):
            with Vertical(id="cgroups-list"):
                yield Sheet(self._titles, id="cgroups-titles")
                yield CgroupTree(self.look, id="cgroups-tree", moved=self._show_detail)
            yield Panel(self._draw_forecast, self.look, id="cgroups-forecast")
        yield Sheet(self._detail, id="cgroups-detail")
        yield PromptLine(self._focus)
        yield KeyBar(_KEYS, self.look, id="cgroups-keys")

    def on_mount(self) -> None:
        """Focus the tree, and show a tick that came before the widgets."""
        self._focus()
        self._is_built = True
        self.watch_assessment(self.assessment)

    @property
    def view(self) -> CgroupTree:
        """The tree."""
        return self.query_one(CgroupTree)

    def _focus(self) -> None:
        self.view.focus()

    def _show_detail(self) -> None:
        self._has_moved = True
        self.query_one("#cgroups-detail", Sheet).update()
        self._show_forecast()
        if self.assessment is not None:
            self.show_strip(self.assessment)

    def _show_forecast(self) -> None:
        panel = self.query_one("#cgroups-forecast", Panel)
        if self.assessment is not None and panel.display and DUTIES[self.state.level].chart:
            panel.show(self.assessment)

    def _draw_forecast(self, assessment: Assessment, width: int, height: int, look: Look) -> list[Text]:
        """Return the forecast of the group under the cursor, or of the nearest limit above it."""
        groups = {item.cgroup.path: item for item in assessment.cgroups}
        path = self.view.path
        dangers = [groups[above].danger for above in chain(path or "/") if above in groups]
        return draw_forecast_of(next((each for each in dangers if each), None), assessment, (width, height), look)

    def cgroup(self) -> str | None:
        """Return the group under the cursor; None for the root."""
        return None if self.view.path == "/" else self.view.path

    def aim(self, assessment: Assessment) -> Aim:
        """Return what the action keys act on: the group under the cursor, of whose processes `k` names the biggest."""
        path = self.cgroup()
        inside = [] if path is None else [row.process for row in assessment.rows if is_inside(row.process.cgroup, path)]
        biggest = max(inside, key=lambda process: process.rss_and_swap, default=None)
        return Aim(KeyPlace.CGROUPS, frozenset([] if biggest is None else [biggest.id]), path)

    def commands(self) -> Iterator[tuple[str, str, Callable[[], object]]]:
        """Yield every sort order."""
        for column in COLUMNS[:-1]:
            yield f"Sort by {column.title}: {column.help}", f"sort order {column.id}", partial(self._sort_by, column.id)

    def copies(self) -> tuple[tuple[str, str], ...]:
        """Return the line, the path, its limits, and all lines."""
        width = self.view.size.width
        lines = [group_line(line, width).strip() for line in self.view.lines]
        paths = [line.figures.cgroup.path for line in self.view.lines]
        if self.view.path not in paths:
            return ()
        detail = "\n".join(line.plain.strip() for line in self._detail(width))
        head = title_line(width, self._sort, self.look.ascii).strip()
        return (
            ("line", lines[paths.index(self.view.path)]),
            ("path", printable(self.view.path)),
            ("limits", detail),
            ("all lines", "\n".join([head, *lines])),
        )

    def targets_title(self) -> str:
        """Return a description of the group."""
        return self.view.path or "no group"

    def watch_assessment(self, assessment: Assessment | None) -> None:
        """Show a tick."""
        if assessment is None or not self._is_built:
            return
        self.query_one("#cgroups-header", Panel).show(assessment)
        self._draw()
        self.show_strip(assessment)

    def show_remarks(self) -> None:
        """Redraw the header."""
        if self.assessment is not None and self._is_built:
            self.query_one("#cgroups-header", Panel).show(self.assessment)

    def _draw(self) -> None:
        groups = self.assessment.cgroups if self.assessment is not None else ()
        self.view.set_lines(arrange(groups, self._sort, self._folded, self._text))
        if not self._has_moved and self.assessment is not None:
            self._go_to_nearest(self.assessment)
        for sheet in self.query(Sheet):
            sheet.update()
        self._show_forecast()

    def _go_to_nearest(self, assessment: Assessment) -> None:
        nearest = self.state.subject(assessment)
        if nearest is not None and nearest.kind is DangerKind.CGROUP and self.view.path != nearest.subject:
            self.view.go_to_path(nearest.subject)
            self._has_moved = False

    def on_resize(self) -> None:
        """Redraw for the new width."""
        if self._is_built:
            self.call_after_refresh(self._draw)

    def _titles(self, width: int) -> list[Text]:
        if self.assessment is not None and not self.assessment.cgroups:
            return [Text(" no memory cgroups: the memory controller is not mounted here", self.look.style("warn"))]
        return [Text(title_line(width, self._sort, self.look.ascii), "bold")]

    def _detail(self, width: int) -> list[Text]:
        """Return the limits that apply, nearest first, with the headroom of each."""
        groups = {item.cgroup.path: item for item in self.assessment.cgroups} if self.assessment is not None else {}
        path = self.view.path
        if path is None or path not in groups:
            return [Text("")]
        lines = [Text(f" {keep_end(printable(path), width - 1, self.look)}", "bold")]
        limited = [groups[above] for above in chain(path) if above in groups and groups[above].cgroup.max is not None]
        binding = min(limited, key=lambda item: item.headroom if item.headroom is not None else 1 << 62, default=None)
        for item in limited[:3]:
            used = working_set(item.cgroup)
            mark = " <- binds first" if item is binding else ""
            size = f": {format_bytes(used)} of max {format_bytes(item.cgroup.max)}, {format_bytes(item.headroom)} left"
            room = width - 2 - len(size + mark)
            mark, room = (mark, room) if room >= _LEAST_PATH else ("", room + len(mark))
            lines.append(Text(f"  {keep_end(printable(item.cgroup.path), max(1, room), self.look)}{size}{mark}"))
        if not limited:
            text = "  no limit up to the root: the machine's memory is its limit"
            lines.append(Text(keep_start(text, width, self.look)))
        return [*lines, *self._members(path, width)]

    def _members(self, path: str, width: int) -> Iterator[Text]:
        """Yield the largest processes of a group and below it, where there is room."""
        rows = () if self.assessment is None else self.assessment.rows
        most = 0 if self.size.height < _TALL else 4 if self.size.height < _HIGH else 8
        inside = [row for row in rows if is_inside(row.process.cgroup, path)] if most else []
        for row in nlargest(most, inside, key=lambda row: row.process.rss_and_swap):
            process = row.process
            size, growth = format_bytes(process.rss_and_swap), "" if not row.growth else format_rate(row.growth)
            text = f"  {process.pid:>7} {printable(row.user)[:12]:12} {size:>5} {growth:>9}  {command_of(row)}"
            yield Text(keep_start(text, width, self.look), self.look.style("dim"))

    def action_fold(self, is_folded: bool) -> None:
        """Fold or unfold the groups below the cursor."""
        if self.view.path is not None:
            path = frozenset([self.view.path])
            self._folded = self._folded | path if is_folded else self._folded - path
            self._draw()

    def _sort_by(self, id: str) -> None:
        self._sort = id
        self._draw()

    def action_sort_beside(self, step: int) -> None:
        """Sort by the next column."""
        names = [column.id for column in columns_for(self.size.width) if column is not COLUMNS[-1]]
        at = names.index(self._sort) if self._sort in names else 0
        self._sort = names[(at + step) % len(names)]
        self._draw()

    def search(self) -> None:
        """Ask for a text and go to the next group that contains it."""
        self.query_one(PromptLine).ask("/", self._searched)

    def _searched(self, text: str) -> None:
        wanted = text.casefold()
        found = [line.figures.cgroup.path for line in self.view.lines if wanted in line.figures.cgroup.path.casefold()]
        if text and found:
            after = found.index(self.view.path) + 1 if self.view.path in found else 0
            self.view.go_to_path(found[after % len(found)])

    def filter(self) -> None:
        """Ask which groups to show."""
        self.query_one(PromptLine).ask("filter: part of a path or name", self._filtered, self._text, self._filtered)

    def _filtered(self, text: str) -> None:
        self._text = text
        self._draw()
