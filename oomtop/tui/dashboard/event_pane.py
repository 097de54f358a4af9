"""The event pane: the last OOM events and what came of the actions, newest first."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from oomtop.analysis.model.assessment import Assessment
from oomtop.analysis.sentences import describe_event
from oomtop.analysis.unlogged_kills import describe_unlogged
from oomtop.tui.base.session import Remark
from oomtop.tui.style.palette import Look
from oomtop.tui.style.text import Text
from oomtop.units import printable


def draw_events(remarks: Callable[[], Sequence[Remark]]) -> Callable[[Assessment, int, int, Look], list[Text]]:
    """Return the drawing function for a source of remarks."""

    def draw(assessment: Assessment, width: int, height: int, look: Look) -> list[Text]:
        entries = [(event.time or 0.0, f"OOM  {describe_event(event)}", "bad") for event in assessment.events[:height]]
        entries += [(when, text, "accent") for when, text in remarks()]
        entries.sort(key=lambda entry: entry[0], reverse=True)
        lines = [_line(when, text, look.style(style), assessment.time) for when, text, style in entries[:height]]
        for line in lines:
            line.truncate(width, overflow="crop" if look.ascii else "ellipsis")
        unlogged = describe_unlogged(assessment.unlogged_kills)
        if unlogged and len(lines) < height:
            lines.append(Text(unlogged, look.style("warn")))
        nothing = "no OOM kill in the kernel log" if assessment.log_read else "reading the kernel log"
        return lines or [Text(nothing, look.style("dim"))]

    return draw


def _line(when: float, text: str, style: str, now: float) -> Text:
    stamp = time.strftime("%H:%M:%S" if now - when < 86400 else "%b %d %H:%M", time.localtime(when)) if when else "-"
    return Text(f"{stamp}  {printable(text)}", style)
