"""What ran out: a cgroup's limit, the machine, one zone, contiguous memory; and how the report shows it.

mm/page_alloc.c, __zone_watermark_ok: a request gets a page of a zone while free > min + lowmem_reserve[its zone],
and for order > 0 only where a free chunk of that order exists.  Orders above 3 never call the OOM killer.
Sample line: `Node 0 Normal free:61900kB boost:8192kB min:61948kB low:75384kB high:88820kB ...`
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from oomtop.analysis.postmortem_model import Cause, ZoneVerdict
from oomtop.oomlog.event import OomEvent, ReportZone
from oomtop.units import format_bytes

PAGE_ALLOC_COSTLY_ORDER = 3
# The four zone bits of a gfp mask have kept their places since 2.6.23; the other bits move between versions.
_GFP_DMA, _GFP_HIGHMEM, _GFP_DMA32, _GFP_MOVABLE = 1, 2, 4, 8
_ZONE_ORDER = ("DMA", "DMA32", "Normal", "HighMem", "Movable", "Device")
Told = tuple[Cause, str, tuple[str, ...]]


def judge_zones(event: OomEvent) -> tuple[ZoneVerdict, ...]:
    """Return the verdict on each zone of the report's Mem-Info."""
    present = sorted({zone.name for zone in event.zones if zone.name in _ZONE_ORDER}, key=_ZONE_ORDER.index)
    top = _highest_zone(event)
    return tuple(_judge(zone, present, top, event) for zone in event.zones)


def _highest_zone(event: OomEvent) -> str:
    """Return the highest zone that the request may use; an unknown mask may use all."""
    mask = int(event.gfp_mask, 16) if event.gfp_mask else 0
    if not mask:
        return "Movable"
    if mask & _GFP_DMA:
        return "DMA"
    if mask & _GFP_DMA32:
        return "DMA32"
    if mask & _GFP_HIGHMEM:
        return "Movable" if mask & _GFP_MOVABLE else "HighMem"
    return "Normal"


def _judge(zone: ReportZone, present: Sequence[str], top: str, event: OomEvent) -> ZoneVerdict:
    usable = zone.name not in _ZONE_ORDER or _ZONE_ORDER.index(zone.name) <= _ZONE_ORDER.index(top)
    reserve = _reserve(zone, present, top) * event.page_size
    known = zone.free is not None and zone.min is not None
    short = (zone.free or 0) <= (zone.min or 0) + reserve if known else None
    chunks = [size for size, count in zone.free_lists if count]
    wanted = event.page_size << max(0, event.order or 0)
    name = zone.name if zone.node is None else f"node {zone.node} {zone.name}"
    return ZoneVerdict(
        name=name,
        free=zone.free,
        min=zone.min,
        high=zone.high,
        reserve=reserve,
        usable=usable,
        short=short,
        largest_chunk=max(chunks, default=0) if zone.free_lists else None,
        has_chunk=any(size >= wanted for size in chunks) if zone.free_lists else None,
    )


def _reserve(zone: ReportZone, present: Sequence[str], top: str) -> int:
    """Return the pages kept from a request that could also use higher zones."""
    pages = zone.lowmem_reserve_pages
    below = [name for name in present if _ZONE_ORDER.index(name) <= _ZONE_ORDER.index(top)]
    index = len(below) - 1
    if not pages or index < 0:
        return 0
    return max(pages) if len(below) == len(present) else pages[min(index, len(pages) - 1)]


def find_cause(event: OomEvent, zones: Sequence[ZoneVerdict]) -> Told:
    """Return what ran out, in one sentence, and how that is known."""
    if event.killer != "kernel":
        return _of_daemon(event)
    if event.type == "sysrq":
        return (
            Cause.SYSRQ,
            "Nothing had to run out: somebody asked for the kill by SysRq-f.",
            ("The trigger line has order=-1, which only SysRq (a key or /proc/sysrq-trigger) gives.",),
        )
    if event.type == "memcg":
        return _of_cgroup(event)
    if event.type == "global-cpuset":
        return _of_node(event, zones)
    if event.type == "global":
        return _of_machine(event, zones)
    return (
        Cause.UNKNOWN,
        "What ran out is not in this log.",
        ("Neither a report nor the words 'Out of memory' or 'Memory cgroup out of memory' were found.",),
    )


def _of_daemon(event: OomEvent) -> Told:
    reason = event.reason or "its log line gives no reason"
    return (
        Cause.DAEMON,
        f"{event.killer} acted by its own rule, before the kernel had to: {reason}.",
        ("The kill was made in user space; the kernel's OOM killer is not part of it.",),
    )


def _of_cgroup(event: OomEvent) -> Told:
    group = event.oom_memcg or event.task_memcg or "a cgroup that the log does not name"
    if event.memcg_limit is None:
        what = f"The memory limit of {group}, not the memory of the machine."
        return Cause.CGROUP, what, ("The kernel says it is a cgroup's OOM; the line with its limit is not in the log.",)
    what = f"The limit of {group}: {format_bytes(event.memcg_limit)}. The machine itself had memory."
    return Cause.CGROUP, what, tuple(_cgroup_evidence(event, event.memcg_limit))


