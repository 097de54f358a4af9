"""The event pane: the last OOM events and outcomes of actions, newest first."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from oomtop.analysis.dangers.order import JUST_KILLED
from oomtop.analysis.model.assessment import Assessment
from oomtop.analysis.sentences import describe_event
from oomtop.analysis.unlogged_kills import describe_unlogged
from oomtop.oomlog.event import OomEvent
from oomtop.tui.base.session import Remark
from oomtop.tui.style.palette import Look
from oomtop.tui.style.text import Text
from oomtop.tui.widgets.text_parts import keep_start
from oomtop.units import printable

PAST = 15 * 60.0


def event_height(remarks: Callable[[], Sequence[Remark]]) -> Callable[[Assessment, int, int], int]:
    """Return what tells the lines of the pane; on a small terminal only as many as there are."""

    def height(assessment: Assessment, columns: int, rows: int) -> int:
        most = 0 if rows < 16 else 2 if rows < 34 else 4 if rows < 50 else 7
        if rows >= 34:
            return most
        lines = len(assessment.events[:most]) + len(remarks()) + bool(assessment.unlogged_kills)
        return min(most, max(1, lines))

    return height


def draw_events(remarks: Callable[[], Sequence[Remark]]) -> Callable[[Assessment, int, int, Look], list[Text]]:
    """Return the drawing function for a source of remarks."""

    def draw(assessment: Assessment, width: int, height: int, look: Look) -> list[Text]:
        now = assessment.time
        entries = [
            (event.time or 0.0, printable(describe_event(event)), weight_of_kill(event.time, now, look))
            for event in assessment.events[:height]
        ]
        entries += [(when, printable(text), look.style("accent")) for when, text in remarks()]
        entries.sort(key=lambda entry: entry[0], reverse=True)
        lines = [_line(when, text, style, now, width, look) for when, text, style in entries[:height]]
        unlogged = describe_unlogged(assessment.unlogged_kills)
        if unlogged and len(lines) < height:
            lines.append(Text(f" {unlogged}", look.style("warn")))
        nothing = " no OOM kill in the kernel log" if assessment.log_read else " reading the kernel log"
        return lines or [Text(nothing, look.style("dim"))]

    return draw


def event_at(assessment: Assessment, remarks: Sequence[Remark], line: int) -> OomEvent | None:
    """Return the event on a line of the pane, None on a remark and below the last one."""
    entries: list[tuple[float, OomEvent | None]] = [
        (event.time or 0.0, event) for event in assessment.events[: line + 1]
    ]
    entries += [(when, None) for when, _ in remarks]
    entries.sort(key=lambda entry: entry[0], reverse=True)
    return entries[line][1] if line < len(entries) else None


def weight_of_kill(when: float | None, now: float, look: Look) -> str:
    """Return the style of a kill: bold for a minute, dim after a quarter of an hour."""
    age = None if when is None else now - when
    if age is not None and 0 <= age < JUST_KILLED:
        return look.style("warn", bold=True) or "bold"
    return "" if age is not None and age < PAST else look.style("dim")


def _line(when: float, text: str, style: str, now: float, width: int, look: Look) -> Text:
    stamp = time.strftime("%H:%M:%S" if now - when < 86400 else "%b %d %H:%M", time.localtime(when)) if when else "-"
    return Text(keep_start(f" {stamp} {text}", width, look), style)
