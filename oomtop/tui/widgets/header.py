"""The header line: host, kernel, uptime, rights, own protection, modes, clock."""

from __future__ import annotations

import time
from collections.abc import Callable

from rich.cells import cell_len

from oomtop.analysis.model.assessment import Assessment
from oomtop.analysis.scope import scope_marks
from oomtop.tui.base.session import OwnState
from oomtop.tui.style.palette import Look
from oomtop.tui.style.text import Text
from oomtop.tui.widgets.text_parts import Draw
from oomtop.units import format_duration, printable

TABS = (("processes", "Processes"), ("cgroups", "Cgroups"), ("events", "Events"), ("kernel", "Kernel"))
"""(id, title) of every tab, in the order of the Tab key and of the header."""
_NEWS_SECONDS = 60.0


def draw_header(standing: Callable[[], OwnState], tab: str | None = None) -> Draw:
    """Return the drawing function of the header for a source of standings, on the tab `tab` or on none."""

    def draw(assessment: Assessment, width: int, height: int, look: Look) -> list[Text]:
        own = standing()
        line = Text(" oomtop ", look.style("accent", bold=True))
        for name, title in TABS:
            is_here = name == tab
            style = look.style("accent", bold=True) if is_here else ""
            line.append(f"[{title}]" if is_here else f" {title} ", style)
        clock = f"{own.interval:g}s  {time.strftime('%H:%M:%S', time.localtime(assessment.time))} "
        room = width - line.cell_len - len(clock) - 1
        line.append_text(_told(assessment, own, room, look))
        line.append(clock.rjust(max(0, width - line.cell_len)))
        return [line]

    return draw


def _told(assessment: Assessment, own: OwnState, room: int, look: Look) -> Text:
    """Return what fits between the tabs and the clock: news and modes before what never changes."""
    machine = assessment.machine
    up = f"up {format_duration(assessment.monotonic)}"
    warn, bad = look.style("warn", bold=True) or "bold", look.style("bad", bold=True) or "bold reverse"
    parts = [(_banner(assessment, room - 2), bad)]
    parts.append((_alert(assessment, min(40, room - 2)), warn))
    parts += [(f"[{mark}]", warn) for mark in (*own.modes, *scope_marks(assessment.scope))]
    parts += [(printable(machine.hostname), ""), (own.rights, ""), (own.guard, ""), (printable(machine.kernel), ""),
              (up, "")]  # fmt: skip
    line = Text()
    for text, style in parts:
        # The whole, or what stands before its reasons: `guarded 45.6M locked`, `not guarded`.
        wholes = (text, text.split(";")[0], text.split(":")[0]) if text == own.guard else (text,)
        shown = next((part for part in wholes if line.cell_len + cell_len(part) + 2 <= room), "")
        if shown:
            line.append("  ").append(shown, style)
    return line


def _alert(assessment: Assessment, most: int) -> str:
    """Return the most severe alert that fires, and how many others do."""
    if not assessment.alerts:
        return ""
    others = len({alert.name for alert in assessment.alerts}) - 1
    more = f" +{others}" if others else ""
    return f"ALERT {printable(assessment.alerts[0].name)}"[: max(5, most - len(more))] + more


def _banner(assessment: Assessment, room: int) -> str:
    """Return the newest kill while it is news, on every tab."""
    newest = assessment.events[0] if assessment.events else None
    if newest is None or newest.time is None or not 0 <= assessment.time - newest.time < _NEWS_SECONDS:
        return ""
    name = newest.victim.name if newest.victim else newest.cgroup or newest.panic or newest.killer
    return f"OOM {assessment.time - newest.time:2.0f}s ago: {printable(name)}"[: max(0, min(40, room))].rstrip()
