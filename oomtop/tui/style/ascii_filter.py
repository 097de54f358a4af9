"""What a poor terminal is sent: with `--ascii` nothing but ASCII, whoever drew it; scroll bars of whole cells.

Names of processes keep their own letters: only what is drawn is replaced.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from textual.app import App
from textual.color import Color
from textual.filter import LineFilter
from textual.scrollbar import ScrollBar, ScrollBarRender

from oomtop.tui.style.palette import Look

_LINES = str.maketrans(
    {
        **dict.fromkeys("─━▁▔╌┄", "-"),
        **dict.fromkeys("│┃▏▕▎▊▌▐", "|"),
        **dict.fromkeys("╭╮╰╯┌┐└┘├┤┬┴┼", "+"),
        **dict.fromkeys("▂▃▄▅▆▇", " "),
        "█": "#", "…": ">", "▼": "v", "▲": "^", "▶": ">", "▸": ">", "•": "*", "»": ">",
        "🔎": "/ ", "\N{NO-BREAK SPACE}": " ",
    }
)  # fmt: skip


class WholeCells(ScrollBarRender):
    """A thumb without the eighths of a cell at its ends, which look like debris beside text and move with every row."""

    VERTICAL_BARS: ClassVar[list[str]] = [" "] * 8


ScrollBar.renderer = WholeCells


class AsciiLines(LineFilter):
    """Draws borders, scroll bars and arrows, also those of Textual's own widgets, as ASCII."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return the segments with every drawn character that ASCII lacks replaced by one as wide."""
        return [
            segment if segment.text.isascii() else segment._replace(text=segment.text.translate(_LINES))
            for segment in segments
        ]


class PlainApp(App[None]):
    """An app whose lines are ASCII where its look says so."""

    look: Look

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Return what every line passes on its way to the terminal."""
        filters = super().get_line_filters()
        return [*filters, _ASCII] if self.look.ascii else filters


_ASCII = AsciiLines()
