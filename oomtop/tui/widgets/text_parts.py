"""Small pieces of text that the screens of one thing share: section titles, figures with labels."""

from __future__ import annotations

from collections.abc import Callable

from oomtop.analysis.model.assessment import Assessment
from oomtop.tui.style.cell_width import cell_len, set_cell_size
from oomtop.tui.style.palette import Look
from oomtop.tui.style.text import Text

Draw = Callable[[Assessment, int, int, Look], list[Text]]
"""(assessment, width, height, look) to the lines of a panel."""


def section(title: str, width: int, look: Look, note: str = "") -> Text:
    """Return a section's title line, ruled to the width, with a note in it where that has room."""
    line = Text(f"{title} ", look.style("accent", bold=True) or "bold")
    if note and cell_len(title) + cell_len(note) + 2 <= width:
        line.append(f"{note} ", look.style("dim"))
    rule = "-" if look.ascii else "─"
    return line.append(rule * max(0, width - line.cell_len), look.style("dim"))


def keep_end(text: str, width: int, look: Look) -> str:
    """Return a path cut at its start to `width` cells: its end tells more."""
    if cell_len(text) <= width:
        return text
    mark = ".." if look.ascii else "…"
    return mark + set_cell_size(text[::-1], max(0, width - len(mark)))[::-1]


def keep_start(text: str, width: int, look: Look) -> str:
    """Return a sentence cut at its end to `width` cells, with a mark."""
    if cell_len(text) <= width:
        return text
    mark = ".." if look.ascii else "…"
    return set_cell_size(text, max(0, width - len(mark))) + mark


def pairs(items: list[tuple[str, str]], width: int, look: Look, indent: int = 1) -> list[Text]:
    """Return `label value` pairs side by side, as many in a line as fit."""
    lines = [Text(" " * indent)]
    for label, value in items:
        length = cell_len(label) + cell_len(value) + 3
        if lines[-1].cell_len + length > width and lines[-1].cell_len > indent:
            lines.append(Text(" " * indent))
        lines[-1].append(f"{label} ", look.style("dim")).append(f"{value}  ")
    return lines
