"""Memory, swap and pressure on one line, for small screens with a danger."""

from __future__ import annotations

from oomtop.analysis.model.assessment import Assessment
from oomtop.tui.style.palette import Look
from oomtop.tui.style.text import Text
from oomtop.units import DASH, format_bytes, format_count, format_share


def draw_account(assessment: Assessment, width: int, height: int, look: Look) -> list[Text]:
    """Return ` RAM   22.2G of 23.5G available 94%   swap none   PSI 0 0   disk faults 0/s`."""
    memory, figures = assessment.memory, assessment.pressure
    share = None if memory.available is None or not memory.total else memory.available / memory.total
    line = Text(" RAM   ", look.style("dim"))
    parts = [
        f"{format_bytes(memory.available)} of {format_bytes(memory.total)} available {format_share(share)}",
        f"swap {_swap(assessment)}",
        f"PSI {_pressure(assessment)}",
        f"disk faults {format_count(figures.major_fault_rate)}/s",
    ]
    for part in parts:
        if line.cell_len + len(part) > width:
            break
        line.append(f"{part}   ")
    return [line]


def _swap(assessment: Assessment) -> str:
    swap = assessment.swap
    if not swap.total:
        return "none" if swap.total == 0 else DASH
    return f"{format_bytes(swap.used)} of {format_bytes(swap.total)}"


def _pressure(assessment: Assessment) -> str:
    stalled = assessment.pressure.memory
    if stalled is None:
        return DASH
    full = DASH if stalled.full is None else f"{stalled.full.avg10:.0f}"
    return f"some {stalled.some.avg10:.0f} full {full}"
