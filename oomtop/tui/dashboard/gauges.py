"""Swap and pressure: one line each."""

from __future__ import annotations

from oomtop.analysis.kernel_state import zram_ratio
from oomtop.analysis.model.assessment import Assessment
from oomtop.host.pressure import PressureLine
from oomtop.tui.style.palette import Look
from oomtop.tui.style.text import Text
from oomtop.units import DASH, format_bytes, format_count, sparkline

_CELL_SECONDS = 20.0
_CELLS, _LEAST_CELLS = 30, 3
_FULL_HEIGHT = 20.0
"""PSI percentage at full height, unless a higher one was seen."""
_FORMS = ((3, 3), (3, 2), (2, 2), (2, 1), (2, 0), (1, 0))
"""(averages, rates) on a line, fewer in less room."""


def draw_swap(assessment: Assessment, width: int, height: int, look: Look) -> list[Text]:
    """Return swap space, its traffic, zram and zswap."""
    swap = assessment.swap
    line = Text("Swap ")
    if not swap.total:
        return [line.append("none" if swap.total == 0 else DASH).append("   (W add swap)", look.style("dim"))]
    share = (swap.used or 0) / swap.total
    style = look.style("bad", bold=True) if share > 0.9 else look.style("warn") if share > 0.5 else ""
    line.append(f"{format_bytes(swap.used):>5} of {format_bytes(swap.total)} used", style)
    line.append(f"   in {_flow(swap.in_rate)}  out {_flow(swap.out_rate)}")
    line.append(f"   cached {format_bytes(swap.cached):>5}")
    for device in swap.zram:
        ratio = zram_ratio(device)
        shown = DASH if ratio is None else f"{ratio:.1f}x"
        line.append(f"   {device.name} {format_bytes(device.mem_used_total)} {shown}")
    if swap.zswap and swap.zswap.enabled:
        line.append(f"   zswap {format_bytes(swap.zswap_pool)} holds {format_bytes(swap.zswapped)}")
    return [line]


def draw_pressure(assessment: Assessment, width: int, height: int, look: Look) -> list[Text]:
    """Return PSI of memory, faults, refaults and stalls: as much of it as the width takes."""
    every = (_pressure(assessment, look, averages, rates) for averages, rates in _FORMS)
    shortest = _pressure(assessment, look, *_FORMS[-1])
    line = next((line for line in every if line.cell_len <= width), shortest)
    return [line.append(_past(assessment, width - line.cell_len - 2, look), look.style("dim"))]


def _past(assessment: Assessment, room: int, look: Look) -> str:
    """Return the highest `some` of each 20 s of the last ten minutes, one cell each; empty without room or PSI.

    The cells start at multiples of 20 s, so that they do not move on every tick.
    """
    series = assessment.series
    last = int(assessment.time // _CELL_SECONDS)
    count = min(room, _CELLS, last - int(series.times[0] // _CELL_SECONDS) + 1) if series.times else 0
    if count < _LEAST_CELLS or assessment.pressure.memory is None:
        return ""
    highest = [0.0] * count
    for time, some in zip(series.times, series.some_avg10, strict=True):
        at = count - 1 - (last - int(time // _CELL_SECONDS))
        if at >= 0 and some is not None:
            highest[at] = max(highest[at], some)
    return f"  {sparkline(highest, count, 0.0, max(_FULL_HEIGHT, *highest), look.ascii)}"


def _pressure(assessment: Assessment, look: Look, averages: int, rates: int) -> Text:
    """Return the line with the first 2 or 3 averages and the first 1 to 3 rates."""
    figures = assessment.pressure
    line = Text("PSI  ")
    if figures.memory is None:
        line.append(f"{DASH} not available", look.style("dim"))
    else:
        some, full = figures.memory.some, figures.memory.full
        line.append(f"some {_averages(some, averages)}", _psi_style(some.avg10, look))
        if full is not None:
            line.append(f"  full {_averages(full, averages)}", _psi_style(full.avg10 * 3, look))
    texts = (
        f"disk faults {format_count(figures.major_fault_rate):>4}/s",
        f"refault {_flow(figures.refault_rate)}",
        f"stalls {format_count(figures.direct_reclaim_rate):>4}/s",
    )
    return line.append("".join(f"  {text}" for text in texts[:rates]))


def _flow(rate: float | None) -> str:
    """Return bytes per second in a fixed width."""
    return f"{format_bytes(rate):>5}/s"


def _averages(stalled: PressureLine, count: int) -> str:
    return " ".join(f"{value:5.1f}" for value in (stalled.avg10, stalled.avg60, stalled.avg300)[:count])


def _psi_style(value: float, look: Look) -> str:
    return look.style("bad", bold=True) if value >= 30 else look.style("warn") if value >= 5 else ""
