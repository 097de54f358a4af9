"""The event pane: the last OOM events and outcomes of actions, newest first."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from oomtop.analysis.dangers.order import JUST_KILLED
from oomtop.analysis.model.assessment import Assessment
from oomtop.analysis.sentences import describe_event
from oomtop.analysis.unlogged_kills import describe_unlogged, reads_kernel_log
from oomtop.oomlog.event import OomEvent
from oomtop.tui.base.session import Remark
from oomtop.tui.style.cell_width import cell_len
from oomtop.tui.style.palette import Look
from oomtop.tui.style.text import Text
from oomtop.tui.widgets.text_parts import keep_start, section
from oomtop.units import printable

PAST = 15 * 60.0
RAIL_WIDTH = 48
"""Cells of the rail of kills beside the table."""
_RAIL_COLUMNS, _RAIL_ROWS = 160, 34
_PANE_LINES = 7
_INDENT = " " * 10


def event_height(remarks: Callable[[], Sequence[Remark]]) -> Callable[[Assessment, int, int], int]:
    """Return the function that gives the height of the pane: one line without news, on a small terminal one per event.

    On a large terminal it grows only once: another layout sends the whole screen.
    """

    def height(assessment: Assessment, columns: int, rows: int) -> int:
        if has_rail(assessment, remarks(), columns, rows):
            return rows
        most = 0 if rows < 16 else 2 if rows < 34 else 4 if rows < 50 else 7
        lines = len(assessment.events[:most]) + len(remarks()) + bool(assessment.unlogged_kills)
        return most if lines and rows >= 34 else min(most, max(1, lines))

    return height


def has_rail(assessment: Assessment, remarks: Sequence[Remark], columns: int, rows: int) -> bool:
    """Whether kills and actions stand in a rail beside the table: on a large terminal, where there are any."""
    return columns >= _RAIL_COLUMNS and rows >= _RAIL_ROWS and bool(assessment.events or remarks)


def draw_events(remarks: Callable[[], Sequence[Remark]]) -> Callable[[Assessment, int, int, Look], list[Text]]:
    """Return the drawing function for a source of remarks."""
    return lambda assessment, *shape: [line for line, _ in _told(assessment, remarks(), *shape)]


def event_at(
    assessment: Assessment, remarks: Sequence[Remark], line: int, size: tuple[int, int], look: Look
) -> OomEvent | None:
    """Return the event on a line of a pane of this size, None on a remark and below the last one."""
    told = _told(assessment, remarks, *size, look)
    return told[line][1] if line < len(told) else None


def _told(
    assessment: Assessment, remarks: Sequence[Remark], width: int, height: int, look: Look
) -> list[tuple[Text, OomEvent | None]]:
    """Return the lines of the pane, each with its event; the rail, higher than wide, has them in full."""
    now = assessment.time
    entries: list[tuple[float, str, str, OomEvent | None]] = [
        (event.time or 0.0, describe_event(event), weight_of_kill(event.time, now, look), event)
        for event in assessment.events[:height]
    ]
    entries += [(when, text, look.style("accent"), None) for when, text in remarks]
    entries.sort(key=lambda entry: entry[0], reverse=True)
    is_rail = width <= RAIL_WIDTH and height > _PANE_LINES
    lines: list[tuple[Text, OomEvent | None]] = [(section("Kills, actions", width, look, "click: why"), None)]
    lines = lines if is_rail else []
    for when, text, style, event in entries:
        whole = f" {_stamp(when, now)} {printable(text)}"
        parts = _in_full(whole, width) if is_rail else [_in_one_line(whole, width, look)]
        lines += [(Text(part, style), event) for part in parts]
    unlogged = describe_unlogged(assessment.unlogged_kills)
    if unlogged and len(lines) < height:
        lines.append((Text(keep_start(f" {unlogged}", width, look), look.style("warn")), None))
    reads = "no OOM kill in the kernel log" if reads_kernel_log(assessment) else "the kernel log cannot be read"
    nothing = f" {reads}" if assessment.log_read else " reading the kernel log"
    return lines[:height] or [(Text(nothing, look.style("dim")), None)]


def _in_full(whole: str, width: int) -> list[str]:
    from textwrap import wrap

    return wrap(whole, width, subsequent_indent=_INDENT)


def _in_one_line(whole: str, width: int, look: Look) -> str:
    """Return a line that fits; the most frequent killer is left out before a limit is."""
    short = whole.replace(" kernel killed ", " killed ", 1)
    return whole if cell_len(whole) <= width else keep_start(short, width, look)


def weight_of_kill(when: float | None, now: float, look: Look) -> str:
    """Return the style of a kill: bold for a minute, dim after a quarter of an hour."""
    age = None if when is None else now - when
    if age is not None and 0 <= age < JUST_KILLED:
        return look.style("warn", bold=True) or "bold"
    return "" if age is not None and age < PAST else look.style("dim")


def _stamp(when: float, now: float) -> str:
    return time.strftime("%H:%M:%S" if now - when < 86400 else "%b %d %H:%M", time.localtime(when)) if when else "-"
