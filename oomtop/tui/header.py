"""The header line: host, kernel, uptime, rights, own protection, modes, clock."""

from __future__ import annotations

import time
from collections.abc import Callable

from rich.text import Text

from oomtop.analysis.model import Assessment
from oomtop.tui.look import Look
from oomtop.tui.state import Standing
from oomtop.tui.tab import TABS
from oomtop.units import format_duration, printable

Draw = Callable[[Assessment, int, int, Look], list[Text]]

_NEWS_SECONDS = 60.0


def draw_header(standing: Callable[[], Standing], tab: str | None = None) -> Draw:
    """Return the drawing function of the header for a source of standings, on the tab `tab` or on none."""

    def draw(assessment: Assessment, width: int, height: int, look: Look) -> list[Text]:
        own = standing()
        machine = assessment.machine
        up = format_duration(assessment.monotonic)
        parts = [printable(machine.hostname), printable(machine.kernel), f"up {up}", own.rights, own.guard]
        if width < 140:
            parts = [parts[0], own.rights]
        line = Text(" oomtop ", look.style("accent", bold=True))
        for name, title in TABS:
            line.append(
                f"[{title}]" if name == tab else f" {title} ", look.style("accent", bold=True) if name == tab else ""
            )
        banner = _banner(assessment)
        if banner:
            line.append(f" {banner} ", look.style("bad", bold=True) or "bold reverse")
        else:
            line.append("  ").append("  ".join(part for part in parts if part))
        for mode in own.modes:
            line.append(f"  [{mode}]", look.style("warn", bold=True))
        clock = f"{own.interval:g}s  {time.strftime('%H:%M:%S', time.localtime(assessment.time))} "
        line.append(clock.rjust(max(0, width - line.cell_len)))
        return [line]

    return draw


def _banner(assessment: Assessment) -> str:
    """Return the newest kill while it is news, on every tab in place of what the header tells in calm times."""
    newest = assessment.events[0] if assessment.events else None
    if newest is None or newest.time is None or not 0 <= assessment.time - newest.time < _NEWS_SECONDS:
        return ""
    name = newest.victim.name if newest.victim else newest.cgroup or newest.panic or newest.killer
    return f"OOM {assessment.time - newest.time:.0f}s ago: {printable(name)[:24]}"