def _cgroup_evidence(event: OomEvent, limit: int) -> Iterable[str]:
    usage = event.memcg_usage or 0
    yield (
        f"'memory: usage {usage // 1024}kB, limit {limit // 1024}kB': "
        f"{usage / limit:.1%} of the limit was in use and reclaim could not free enough."
        if limit
        else "'limit 0kB': every page is over such a limit."
    )
    if event.memcg_swap_limit == 0:
        yield "The group's swap limit is 0, so nothing of it could be swapped out."
    elif event.memcg_swap_limit is not None and (event.memcg_swap_usage or 0) >= event.memcg_swap_limit:
        yield f"Its swap limit ({format_bytes(event.memcg_swap_limit)}) was used up as well."
    if event.task_memcg and event.oom_memcg and event.task_memcg != event.oom_memcg:
        yield f"The victim ran in {event.task_memcg}; the limit is that of the group above it, {event.oom_memcg}."


def _of_node(event: OomEvent, zones: Sequence[ZoneVerdict]) -> Told:
    nodes = event.mems_allowed or "the allowed ones"
    where = f"NUMA nodes {nodes}" + (f" (cpuset {event.cpuset})" if event.cpuset else "")
    what = f"The memory that the task may use: {where}. Other nodes may still have had memory."
    how = f"The kernel says {event.constraint or 'that the task is bound'}: not the whole machine was searched."
    return Cause.NODE, what, (how, *_zone_sentences(zones))


def _of_machine(event: OomEvent, zones: Sequence[ZoneVerdict]) -> Told:
    usable = [zone for zone in zones if zone.usable and zone.short is not None]
    if not usable:
        how = "The kernel says 'Out of memory' without a cgroup; the zones are not in the log."
        return Cause.MACHINE, f"Memory of the whole machine{_swap_words(event)}.", (how,)
    roomy = [zone for zone in usable if not zone.short]
    if not roomy:
        return _all_short(event, zones)
    if event.order and all(zone.has_chunk is False for zone in roomy):
        return _fragmented(event, roomy)
    return _room_at_report(event, zones, roomy)


def _all_short(event: OomEvent, zones: Sequence[ZoneVerdict]) -> Told:
    barred = [zone for zone in zones if not zone.usable and zone.short is False]
    sentences = tuple(_zone_sentences(zones))
    if barred:
        names = ", ".join(zone.name for zone in barred)
        what = f"The zones that this request may use; {names} had memory, but the request is not allowed there."
        return Cause.ZONE, what, sentences
    return Cause.MACHINE, f"Memory of the whole machine{_swap_words(event)}.", (*sentences, *_swap_evidence(event))


def _fragmented(event: OomEvent, roomy: Sequence[ZoneVerdict]) -> Told:
    order = event.order or 0
    size = format_bytes(event.page_size << order)
    free = format_bytes(sum(zone.free or 0 for zone in roomy))
    what = f"Contiguous memory: {free} was free, but not one piece of {size} in a row (order {order})."
    how = [
        f"{zone.name}: free {format_bytes(zone.free)} is above min {format_bytes(zone.min)} + reserve "
        f"{format_bytes(zone.reserve)}; its largest free chunk is {format_bytes(zone.largest_chunk)}."
        for zone in roomy
    ]
    return Cause.FRAGMENTATION, what, tuple(how)


def _room_at_report(event: OomEvent, zones: Sequence[ZoneVerdict], roomy: Sequence[ZoneVerdict]) -> Told:
    under_high = all(zone.high is not None and (zone.free or 0) <= zone.high + zone.reserve for zone in roomy)
    names = ", ".join(zone.name for zone in roomy)
    if under_high:
        note = f"{names} stood above min but not above high, which the last attempt before the OOM killer demands."
    elif event.order:
        note = (
            f"{names} shows free chunks of order {event.order}: they came free later, or are set aside (CMA, atomic)."
        )
    else:
        note = f"{names} was above its watermark when the report was printed: memory came free after the decision."
    what = f"Memory of the whole machine{_swap_words(event)}, by a narrow margin."
    return Cause.MACHINE, what, (*_zone_sentences(zones), note, *_swap_evidence(event))


def _zone_sentences(zones: Iterable[ZoneVerdict]) -> Iterable[str]:
    for zone in zones:
        if zone.short is None or not zone.usable:
            continue
        relation = "is not above" if zone.short else "is above"
        yield (
            f"{zone.name}: free {format_bytes(zone.free)} {relation} min {format_bytes(zone.min)}"
            f" + reserve {format_bytes(zone.reserve)}."
        )


def _swap_words(event: OomEvent) -> str:
    if event.swap_total is None:
        return ""
    if event.swap_total <= 0:
        return ": RAM, and there is no swap"
    free = (event.swap_free or 0) / event.swap_total
    return ": RAM and swap" if free < 0.05 else ": RAM, though swap was not full"


def _swap_evidence(event: OomEvent) -> Iterable[str]:
    if event.swap_total is None or event.swap_total <= 0 or event.swap_free is None:
        return
    yield f"'Free swap' is {format_bytes(event.swap_free)} of {format_bytes(event.swap_total)}."
    if event.swap_free / event.swap_total >= 0.05:
        yield "Swap was left over: what filled RAM could not be swapped (locked, unevictable, kernel) or not in time."
