"""The process table: a Line-API widget that repaints only the lines that changed.

A `DataTable` of 5,000 rows costs 107 to 870 ms a tick.  The selection is a `(pid, start time)`, never an
index: a row that moves takes the cursor along.
"""

from __future__ import annotations

import operator
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import ClassVar

from rich.style import Style
from textual import events
from textual.binding import BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import var
from textual.scroll_view import ScrollView
from textual.strip import Strip

from oomtop.analysis.model import Assessment, ProcessRow
from oomtop.host.process import ProcessId
from oomtop.tui.columns import BY_ID, COLUMNS, Column, Moment, columns_for, columns_from, rank_victims
from oomtop.tui.dialogs import Menu
from oomtop.tui.filter_query import FilterError, haystack, parse
from oomtop.tui.rows import Entry, Grouping, Key, View, arrange, keep_places, select, subtree
from oomtop.tui.table_keys import COMPONENTS, STYLES, TABLE_BINDINGS
from oomtop.tui.table_line import Frame, Look, Marks, column_at, header, look, paint, paint_header

HOLD_SECONDS = 2.0
"""How long the order holds still after the cursor moved."""
_TYPING_SECONDS = 1.0


class ProcessTable(ScrollView, can_focus=True):
    """Sortable, filterable table of processes; `show`, once per tick, is its only input."""

    COMPONENT_CLASSES: ClassVar[set[str]] = COMPONENTS
    DEFAULT_CSS = STYLES
    BINDINGS: ClassVar[list[BindingType]] = TABLE_BINDINGS

    follow: var[bool] = var(False)
    """Whether the view follows the selected process wherever it goes."""

    class Selected(Message):
        """The cursor stands on another process, or on none."""

        def __init__(self, row: ProcessRow | None) -> None:
            super().__init__()
            self.row = row

    class Activated(Message):
        """Enter or a double click on a process."""

        def __init__(self, row: ProcessRow) -> None:
            super().__init__()
            self.row = row

    class OrderChanged(Message):
        """The sort column, the tree, the groups or a filter changed; worth remembering."""

        def __init__(self, view: View) -> None:
            super().__init__()
            self.view = view

    def __init__(
        self,
        *,
        ascii_only: bool = False,
        columns: Sequence[str] = (),
        clock: Callable[[], float] = time.monotonic,
        id: str | None = None,
    ) -> None:
        super().__init__(id=id)
        self.tagged: frozenset[ProcessId] = frozenset()
        self.hold_order = False
        """Set while a dialog is open: every row keeps its place."""
        self._view = View(ascii=ascii_only)
        self._chosen = tuple(columns)
        self._clock = clock
        self._held_until = float("-inf")
        self._assessment: Assessment | None = None
        self._moment = Moment()
        self._rows: list[ProcessRow] = []
        self._entries: list[Entry] = []
        self._index: dict[Key, int] = {}
        self._is_settled = False
        self._cursor: Key | None = None
        self._pan = 0
        self._frame = Frame((), 0, ascii_only)
        self._painted: dict[int, Look | None] = {}
        self._styles: dict[str, Style] = {}
        self._match = ""
        self._typed = ""
        self._typed_at = float("-inf")

    # What others ask for.

    @property
    def view(self) -> View:
        """How the table is arranged now."""
        return self._view

    @property
    def selected(self) -> ProcessId | None:
        """The process under the cursor, None without one and on a group."""
        return None if isinstance(self._cursor, str) else self._cursor

    @property
    def selected_row(self) -> ProcessRow | None:
        """The row of the selected process; of one that ended while the order is held, its last."""
        at = None if self.selected is None else self._index.get(self.selected)
        return None if at is None else self._entries[at].row

    @property
    def tagged_rows(self) -> tuple[ProcessRow, ...]:
        """The tagged processes that still live, whether a filter shows them or not."""
        rows = () if self._assessment is None or not self.tagged else self._assessment.rows
        return tuple(row for row in rows if row.process.id in self.tagged)

    @property
    def lines(self) -> Sequence[Entry]:
        """All entries in their order."""
        return self._entries

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns shown at the present width."""
        return self._frame.columns

    def show(self, assessment: Assessment) -> None:
        """Take a tick in and repaint the lines that differ; where none does, nothing is painted."""
        before, self._assessment = self._assessment, assessment
        is_same = before is not None and _is_same(before.rows, assessment.rows)
        self._set_moment(assessment, is_same)
        if self.tagged and not is_same:
            self.tagged = self.tagged & {row.process.id for row in assessment.rows}
        if not (is_same and self._is_settled):
            self._reorder()
        self._repaint()

    def set_filter(self, text: str) -> str | None:
        """Show what a filter lets through; return what is wrong with it, None if nothing is."""
        try:
            accept = parse(text) if text.strip() else None
        except FilterError as error:
            return str(error)
        self._set_view(replace(self._view, accept=accept))
        return None

    def set_user(self, name: str | None) -> None:
        """Show one user's processes, or everyone's."""
        self._set_view(replace(self._view, user=name))

    def group_by(self, kind: Grouping | str | None) -> None:
        """Show the totals of programs, users or cgroups, or single processes again."""
        grouping = Grouping(kind) if isinstance(kind, str) else kind
        self._set_view(replace(self._view, grouping=grouping, tree=False, toggled=frozenset()))

    def sort_by(self, id: str, descending: bool | None = None) -> None:
        """Sort by a column; the one already sorted by turns round unless a direction is given."""
        column = BY_ID[id]
        if descending is None:
            descending = not self._view.descending if column is self._view.column else not column.is_text
        self._set_view(replace(self._view, column=column, descending=descending))

    def choose_columns(self, ids: Sequence[str]) -> None:
        """Show these columns in this order, or with none the default ones."""
        self._chosen = tuple(ids)
        self._relayout()

    def search(self, text: str, step: int = 1) -> bool:
        """Move the cursor to the next row that holds `text` (with step 0 the present one counts)."""
        self._match = text.lower()
        count = len(self._entries)
        at = self._cursor_index() or 0
        for distance in range(0 if step == 0 else 1, count + 1) if self._match else ():
            index = (at + distance * (step or 1)) % count
            if self._match in haystack(self._entries[index].row).lower():
                self._move_to(index)
                return True
        self._repaint()
        return False

    # The order.

    def _set_moment(self, assessment: Assessment, is_same: bool) -> None:
        ranks = self._moment.ranks
        needs_ranks = self._view.column.id == "rank" or any(column.id == "rank" for column in self._frame.columns)
        if needs_ranks and not (is_same and ranks):
            ranks = rank_victims(assessment.rows, [candidate.id for candidate in assessment.victims.candidates])
        self._moment = Moment(assessment.monotonic, ranks)

    def _is_held(self) -> bool:
        return bool(self._entries) and (self.hold_order or self._clock() < self._held_until)

    def _reorder(self) -> None:
        """Arrange the rows anew, or while the order is held keep every row in its place."""
        rows = () if self._assessment is None else self._assessment.rows
        chosen = select(rows, self._view)
        if not self._is_held():
            self._is_settled, self._rows = True, chosen
            self._take(arrange(chosen, self._view, self._moment))
            return
        known = {row.process.id for row in self._rows} | self._index.keys()
        fresh = () if self._view.grouping else tuple(row for row in chosen if row.process.id not in known)
        self._is_settled, self._rows = False, [*self._rows, *fresh]
        self._take(keep_places(self._entries, rows, fresh))

    def _take(self, entries: list[Entry]) -> None:
        old_at, top = self._cursor_index(), int(self.scroll_offset.y)
        self._entries = entries
        self._index = {entry.key: index for index, entry in enumerate(entries)}
        self._set_length(len(entries) + 1)
        at = self._cursor_index()
        if at is None:
            self._select(min(old_at or 0, len(entries) - 1))
        elif old_at is not None and at != old_at and (self.follow or top > 0):
            self.scroll_to(y=top + at - old_at, animate=False)
            self._show_cursor()

    def _set_length(self, lines: int) -> None:
        """Tell the scroll bar the number of lines; through the reactive it would lay out and repaint everything."""
        if lines == self.virtual_size.height:
            return
        self.set_reactive(ProcessTable.virtual_size, Size(self.size.width, lines))
        self.vertical_scrollbar.window_virtual_size = lines
        if self.scroll_y > self.max_scroll_y:
            self.scroll_to(y=self.max_scroll_y, animate=False)

    def _set_view(self, view: View) -> None:
        """Rearrange at once: the user asked for it, so nothing is held and the cursor stays in sight."""
        self._view = view
        self._held_until = float("-inf")
        hold, self.hold_order = self.hold_order, False
        if self._assessment is not None:
            self._relayout()
            self._reorder()
            self._show_cursor()
        self.hold_order = hold
        self._repaint()
        self.post_message(self.OrderChanged(view))

    # Painting.

    def _relayout(self) -> None:
        """Choose the columns again, for another width, choice, sort column or pan."""
        width, ids = self.size.width, self._chosen or None
        panned = columns_from(self._pan, width, ids) if self._pan else columns_for(width, ids, self._view.column.id)
        self._frame = Frame(panned, width, self._view.ascii, max(0, self._pan - self._last_pan()))
        self._painted.clear()
        if self._assessment is not None:
            self._set_moment(self._assessment, is_same=False)
        self.refresh()

    def _last_pan(self) -> int:
        """Return the pan at which only the pid and the command are left."""
        return max(0, len(self._chosen or BY_ID) - 2)

    def _repaint(self) -> None:
        """Refresh the lines that do not look as they did when they were painted."""
        for y, painted in tuple(self._painted.items()):
            if self._look(y) != painted:
                self.refresh(Region(0, y, self.size.width, 1))

    def _look(self, y: int) -> Look | None:
        index = int(self.scroll_offset.y) + y - 1
        if not 0 <= index < len(self._entries):
            return None
        first = None if self._assessment is None else self._assessment.victims.first
        marks = Marks(self._cursor, self.tagged, first.id if first else None, self._match)
        return look(self._entries[index], self._frame, self._moment, marks)

    def render_line(self, y: int) -> Strip:
        """Return the header, or the line that stands at `y` after scrolling."""
        width = self.size.width
        if y == 0:
            titles = header(self._frame, self._view.column, self._view.descending)
            segments = paint_header(titles, self._frame, self._view.column, self._style)
            return Strip(segments).adjust_cell_length(width, self._style("header"))
        line = self._painted[y] = self._look(y)
        if line is None:
            return Strip.blank(width, self.rich_style)
        filler = self.rich_style + (self._style("cursor") if "cursor" in line.states else Style.null())
        return Strip(paint(line, self._frame, self.rich_style, self._style)).adjust_cell_length(width, filler)

    def _style(self, name: str) -> Style:
        style = self._styles.get(name)
        if style is None:
            style = self._styles[name] = self.get_component_rich_style(f"table--{name}", partial=True)
        return style

    def notify_style_update(self) -> None:
        """Forget the styles of the theme before."""
        super().notify_style_update()
        self._styles.clear()
        self._painted.clear()

    def on_resize(self) -> None:
        """Choose the columns for the new width."""
        self.virtual_size = Size(self.size.width, len(self._entries) + 1)
        self._relayout()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Scrolling moves every line."""
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) != round(new_value):
            self._painted.clear()

    # The cursor.

    def _cursor_index(self) -> int | None:
        return None if self._cursor is None else self._index.get(self._cursor)

    def _select(self, index: int) -> None:
        """Put the cursor on a line without moving the view."""
        key = self._entries[index].key if 0 <= index < len(self._entries) else None
        if key != self._cursor:
            self._cursor = key
            self.post_message(self.Selected(self.selected_row))

    def _move_to(self, index: int) -> None:
        if not self._entries:
            return
        self._held_until = self._clock() + HOLD_SECONDS
        self._is_settled = False
        self._select(max(0, min(index, len(self._entries) - 1)))
        self._show_cursor()
        self._repaint()

    def _show_cursor(self) -> None:
        """Scroll as little as needed; the header takes one line of the view."""
        at, top, height = self._cursor_index(), int(self.scroll_offset.y), max(1, self.size.height - 1)
        if at is None:
            return
        if at < top:
            self.scroll_to(y=at, animate=False)
        elif at >= top + height:
            self.scroll_to(y=at - height + 1, animate=False)

    def action_move(self, step: int) -> None:
        """Move the cursor by lines."""
        at = self._cursor_index()
        self._move_to(0 if at is None else at + step)

    def action_page(self, direction: int) -> None:
        """Move the cursor by a screenful."""
        self.action_move(direction * max(1, self.size.height - 2))

    def action_edge(self, last: bool) -> None:
        """Move to the first or the last line."""
        self._move_to(len(self._entries) - 1 if last else 0)

    def action_jump(self, digit: str) -> None:
        """Jump to the pid typed so far; after a second without a digit a new number starts."""
        now = self._clock()
        self._typed = digit if now - self._typed_at > _TYPING_SECONDS else self._typed + digit
        self._typed_at = now
        for index, entry in enumerate(self._entries):
            if str(entry.row.process.pid) == self._typed:
                self._move_to(index)
                return

    def action_pan(self, step: int) -> None:
        """Show columns further right or left; past the last one the command moves."""
        self._pan = max(0, min(self._pan + step, self._last_pan() + 128))
        self._relayout()

    def action_activate(self) -> None:
        """Open the process under the cursor, or a group."""
        row = self.selected_row
        if row is not None:
            self.post_message(self.Activated(row))
        elif self._cursor is not None:
            self.action_fold(None)

    # Tags and view.

    def action_tag(self) -> None:
        """Tag or untag the process under the cursor and go on to the next."""
        if self.selected is not None:
            self.tagged = self.tagged ^ {self.selected}
        self.action_move(1)

    def action_tag_tree(self) -> None:
        """Tag the process under the cursor and all its descendants, shown or not."""
        if self.selected is not None and self._assessment is not None:
            self.tagged = self.tagged | subtree(self._assessment.rows, self.selected)
            self._repaint()

    def action_untag(self) -> None:
        """Take all tags away."""
        self.tagged = frozenset()
        self._repaint()

    def action_sort(self, id: str) -> None:
        """Sort by a column; once more turns the order round."""
        self.sort_by(id)

    def action_sort_menu(self) -> None:
        """Ask for the sort column; the order holds still meanwhile."""
        choices = [(at, f"{column.title:9} {column.help}") for at, column in enumerate(COLUMNS)]
        self.hold_order = True
        self.app.push_screen(Menu("sort by", choices, COLUMNS.index(self._view.column)), self._sort_chosen)

    def _sort_chosen(self, at: int | None) -> None:
        self.hold_order = False
        if at is not None and COLUMNS[at] is not self._view.column:
            self.sort_by(COLUMNS[at].id)

    def action_sort_beside(self, step: int) -> None:
        """Sort by the column beside the present one."""
        shown = self._frame.columns
        at = shown.index(self._view.column) if self._view.column in shown else 0
        self.sort_by(shown[(at + step) % len(shown)].id)

    def action_group(self) -> None:
        """Group by program, by user, by cgroup, not at all."""
        kinds = (None, *Grouping)
        self.group_by(kinds[(kinds.index(self._view.grouping) + 1) % len(kinds)])

    def action_invert(self) -> None:
        """Turn the order round."""
        self.sort_by(self._view.column.id)

    def action_tree(self) -> None:
        """Switch between list and tree."""
        self._set_view(replace(self._view, tree=not self._view.tree, grouping=None, toggled=frozenset()))

    def action_follow(self) -> None:
        """Let the view follow the selected process, or not."""
        self.follow = not self.follow
        self._show_cursor()

    def action_kernel_threads(self) -> None:
        """Show or hide kernel threads."""
        self._set_view(replace(self._view, kernel_threads=not self._view.kernel_threads))

    def action_fold(self, is_open: bool | None) -> None:
        """Unfold (True), fold (False) or switch (None) the branch or group under the cursor."""
        key = self._cursor
        if key is None:
            return
        is_toggled = key in self._view.toggled
        was_open = is_toggled if self._view.grouping else not is_toggled
        if is_open is None or is_open != was_open:
            self._set_view(replace(self._view, toggled=self._view.toggled ^ {key}))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave `+` and `-` to others where nothing can be folded."""
        return action != "fold" or self._view.tree or self._view.grouping is not None

    # The mouse.

    def on_click(self, event: events.Click) -> None:
        """Select a line, sort by a title, open on a double click."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        if offset.y == 0:
            column = column_at(offset.x, self._frame)
            if column is not None:
                self.sort_by(column.id)
            return
        index = int(self.scroll_offset.y) + offset.y - 1
        if index < len(self._entries):
            self._move_to(index)
            if event.chain == 2:
                self.action_activate()


def _is_same(before: tuple[ProcessRow, ...], now: tuple[ProcessRow, ...]) -> bool:
    """Return whether all rows are the very same objects, as unchanged processes keep theirs."""
    return len(before) == len(now) and all(map(operator.is_, before, now))
