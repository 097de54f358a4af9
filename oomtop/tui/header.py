"""The header line: host, kernel, uptime, rights, own protection, modes, clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from rich.text import Text

from oomtop.analysis.model import Assessment
from oomtop.tui.look import Look
from oomtop.units import format_duration, printable


@dataclass(frozen=True, slots=True)
class Standing:
    """What the header tells about oomtop itself."""

    rights: str
    guard: str
    modes: tuple[str, ...] = ()
    interval: float = 2.0


def draw_header(standing: Callable[[], Standing]) -> Callable[[Assessment, int, int, Look], list[Text]]:
    """Return the drawing function of the header for a source of standings."""

    def draw(assessment: Assessment, width: int, height: int, look: Look) -> list[Text]:
        own = standing()
        machine = assessment.machine
        up = format_duration(assessment.monotonic)
        parts = [printable(machine.hostname), printable(machine.kernel), f"up {up}", own.rights, own.guard]
        if width < 110:
            parts = [parts[0], f"up {up}", own.rights]
        line = Text(" oomtop ", look.style("accent", bold=True))
        line.append("  ".join(part for part in parts if part))
        for mode in own.modes:
            line.append(f"  [{mode}]", look.style("warn", bold=True))
        clock = f"{own.interval:g}s  {time.strftime('%H:%M:%S', time.localtime(assessment.time))} "
        line.append(clock.rjust(max(0, width - line.cell_len)))
        return [line]

    return draw
