"""Of an update only the cells that differ from what stands on the terminal are sent.

Textual sends a changed line from the left edge of its widget, with every style anew: over a slow link that is most of
what goes over the wire.
"""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.control import Control
from rich.style import Style
from textual.strip import Strip

from oomtop.tui.style.cell_width import cell_len
from oomtop.tui.terminal.textual_private import ChopsUpdate

_GAP = 8
"""Equal cells between two that differ from which on it is shorter to move the cursor than to send them again."""
Cell = tuple[str, Style | None]


class Painted:
    """The strips that stand on the terminal, line by line, as far as they are known."""

    def __init__(self) -> None:
        self._lines: dict[int, tuple[tuple[int, ...], dict[int, Strip]]] = {}

    def forget(self) -> None:
        """Know nothing: what comes next is sent whole."""
        self._lines.clear()

    def replace(self, y: int, cuts: tuple[int, ...], x: int, strip: Strip) -> Strip | None:
        """Take a strip for painted and return the one before, None where the line was divided otherwise."""
        known = self._lines.get(y)
        if known is None or known[0] != cuts:
            known = self._lines[y] = (cuts, {})
        before = known[1].get(x)
        known[1][x] = strip
        return before


class ChangedCells(ChopsUpdate):
    """An update of parts of lines without the cells that stand there already."""

    def __init__(self, update: ChopsUpdate, painted: Painted) -> None:
        super().__init__(update.chops, update.spans, update.chop_ends)
        self._painted = painted

    def render_segments(self, console: Console) -> str:
        """Return the escape sequences of the cells that differ."""
        parts: list[str] = []
        for x, y, strip in self._strips():
            before = self._painted.replace(y, (*self.chops[y], *self.chop_ends[y][-1:]), x, strip)
            for start, end in differing(before, strip):
                parts += Control.move_to(x + start, y).segment.text, strip.crop(start, end).render(console)
        return "".join(parts)

    def _strips(self) -> Iterator[tuple[int, int, Strip]]:
        for y, left, right in self.spans:
            for end, (x, strip) in zip(self.chop_ends[y], self.chops[y].items(), strict=False):
                if strip is not None and x < right and end > left:
                    yield x, y, strip


def differing(before: Strip | None, after: Strip) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of the cells that differ, all of them where nothing is known or the lengths differ."""
    if before is after:
        return
    olds, news = [] if before is None else _cells(before), _cells(after)
    # A sequence of characters may take other cells than each of them alone: where a cell begins is not known then.
    if len(olds) != len(news) or len(news) != after.cell_length:
        yield 0, after.cell_length
        return
    start = end = -1
    for at in range(len(news)):
        if olds[at] != news[at]:
            if start >= 0 and at - end >= _GAP:
                yield start, end
                start = at
            start, end = start if start >= 0 else at, at + 1
    if start >= 0:
        yield start, end


def _cells(strip: Strip) -> list[Cell]:
    """Return every cell; a wide character is in both of its cells, what takes none is with the one before."""
    cells: list[Cell] = []
    for text, style, _ in strip:
        if text.isascii():
            cells += [(char, style) for char in text]
            continue
        for char in text:
            width = cell_len(char)
            if not width and cells:
                cells[-1] = (cells[-1][0] + char, style)
            cells += [(f"{char}{part or ''}", style) for part in range(width)]
    return cells
