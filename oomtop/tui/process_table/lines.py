"""The lines of the process table: a Line-API widget that repaints only those that changed.

A `DataTable` of 5,000 rows costs 107 to 870 ms a tick.  The selection is a `(pid, start time)`, never an
index: a row that moves takes the cursor along.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region, Size
from textual.reactive import var
from textual.scroll_view import ScrollView
from textual.strip import Strip

from oomtop.analysis.model.assessment import Assessment, ProcessRow
from oomtop.analysis.model.danger import Danger
from oomtop.frozen import replace
from oomtop.host.process import ProcessId
from oomtop.tui.base.aim import Aim
from oomtop.tui.base.messages import AimMoved, RowSelected, TotalsShown
from oomtop.tui.process_table.cells import LineLook, Marks, rule
from oomtop.tui.process_table.columns import BY_ID, DEFAULT_SORT, ColumnContext
from oomtop.tui.process_table.filter_query import parse_for
from oomtop.tui.process_table.filter_regex import FilterError
from oomtop.tui.process_table.notes import TableCursor, TypedNumber, note_of, words_of_none
from oomtop.tui.process_table.order import HOLD_SECONDS, TableOrder, ids_of, nearest
from oomtop.tui.process_table.painter import TableFace
from oomtop.tui.process_table.rows import Entry, Grouping, Key, View, members_of


class ProcessLines(ScrollView):
    """What the table shows and where its cursor is; `show`, once per tick, is its only input."""

    follow: var[bool] = var(False)
    """Whether the view follows the selected process."""

    def __init__(
        self,
        *,
        ascii_only: bool = False,
        columns: Sequence[str] = (),
        sort: str | None = None,
        clock: Callable[[], float] = time.monotonic,
        subject: Callable[[Assessment], Danger | None] = nearest,
        id: str | None = None,
        begun: TableCursor | None = None,
    ) -> None:
        """`begun`: the cursor of another table, which this one continues."""
        # Textual requests a repaint while the widget is still being constructed.
        self._face = TableFace(self._find_style, columns)
        super().__init__(id=id)
        self.tagged: frozenset[ProcessId] = frozenset()
        self.hold_order = False
        """Set while a dialog is open: every row keeps its place."""
        self._is_pinned = False
        """Whether the user wants every row to keep its place until the next sort key."""
        column = BY_ID[sort or DEFAULT_SORT]
        self._order = TableOrder(View(column, descending=not column.is_text, ascii=ascii_only), subject)
        self._has_moved = False
        """Whether the user put the cursor somewhere; until then it stays on the first line."""
        self._clock = clock
        self._held_until = float("-inf")
        self._assessment: Assessment | None = None
        self._cursor: Key | None = None
        self._pan = 0
        self._match = ""
        self._note: tuple[str, ...] = ()
        self._typed = TypedNumber(clock)
        self._told = Aim()
        """What the action keys acted on when that was last told."""
        self._begun = begun
        if begun is not None:
            self._cursor, self._typed = begun.cursor, begun.typed
            self._has_moved = begun.cursor is not None

    @property
    def view(self) -> View:
        """How the table is arranged now."""
        return self._order.view

    @property
    def selected(self) -> ProcessId | None:
        """The process under the cursor; None on a group, once it has ended, while another pid is being typed."""
        if isinstance(self._cursor, str) or self._typed.is_elsewhere(self._cursor):
            return None
        at = self._order.at(self._cursor)
        return None if at is None or self._order.entries[at].gone else self._cursor

    @property
    def cursor_line(self) -> int | None:
        """The line of the widget with the selected row, below the header, None where that is out of sight."""
        at = self._order.at(self._cursor)
        y = -1 if at is None else at - int(self.scroll_offset.y) + 1
        return y if 1 <= y < self.size.height else None

    @property
    def selected_row(self) -> ProcessRow | None:
        """The row of the selected process."""
        at = self._order.at(self.selected)
        return None if at is None else self._order.entries[at].row

    @property
    def tagged_rows(self) -> tuple[ProcessRow, ...]:
        """The tagged processes that still live, whether a filter shows them or not."""
        return tuple(row for row in self._order.rows if row.process.id in self.tagged)

    @property
    def chosen_rows(self) -> tuple[ProcessRow, ...]:
        """The targets of an action: tagged processes, else those of the line under the cursor."""
        if self.tagged or self._cursor is None or self._typed.is_elsewhere(self._cursor):
            return self.tagged_rows
        return members_of(self._order.rows, self.view, self._cursor)

    @property
    def aim(self) -> Aim:
        """What the action keys act on; without the group, which depends on the danger."""
        return self._order.aim(self._cursor, self.tagged, self._typed)

    @property
    def every_row(self) -> tuple[ProcessRow, ...]:
        """All rows of the tick, shown or not."""
        return self._order.rows

    @property
    def moment(self) -> ColumnContext:
        """What columns may need besides a row."""
        return self._order.moment

    @property
    def lines(self) -> Sequence[Entry]:
        """All entries in their order."""
        return self._order.entries

    def show(self, assessment: Assessment) -> None:
        """Take a tick in and repaint the lines that differ; where none does, nothing is painted."""
        self._assessment, empty = assessment, self._order.empty
        has_changed = self._order.take(assessment, self._needs_ranks())
        if self._order.empty != empty:
            self._lay_out()
        if self.tagged and has_changed:
            # When all of them have ended, the keys have no target until the cursor is moved.
            self.tagged = self.tagged & ids_of(assessment.rows) or self.tagged
        if has_changed or not self._order.is_settled:
            self._reorder(self._is_held())
        self._repaint()

    def arrange_as(self, columns: Sequence[str], ascii_only: bool) -> None:
        """Show these columns, or those that fit if empty, and draw with ASCII only or not."""
        if (tuple(columns), ascii_only) != (self._face.chosen, self.view.ascii):
            self._face.chosen = tuple(columns)
            self._set_view(replace(self.view, ascii=ascii_only))

    def let_go(self) -> None:
        """Sort again with the next tick, however soon it comes after a key, unless the user holds the order."""
        self._held_until = float("-inf")

    @property
    def wanted_height(self) -> int | None:
        """The lines that all rows take with the titles; None while the user has some of them hidden."""
        return self._order.wanted_height

    @property
    def shown_columns(self) -> tuple[str, ...]:
        """The ids of the columns on the screen."""
        return tuple(column.id for column in self._face.frame.columns)

    def set_filter(self, text: str) -> str | None:
        """Set the filter; return what is wrong with it, or None."""
        try:
            accept = parse_for(self._order.rows, text) if text.strip() else None
        except FilterError as error:
            return str(error)
        self._set_view(replace(self.view, accept=accept, filter_text=text.strip()))
        return None

    def set_user(self, name: str | None) -> None:
        """Show one user's processes, or everyone's."""
        self._set_view(replace(self.view, user=name))

    def group_by(self, kind: Grouping | str | None) -> None:
        """Show the totals of programs, users or cgroups, or single processes again."""
        grouping = Grouping(kind) if isinstance(kind, str) else kind
        self._set_view(replace(self.view, grouping=grouping, tree=False, toggled=frozenset()))

    def sort_by(self, id: str, descending: bool | None = None) -> None:
        """Sort by a column; the current sort column is reversed unless a direction is given."""
        column = BY_ID[id]
        if descending is None:
            descending = not self.view.descending if column is self.view.column else not column.is_text
        self._set_view(replace(self.view, column=column, descending=descending))

    def search(self, text: str, step: int = 1) -> bool:
        """Move the cursor to the next row that holds `text` (with step 0 the present one counts)."""
        self._match = text.lower()
        found = self._order.find(text, self._order.at(self._cursor) or 0, step)
        if found is None:
            self._repaint()
        else:
            self._move_to(found)
        return found is not None

    def _is_held(self) -> bool:
        is_brief = self.hold_order or self._clock() < self._held_until
        return bool(self._order.entries) and (self._is_pinned or is_brief)

    def _needs_ranks(self) -> bool:
        return self.view.column.id == "rank" or self._face.shows_ranks

    def _reorder(self, is_held: bool, is_asked: bool = False) -> None:
        """Arrange or hold, then take the cursor and the view along; it goes to another line only if the user asked."""
        old_at, top = self._order.at(self._cursor), int(self.scroll_offset.y)
        before = None if old_at is None else self._order.entries[old_at]
        old_line = None if old_at is None else self._order.line_of(old_at)
        if is_held:
            self._order.hold(with_border=not self._is_pinned)
        else:
            self._order.arrange()
        self._set_length(self._order.lines + 1)
        at = self._order.at(self._cursor)
        if not self._has_moved:
            self._select(0)
        elif at is None and before is not None and (not is_asked or self._has_ended(before)):
            self._order.keep(before, old_at or 0)
            self._set_length(self._order.lines + 1)
        elif at is None:
            self._select(min(old_at or 0, len(self._order.entries) - 1))
        elif old_line is not None and (line := self._order.line_of(at)) != old_line and (self.follow or top > 0):
            self.scroll_to(y=top + line - old_line, animate=False)
            self._show_cursor()

    def _has_ended(self, entry: Entry) -> bool:
        return isinstance(entry.key, ProcessId) and entry.key not in ids_of(self._order.rows)

    def _set_length(self, lines: int) -> None:
        """Tell the scroll bar the number of lines; through the reactive it would lay out and repaint everything."""
        if lines == self.virtual_size.height:
            return
        self.set_reactive(ProcessLines.virtual_size, Size(self.size.width, lines))
        self.vertical_scrollbar.window_virtual_size = lines
        if self.scroll_y > self.max_scroll_y:
            self.scroll_to(y=self.max_scroll_y, animate=False)

    def _set_view(self, view: View) -> None:
        """Rearrange at once: the user asked for it, so nothing is held and the cursor stays in sight."""
        if view.shows_totals != self._order.view.shows_totals:
            self.post_message(TotalsShown(view.shows_totals))
        self._order.view = view
        self._order.unsettle()
        self._held_until = float("-inf")
        if self._assessment is not None:
            self._relayout()
            self._reorder(is_held=False, is_asked=True)
            self._show_cursor()
        self._repaint()

    def _relayout(self) -> None:
        """Choose the columns again, for another width, choice, sort column or pan."""
        self._lay_out()
        if self._assessment is not None:
            self._order.take(self._assessment, self._needs_ranks())

    def _lay_out(self) -> None:
        self._face.lay_out(self.size.width, self.view, self._pan, self._order.empty)
        self.refresh()

    def _repaint(self) -> None:
        """Refresh the cells that do not look as they did when they were painted."""
        counts = len(self._order.entries), len(self._order.rows), len(self.tagged)
        note = note_of(self.view, *counts, self.follow, self._is_pinned, self._typed.text)
        if note != self._note:
            self._note = note
            self.refresh(Region(0, 0, self.size.width, 2))
        for y, width in self._face.differing(partial(self._look_below, int(self.scroll_offset.y))):
            self.refresh(Region(0, y, width, 1))
        self._tell_aim()

    def _tell_aim(self) -> None:
        """Report that the action keys act on something else now."""
        aim = self.aim
        if aim != self._told:
            self._told = aim
            self.post_message(AimMoved())

    def _look(self, y: int) -> LineLook | None:
        return self._look_below(int(self.scroll_offset.y), y)

    def _look_below(self, top: int, y: int) -> LineLook | None:
        line = top + y - 1
        border, index = self._order.border, self._order.index_of(line)
        if border is not None and line == border[0]:
            return rule(border[1], self._face.frame)
        if index is None:
            return None
        marks = Marks(self._cursor, self.tagged, self._order.victim, self._match, self._order.frozen, self.view.focus)
        return self._face.look(self._order.entries[index], self._order.moment, marks)

    def render_line(self, y: int) -> Strip:
        """Return the header, or the line that stands at `y` after scrolling."""
        if y == 0:
            return self._face.header(self.view, self._note)
        if y == 1 and not self._order.entries and self._assessment is not None:
            segments = [Segment(words_of_none(self.view), self.rich_style)]
            return Strip(segments).adjust_cell_length(self.size.width, self.rich_style)
        return self._face.line(y, self._look(y), self.rich_style)

    def _find_style(self, name: str) -> Style:
        return self.get_component_rich_style(f"table--{name}", partial=True)

    def notify_style_update(self) -> None:
        """Forget the styles of the previous theme."""
        super().notify_style_update()
        self._face.forget_styles()
        self._face.forget_lines()
        self.refresh()

    def on_resize(self) -> None:
        """Choose the columns for the new width."""
        self.virtual_size = Size(self.size.width, self._order.lines + 1)
        self._relayout()
        begun, self._begun = self._begun, None
        if begun is not None and begun.cursor is not None:
            self.scroll_to(y=begun.top, animate=False)
            self.post_message(RowSelected(self.selected_row))

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Scrolling moves every line."""
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) != round(new_value):
            self._face.forget_lines()

    def _select(self, index: int) -> None:
        """Put the cursor on a line without moving the view."""
        key = self._order.entries[index].key if 0 <= index < len(self._order.entries) else None
        if key != self._cursor:
            self._cursor = key
            self.post_message(RowSelected(self.selected_row))

    def _move_to(self, index: int) -> None:
        """Put the cursor on a line; the next digit begins a pid."""
        self._typed.end()
        self._put_on(index)

    def _put_on(self, index: int) -> None:
        if not self._order.entries:
            return
        self._has_moved = True
        if self.tagged and not self.tagged_rows:
            self.tagged = frozenset()
        self._held_until = self._clock() + HOLD_SECONDS
        self._order.unsettle()
        self._select(max(0, min(index, len(self._order.entries) - 1)))
        self._show_cursor()
        self._repaint()

    def _show_cursor(self) -> None:
        """Scroll as little as needed; the header takes one line of the view."""
        at, top, height = self._order.at(self._cursor), int(self.scroll_offset.y), max(1, self.size.height - 1)
        if at is None:
            return
        line = self._order.line_of(at)
        if line < top:
            self.scroll_to(y=line, animate=False)
        elif line >= top + height:
            self.scroll_to(y=line - height + 1, animate=False)
