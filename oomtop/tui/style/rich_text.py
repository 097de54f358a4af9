"""From the `Text` of the drawing functions to Rich's, which Textual's widgets render."""

from __future__ import annotations

from collections.abc import Iterable

from rich import text as rich
from rich.console import Group

from oomtop.tui.style.text import Text


def to_rich(line: Text) -> rich.Text:
    """Return a line as Rich knows it; it is never wrapped."""
    spans = [rich.Span(start, end, style) for start, end, style in line.spans]
    return rich.Text(line.plain, line.style, no_wrap=True, spans=spans)


def to_group(lines: Iterable[Text]) -> Group:
    """Return lines one below the other."""
    return Group(*map(to_rich, lines))
