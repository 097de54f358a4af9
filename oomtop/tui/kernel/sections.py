"""The parts of the Kernel tab, each a pure drawing function of the assessment."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap

from oomtop.analysis.kernel_state import COSTLY_ORDER, Fragmentation, KernelState, SlabState, ZoneState, zram_ratio
from oomtop.analysis.model.assessment import Assessment, Severity
from oomtop.analysis.settings.verdicts import SettingRow
from oomtop.tui.style.palette import Look
from oomtop.tui.style.text import Text
from oomtop.tui.widgets.text_parts import pairs, section
from oomtop.units import DASH, format_bytes, format_count, format_share, printable

_MARKS = {Severity.CRITICAL: ("!!", "bad"), Severity.WARNING: ("! ", "warn"), Severity.INFO: ("i ", "accent")}
_SLABS = 20
_DETAIL_LINES = 4
_VALUE_WIDTH = 9


def setting_line(row: SettingRow, selected: bool, width: int, look: Look) -> Text:
    """Return a setting as one line: mark, name, value, default and verdict."""
    mark, style = _MARKS[row.verdict.severity] if row.verdict else ("  ", "")
    value, default = " ".join(printable(row.value).split()), row.default or "by size"
    if len(value) > _VALUE_WIDTH:
        value = value[: _VALUE_WIDTH - 1] + (">" if look.ascii else "…")
    name = row.name.replace("transparent_hugepage", "thp")
    line = Text(
        f"{mark}{name:24} {value:>{_VALUE_WIDTH}} {default:>8}  ", look.style(style, bold=True) if style else ""
    )
    line.append(row.verdict.text if row.verdict else row.what, "" if row.verdict else look.style("dim"))
    line.truncate(width, overflow="ellipsis" if not look.ascii else "crop", pad=True)
    if selected:
        line.stylize("reverse bold")
    return line


def draw_setting(row: SettingRow | None, width: int, look: Look) -> list[Text]:
    """Return four lines: what the selected setting is, the verdict on its value, how to change it."""
    if row is None:
        return [Text("")] * _DETAIL_LINES
    where = row.file if row.setting is None else f"vm.{row.name}"
    lines = [Text(f" {where} ", look.style("accent", bold=True) or "bold").append(f"= {printable(row.value)}")]
    lines[0].append(f"  default {row.default or 'depends on RAM size'}", look.style("dim"))
    if row.setting is not None:
        lines[0].append("  Enter or y: change it", look.style("dim"))
    lines += [Text(f" {part}") for part in wrap(row.what, max(20, width - 2))]
    if row.verdict is not None:
        better = "" if row.verdict.recommended is None else f"; try {row.verdict.recommended}"
        style = look.style(_MARKS[row.verdict.severity][1], bold=True)
        lines += [Text(f" {part}", style) for part in wrap(row.verdict.text + better, max(20, width - 2))]
    elif row.risk:
        lines += [Text(f" {part}", look.style("dim")) for part in wrap(row.risk, max(20, width - 2))]
    if row.setting is None:
        lines.append(Text(" read-only here", look.style("dim")))
    return (lines + [Text("")] * _DETAIL_LINES)[:_DETAIL_LINES]


def draw_watermarks(assessment: Assessment, state: KernelState, width: int, look: Look) -> list[Text]:
    """Return free memory and watermarks of each zone."""
    lines = [section("Watermarks", width, look, "below low kswapd reclaims, below min allocations stall")]
    longest = max((len(zone.word) for zone in state.zones), default=0)
    most = max(1, (width - 14 - 2 - longest) // 7)
    titles = ("free", "min", "low", "high", "size", "kept")[:most]
    lines.append(Text(f" {'zone':12} " + " ".join(f"{title:>6}" for title in titles), "bold"))
    return lines + [_zone(zone, most, look) for zone in state.zones]


def _zone(state: ZoneState, most: int, look: Look) -> Text:
    zone = state.zone
    sizes = (zone.free, zone.min, zone.low, zone.high, zone.managed, state.reserve)[:most]
    line = Text(f" {zone.node} {zone.name:10} " + " ".join(f"{format_bytes(size):>6}" for size in sizes))
    style = {"ok": "dim", "kswapd works": "warn"}.get(state.word, "bad")
    return line.append(f"  {state.word}", look.style(style, bold=style != "dim"))


def draw_fragmentation(assessment: Assessment, state: KernelState, width: int, look: Look) -> list[Text]:
    """Return the free blocks of each order, and the share of free memory too fragmented for large requests."""
    kernel = assessment.kernel
    lines = [section("Fragmentation", width, look, "free blocks by order (2^order pages)")]
    if kernel is None or not kernel.buddy:
        return [*lines, Text(" /proc/buddyinfo cannot be read", look.style("warn"))]
    count = max(len(zone.counts) for zone in kernel.buddy)
    # In little room only the large blocks: they run out first.
    orders = range(max(0, count - (width - 12) // 5), count)
    lines.append(Text(f" {'order':11}" + "".join(f"{order:>5}" for order in orders), "bold"))
    for zone in state.fragmentation:
        counts = "".join(f"{format_count(count):>5}" for count in zone.buddy.counts[orders.start :])
        lines.append(Text(f" {zone.buddy.node} {zone.buddy.zone:9}{counts}"))
    return lines + [_unusable(zone, state.huge_page_order, look) for zone in state.fragmentation]


def _unusable(state: Fragmentation, huge: int, look: Look) -> Text:
    costly, large = state.share(COSTLY_ORDER), state.share(huge)
    style = look.style("warn") if (costly or 0) > 0.8 else look.style("dim")
    where = f" {state.buddy.node} {state.buddy.zone:9}"
    text = (
        f"{where}too fragmented for order {COSTLY_ORDER}: {format_share(costly)}, for huge pages: {format_share(large)}"
    )
    return Text(text, style)


def draw_swap_devices(assessment: Assessment, state: KernelState, width: int, look: Look) -> list[Text]:
    """Return the swap devices by priority, and their compression."""
    swap = assessment.swap
    lines = [section("Swap", width, look)]
    if not swap.devices:
        lines.append(Text(" none: without swap a shortage ends in a kill (W add swap)", look.style("warn")))
    else:
        lines.append(Text(f" {'used':>6} {'size':>6} {'prio':>5}  {'kind':9}  device", "bold"))
    for device in sorted(swap.devices, key=lambda device: -device.priority):
        sizes = f" {format_bytes(device.used):>6} {format_bytes(device.size):>6} {device.priority:>5}"
        lines.append(Text(f"{sizes}  {device.kind:9}  {printable(device.filename)}"))
    for zram in swap.zram:
        ratio = zram_ratio(zram)
        shown = DASH if ratio is None else f"{ratio:.1f}x"
        text = (
            f" {zram.name}: {format_bytes(zram.orig_data_size)} in {format_bytes(zram.mem_used_total)} of RAM, {shown}"
        )
        lines.append(Text(f"{text} with {zram.algorithm or DASH}, at most {format_bytes(zram.disksize)}"))
    if swap.zswap is not None:
        lines.append(_zswap(assessment, state.zswap_ratio, look))
    return lines


def _zswap(assessment: Assessment, ratio: float | None, look: Look) -> Text:
    swap = assessment.swap
    assert swap.zswap is not None
    if not swap.zswap.enabled:
        return Text(" zswap: off", look.style("dim"))
    shown = DASH if ratio is None else f"{ratio:.1f}x"
    text = f" zswap: {format_bytes(swap.zswapped)} in {format_bytes(swap.zswap_pool)} of RAM, {shown}"
    return Text(
        f"{text} with {printable(swap.zswap.compressor or DASH)}, at most {swap.zswap.max_pool_percent} % of RAM"
    )


def draw_overcommit(assessment: Assessment, state: KernelState, width: int, look: Look) -> list[Text]:
    """Return committed memory and the commit limit."""
    memory, kernel = assessment.memory, assessment.kernel
    mode = kernel.number("overcommit_memory") if kernel else None
    word = {0: "refuse only obvious excess", 1: "never refuse", 2: "refuse beyond CommitLimit"}.get(mode or 0, DASH)
    items = [
        ("mode", DASH if mode is None else f"{mode}: {word}"),
        ("Committed_AS", format_bytes(memory.committed)),
        ("CommitLimit", format_bytes(memory.commit_limit)),
        ("promised", f"{format_share(state.commit_share)} of it{'' if mode == 2 else ' (not enforced in this mode)'}"),
    ]
    return [section("Overcommit", width, look), *pairs(items, width, look)]


def draw_huge_pages(assessment: Assessment, state: KernelState, width: int, look: Look) -> list[Text]:
    """Return the pools of huge pages and the transparent ones."""
    kernel, meminfo = assessment.kernel, assessment.meminfo
    lines = [section("Huge pages", width, look)]
    for pool in kernel.huge_pools if kernel else ():
        if pool.total or pool.overcommit:
            idle = max(0, pool.free - pool.reserved) * pool.page_size
            text = (
                f" {format_bytes(pool.page_size)}: {pool.total} in the pool, {pool.free} free, {pool.reserved} reserved"
            )
            lines.append(Text(f"{text}, idle {format_bytes(idle)}", look.style("warn") if idle else ""))
    if len(lines) == 1:
        lines.append(Text(" no huge page pool", look.style("dim")))
    transparent = format_bytes(meminfo.anon_huge_pages if meminfo else None)
    return [*lines, Text(f" transparent: {transparent} of anonymous memory in huge pages")]


def draw_slabs(assessment: Assessment, state: KernelState, width: int, look: Look) -> list[Text]:
    """Return the largest slab caches."""
    meminfo = assessment.meminfo
    total = meminfo.slab if meminfo else None
    kept = format_bytes(meminfo.s_unreclaim if meminfo else None)
    lines = [section("Slab", width, look, f"{format_bytes(total)} of kernel objects, {kept} of it cannot be reclaimed")]
    if state.slabs is None:
        return [*lines, Text(" only root can read /proc/slabinfo, which lists the caches", look.style("warn"))]
    lines.append(Text(f" {'size':>6} {'share':>5} {'idle':>6} {'objects':>7} {'each':>6}  cache", "bold"))
    return lines + [_slab(slab, width, look) for slab in state.slabs[:_SLABS]]


def _slab(state: SlabState, width: int, look: Look) -> Text:
    slab = state.slab
    text = f" {format_bytes(slab.bytes):>6} {format_share(state.share):>5} {format_bytes(state.idle):>6}"
    line = Text(f"{text} {format_count(slab.active_objs):>7} {format_bytes(slab.objsize):>6}  {printable(slab.name)}")
    for text in (state.meaning, state.meaning.partition(";")[0]):
        if text and line.cell_len + 2 + len(text) <= width:
            return line.append(f"  {text}", look.style("dim"))
    return line


def draw_settings(rows: Sequence[SettingRow], cursor: str | None, width: int, look: Look) -> list[Text]:
    """Return all settings, with the one under the cursor marked."""
    if not rows:
        return [section("Settings", width, look), Text(" /proc/sys/vm cannot be read", look.style("warn"))]
    title = Text(f"  {'setting':24} {'value':>9} {'default':>8}", "bold")
    return [title, *(setting_line(row, row.name == cursor, width, look) for row in rows)]
