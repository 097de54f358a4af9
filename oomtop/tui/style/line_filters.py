"""Filters of every line sent to the terminal: no control character, no link; on request no colour, only ASCII.

With `--ascii` names of processes keep their own letters, for only what is drawn is replaced; where the locale has no
UTF-8 they become question marks.
"""

from __future__ import annotations

from functools import lru_cache
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter
from textual.scrollbar import ScrollBar, ScrollBarRender

from oomtop.tui.style.gates import ascii_of, is_lit, safe


class WholeCells(ScrollBarRender):
    """A thumb without the eighths of a cell at its ends, which look like debris beside text and move with every row."""

    VERTICAL_BARS: ClassVar[list[str]] = [" "] * 8


ScrollBar.renderer = WholeCells


class SafeLines(LineFilter):
    """Removes all that the terminal would obey: the last filter, after `printable` at every source."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return the segments without control characters and links."""
        return [segment if _is_safe(segment) else _safe(segment) for segment in segments]


def _is_safe(segment: Segment) -> bool:
    return segment.text.isprintable() and (segment.style is None or segment.style.link is None)


def _safe(segment: Segment) -> Segment:
    style = segment.style
    without_link = style.update_link(None) if style is not None and style.link is not None else style
    return Segment(safe(segment.text), without_link)


class ColourlessLines(LineFilter):
    """Leaves attributes only, on the terminal's own ground; what stood out by its background is reversed."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return the segments without any colour."""
        return [
            segment if segment.style is None else segment._replace(style=_without_colour(segment.style))
            for segment in segments
        ]


@lru_cache(1024)
def _without_colour(style: Style) -> Style:
    """Return the attributes of a style, reversed on a light background."""
    ground = style.bgcolor
    plain = style.without_color
    if ground is None or ground.triplet is None or not is_lit(*ground.triplet):
        return plain
    return plain + Style(reverse=not style.reverse)


class AsciiLines(LineFilter):
    """Draws borders, scroll bars and arrows, also those of Textual's own widgets, as ASCII."""

    def __init__(self, names_too: bool = False) -> None:
        super().__init__()
        self._names_too = names_too

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return the segments with every drawn character that ASCII lacks replaced by one as wide."""
        return [
            segment if segment.text.isascii() else segment._replace(text=ascii_of(segment.text, self._names_too))
            for segment in segments
        ]
