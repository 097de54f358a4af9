"""The painter of the process table: columns, painted lines and theme styles."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from oomtop.tui.process_table.cells import (
    Frame,
    LineLook,
    Marks,
    cells_of,
    changed_width,
    header,
    look,
    paint,
    paint_header,
)
from oomtop.tui.process_table.columns import BY_ID, ColumnContext, columns_for, columns_from
from oomtop.tui.process_table.rows import Entry, Key, View


class TableFace:
    """Paints lines and remembers them, so that only changed lines are repainted."""

    def __init__(self, find_style: Callable[[str], Style], columns: Sequence[str]) -> None:
        self.chosen = tuple(columns)
        """The ids of the columns to show, none for those that fit."""
        self.frame = Frame((), 0, False)
        self._find_style = find_style
        self._styles: dict[str, Style] = {}
        self._painted: dict[int, LineLook | None] = {}
        self._moment: ColumnContext | None = None
        self._cells: dict[Key, tuple[Entry, tuple[str, ...]]] = {}
        """What stands in the columns of the lines that were looked at since `_moment`."""

    @property
    def last_pan(self) -> int:
        """The pan at which only the pid and the command are left; beyond it the command moves."""
        return max(0, len(self.chosen or BY_ID) - 2)

    @property
    def shows_ranks(self) -> bool:
        """Whether the kill rank is among the columns."""
        return any(column.id == "rank" for column in self.frame.columns)

    def lay_out(self, width: int, view: View, pan: int, empty: frozenset[str]) -> None:
        """Choose the columns for a width, without those of `empty` unless they were asked for."""
        ids = self.chosen or None
        columns = columns_from(pan, width, ids) if pan else columns_for(width, ids, view.column.id, empty)
        self.frame = Frame(columns, width, view.ascii, max(0, pan - self.last_pan))
        self.forget_lines()

    def forget_lines(self) -> None:
        """Compare with nothing: all lines are going to be painted."""
        self._painted.clear()
        self._cells.clear()

    def forget_styles(self) -> None:
        """Ask the theme anew."""
        self._styles.clear()

    def look(self, entry: Entry, moment: ColumnContext, marks: Marks) -> LineLook:
        """Return the look of a line: its texts are made once a tick, though a cursor passes it many times."""
        if moment is not self._moment:
            self._moment = moment
            self._cells.clear()
        known = self._cells.get(entry.key)
        if known is None or known[0] is not entry:
            known = self._cells[entry.key] = entry, cells_of(entry, self.frame, moment)
        return look(entry, known[1], self.frame, marks)

    def differing(self, look_at: Callable[[int], LineLook | None]) -> Iterator[tuple[int, int]]:
        """Yield (line, last cell) of the lines that differ from the screen."""
        for y, painted in self._painted.items():
            width = changed_width(painted, look_at(y), self.frame)
            if width:
                yield y, width

    def header(self, view: View, note: Sequence[str]) -> Strip:
        """Return the painted header, with what is said about the rows behind the last title."""
        titles = header(self.frame, view.column, view.descending, note)
        runs = paint_header(titles, self.frame, view.column, self._style)
        segments = [Segment(*run) for run in runs]
        return Strip(segments).adjust_cell_length(self.frame.width, self._style("header")).simplify()

    def line(self, y: int, look: LineLook | None, base: Style) -> Strip:
        """Return a painted line and remember its look."""
        self._painted[y] = look
        if look is None:
            return Strip.blank(self.frame.width, base)
        filler = base + (self._style("cursor") if "cursor" in look.states else Style.null())
        # Neighbours of one style become one segment: 120 cells cost 250 bytes on the wire instead of 730.
        segments = [Segment(*run) for run in paint(look, self.frame, base, self._style)]
        return Strip(segments).adjust_cell_length(self.frame.width, filler).simplify()

    def _style(self, name: str) -> Style:
        style = self._styles.get(name)
        if style is None:
            style = self._styles[name] = self._find_style(name)
        return style
