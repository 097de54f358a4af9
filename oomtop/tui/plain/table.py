"""The process table of the first picture: rows, order, cursor and visible part."""

from __future__ import annotations

import time
from collections.abc import Callable

from oomtop.analysis.model.assessment import Assessment, ProcessRow
from oomtop.analysis.model.danger import Danger
from oomtop.host.process import ProcessId
from oomtop.tui.base.aim import Aim
from oomtop.tui.plain.inks import Inks
from oomtop.tui.process_table.cells import Frame, Marks, Run, cells_of, header, look, paint, paint_header
from oomtop.tui.process_table.columns import BY_ID, DEFAULT_SORT, columns_for
from oomtop.tui.process_table.notes import TableCursor, TypedNumber, note_of, words_of_none
from oomtop.tui.process_table.order import TableOrder
from oomtop.tui.process_table.rows import Key, View
from oomtop.tui.style.cell_width import cell_len, set_cell_size
from oomtop.tui.style.ink import Ink


class PlainTable:
    """Shows the rows of a tick; the cursor is on the first one until it is moved."""

    def __init__(
        self,
        columns: tuple[str, ...],
        sort: str | None,
        ascii_only: bool,
        subject: Callable[[Assessment], Danger | None],
    ) -> None:
        column = BY_ID[sort or DEFAULT_SORT]
        self._chosen = columns
        self._order = TableOrder(View(column, descending=not column.is_text, ascii=ascii_only), subject)
        self._cursor: Key | None = None
        self._has_moved = False
        self._typed = TypedNumber(time.monotonic)
        self._top = 0
        self._height = 1

    def show(self, assessment: Assessment) -> None:
        """Take a tick in."""
        chosen = self._chosen
        self._order.take(assessment, self._order.view.column.id == "rank" or not chosen or "rank" in chosen)
        before = self._order.at(self._cursor) or 0
        self._order.arrange()
        if not self._has_moved or self._order.at(self._cursor) is None:
            self._put(before if self._has_moved else 0)

    @property
    def wanted_height(self) -> int | None:
        """The lines that all rows take with the titles."""
        return self._order.wanted_height

    @property
    def row(self) -> ProcessRow | None:
        """The row under the cursor."""
        at = self._order.at(self._cursor)
        return None if at is None else self._order.entries[at].row

    @property
    def selected(self) -> ProcessId | None:
        """The process under the cursor, None while another pid is being typed."""
        row = self.row
        return None if row is None or self._typed.is_elsewhere(self._cursor) else row.process.id

    @property
    def aim(self) -> Aim:
        """What the action keys act on; without the group, which depends on the danger."""
        return self._order.aim(self._cursor, frozenset(), self._typed)

    @property
    def place(self) -> TableCursor:
        """Where it stands."""
        return TableCursor(self._cursor if self._has_moved else None, self._top, self._typed)

    @property
    def cursor_line(self) -> int:
        """The line with the selected row, counted from the titles."""
        return (self._order.at(self._cursor) or 0) - self._top + 1

    def move(self, step: int) -> None:
        """Move the cursor by lines."""
        self._typed.end()
        self._has_moved = True
        self._put((self._order.at(self._cursor) or 0) + step)

    def page(self, step: int) -> None:
        """Move the cursor by a screenful."""
        self.move(step * max(1, self._height - 1))

    def jump(self, digit: str) -> None:
        """Go to the pid typed so far, if it exists."""
        at = self._order.of_pid(self._typed.take(digit))
        if at is not None:
            self._has_moved = True
            self._put(at)

    def select_victim(self) -> None:
        """Go to the victim of the danger on the strip."""
        at = self._order.at(self._order.view.focus.victim)
        if at is not None:
            self.move(at - (self._order.at(self._cursor) or 0))

    def _put(self, at: int) -> None:
        entries = self._order.entries
        self._cursor = entries[max(0, min(at, len(entries) - 1))].key if entries else None

    def lines(self, width: int, height: int, inks: Inks) -> list[list[Run[Ink]]]:
        """Return the visible lines: titles, rows, and the scroll bar in the last cell."""
        view, base = self._order.view, inks.ground("background")
        # The scroll bar stands over the last cell of a line.
        columns = columns_for(width, self._chosen or None, view.column.id, self._order.empty)
        frame = Frame(columns, width, view.ascii)
        self._height = max(1, height - 1)
        self._scroll(len(self._order.entries))
        lines = [self._titles(frame, inks), *self._rows(frame, base, inks)]
        blank = [(" " * (width - 1), base)]
        lines += [blank] * (height - len(lines))
        bar = thumb(height, len(self._order.entries) + 1, self._top)
        return [[*line, (" ", inks.thumb(y in bar))] for y, line in enumerate(lines[:height])]

    def _scroll(self, count: int) -> None:
        at = self._order.at(self._cursor) or 0
        self._top = max(min(self._top, at, count - 1), at - self._height + 1, 0)

    def _titles(self, frame: Frame, inks: Inks) -> list[Run[Ink]]:
        view, order = self._order.view, self._order
        note = note_of(view, len(order.entries), len(order.rows), 0, typed=self._typed.text)
        titles = header(frame, view.column, view.descending, note)
        return fill(paint_header(titles, frame, view.column, inks.component), frame.width - 1, inks.component("header"))

    def _rows(self, frame: Frame, base: Ink, inks: Inks) -> list[list[Run[Ink]]]:
        order = self._order
        marks = Marks(self._cursor, frozenset(), order.victim, "", order.frozen, order.view.focus)
        if not order.entries:
            return [fill([(words_of_none(order.view), base)], frame.width - 1, base)]
        found = []
        for entry in order.entries[self._top : self._top + self._height]:
            line = look(entry, cells_of(entry, frame, order.moment), frame, marks)
            filler = base + inks.component("cursor") if "cursor" in line.states else base
            found.append(fill(paint(line, frame, base, inks.component), frame.width - 1, filler))
        return found


def thumb(height: int, lines: int, top: int) -> range:
    """Return the cells of a scroll bar that its thumb takes, as `textual.scrollbar` has it in whole cells."""
    if lines <= height:
        return range(0)
    size = max(1.0, height * height / lines)
    start = int((height - size) * (top / (lines - height)) * 8)
    end = start + -int(-size * 8 // 1)
    return range(start // 8, end // 8)


def fill(runs: list[Run[Ink]], width: int, style: Ink) -> list[Run[Ink]]:
    """Return runs of exactly so many cells."""
    left = width
    kept: list[Run[Ink]] = []
    for text, ink in runs:
        cells = cell_len(text)
        shown = text if cells <= left else set_cell_size(text, left)
        left -= min(cells, left)
        kept.append((shown, ink))
    return [*kept, (" " * left, style)] if left else kept
