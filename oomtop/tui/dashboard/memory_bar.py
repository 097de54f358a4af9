"""The memory bar: segments that add up to MemTotal, with marks for MemAvailable and the min watermark."""

from __future__ import annotations

from oomtop.analysis.model.assessment import Assessment, CgroupFigures, MemoryAccount
from oomtop.tui.style.palette import Look
from oomtop.tui.style.text import Text
from oomtop.units import format_bytes, format_share, printable

SEGMENTS: tuple[tuple[str, str, str], ...] = (
    ("anon", "A", "anon"),
    ("shmem", "S", "shmem"),
    ("hugetlb", "H", "huge"),
    ("kernel", "K", "kernel"),
    ("balloon", "B", "balloon"),
    ("compressed", "P", "compr"),
    ("other", "O", "other"),
    ("arc", "Z", "arc"),
    ("slab_reclaimable", "R", "slab"),
    ("page_cache", "C", "cache"),
)
_LEAST_BAR = 20
_AS_OTHER = ("balloon", "compr")
"""Labels without their own theme colour."""
"""(field, letter, label): unreclaimable first, reclaimable last; free memory is blank."""


def draw_memory(assessment: Assessment, width: int, height: int, look: Look) -> list[Text]:
    """Return the bar, its legend, and the bar of oomtop's own container limit, if any."""
    memory = assessment.memory
    total, room = format_bytes(memory.total), format_bytes(memory.available)
    share = format_share(None if memory.available is None else memory.available / memory.total)
    room = f"~{room}" if memory.available_estimated else room
    tails = (f" {room:>5} of {total} available {share:>4}", f" {room} of {total} {share}", f" {share}")
    tail = next((tail for tail in tails if 5 + _LEAST_BAR + len(tail) <= width), tails[-1])
    bar = Text("Mem  ")
    bar.append_text(_bar(memory, max(3, width - 5 - len(tail)), look))
    bar.append(tail, _room_style(memory, look))
    lines = [bar, _legend(memory, width, look)]
    if assessment.limit is not None and height > 2:
        lines.append(_limit(assessment.limit, width, look))
    return lines


def _bar(memory: MemoryAccount, cells: int, look: Look) -> Text:
    text = Text("[")
    inner, done, drawn = cells - 2, 0, 0
    for field, letter, label in SEGMENTS:
        done += max(0, getattr(memory, field) or 0)
        end = min(inner, round(inner * done / memory.total)) if memory.total else 0
        length = end - drawn
        if length > 0:
            coloured = bool(look.palette) and not look.ascii
            text.append((letter + " " * (length - 1)) if coloured else letter * length, look.block(_tone(label)))
        drawn = max(drawn, end)
    text.append_text(_free(memory, inner, drawn, look))
    return text.append("]")


def _tone(label: str) -> str:
    return "other" if label in _AS_OTHER else label


def _free(memory: MemoryAccount, inner: int, drawn: int, look: Look) -> Text:
    """Return the free part, with `|` at the min watermark."""
    sign = "?" if memory.free is None else "." if look.ascii else "·"
    rest = sign * (inner - drawn)
    if memory.min_watermark and rest:
        cells = max(1, round(inner * memory.min_watermark / memory.total))
        rest = rest[: max(0, len(rest) - cells)] + "|" + rest[: cells - 1]
    return Text(rest[: inner - drawn], look.style("dim"))


def _legend(memory: MemoryAccount, width: int, look: Look) -> Text:
    """Return the segments' sizes; where there is no room for all of them, without the smallest."""
    free = f"free {format_bytes(memory.free):>5}"
    sizes = {item: getattr(memory, item[0]) for item in SEGMENTS}
    kept = [item for item in SEGMENTS if (sizes[item] or 0) >= 1 or item[2] in ("anon", "cache")]
    while kept and 5 + len(free) + sum(len(label) + 10 for _, _, label in kept) > width:
        kept.remove(min(kept, key=lambda item: sizes[item] or 0))
    line = Text("     ")
    for item in kept:
        line.append(item[1], look.block(_tone(item[2]))).append(f" {item[2]} {format_bytes(sizes[item]):>5}  ")
    return line.append(free)


def _room_style(memory: MemoryAccount, look: Look) -> str:
    share = 1.0 if memory.available is None else memory.available / memory.total
    return look.style("bad", bold=True) if share < 0.05 else look.style("warn") if share < 0.15 else ""


def _limit(limit: CgroupFigures, width: int, look: Look) -> Text:
    most, left = limit.cgroup.max or 0, limit.headroom or 0
    tail = f" {format_bytes(left)} of {format_bytes(most)} left: own limit, {printable(limit.name)}"[: width // 2]
    inner = max(10, width - 7 - len(tail))
    used = round(inner * (most - left) / most) if most else 0
    text = Text("Own  [")
    text.append("A" * used if look.ascii or not look.palette else " " * used, look.block("anon"))
    return text.append(("." if look.ascii else "·") * (inner - used) + "]" + tail)
