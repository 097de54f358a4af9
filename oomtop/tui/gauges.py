"""Swap and pressure: one line each."""

from __future__ import annotations

from rich.text import Text

from oomtop.analysis.model import Assessment
from oomtop.host.pressure import PressureLine
from oomtop.tui.look import Look
from oomtop.units import DASH, format_bytes, format_count, format_duration, format_rate

_MARKED = 15 * 60.0


def draw_swap(assessment: Assessment, width: int, height: int, look: Look) -> list[Text]:
    """Return swap space, its traffic, zram and zswap."""
    swap = assessment.swap
    line = Text("Swap ")
    if not swap.total:
        return [line.append("none" if swap.total == 0 else DASH).append("   (W adds some)", look.style("dim"))]
    share = (swap.used or 0) / swap.total
    style = look.style("bad", bold=True) if share > 0.9 else look.style("warn") if share > 0.5 else ""
    line.append(f"{format_bytes(swap.used)} of {format_bytes(swap.total)} used", style)
    line.append(f"   in {format_rate(swap.in_rate)}  out {format_rate(swap.out_rate)}")
    line.append(f"   cached {format_bytes(swap.cached)}")
    for device in swap.zram:
        ratio = device.orig_data_size / device.compr_data_size if device.compr_data_size else None
        shown = DASH if ratio is None else f"{ratio:.1f}x"
        line.append(f"   {device.name} {format_bytes(device.mem_used_total)} {shown}")
    if swap.zswap and swap.zswap.enabled:
        line.append(f"   zswap {format_bytes(swap.zswap_pool)} holds {format_bytes(swap.zswapped)}")
    return [line]


def draw_pressure(assessment: Assessment, width: int, height: int, look: Look) -> list[Text]:
    """Return PSI of memory, faults, refaults, stalls, and the count of kills."""
    figures = assessment.pressure
    line = Text("PSI  ")
    if figures.memory is None:
        line.append(f"{DASH} not available", look.style("dim"))
    else:
        some, full = figures.memory.some, figures.memory.full
        line.append(f"some {_averages(some, width)}", _psi_style(some.avg10, look))
        if full is not None:
            line.append(f"  full {_averages(full, width)}", _psi_style(full.avg10 * 3, look))
    line.append(f"  majf {format_count(figures.major_fault_rate)}/s")
    if width >= 100:
        line.append(f"  refault {format_rate(figures.refault_rate)}")
        line.append(f"  stalls {format_count(figures.direct_reclaim_rate)}/s")
    line.append("  ").append_text(_kills(assessment, look))
    return [line]


def _averages(stalled: PressureLine, width: int) -> str:
    """Return the averages over 10, 60 and 300 s; on a narrow screen the last one makes room for the kills."""
    shown = (stalled.avg10, stalled.avg60, stalled.avg300) if width >= 100 else (stalled.avg10, stalled.avg60)
    return " ".join(f"{value:5.1f}" for value in shown)


def _kills(assessment: Assessment, look: Look) -> Text:
    figures = assessment.pressure
    text = Text(f"oom_kill {format_count(figures.oom_kills)}")
    if figures.last_kill_age is not None and figures.last_kill_age < _MARKED:
        text.append(f" {format_duration(figures.last_kill_age // 10 * 10)} ago")
        text.stylize(look.style("bad", bold=True))
    return text


def _psi_style(value: float, look: Look) -> str:
    return look.style("bad", bold=True) if value >= 30 else look.style("warn") if value >= 5 else ""
