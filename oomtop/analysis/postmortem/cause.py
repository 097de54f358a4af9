"""What ran out: a cgroup's limit, the machine, one zone, contiguous memory; and how the report shows it.

mm/page_alloc.c, __alloc_pages_may_oom: before the OOM killer, one last attempt against the high watermark.
Sample line: `oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/a,...`
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from oomtop.analysis.postmortem.model import Cause, ZoneVerdict
from oomtop.oomlog.event import OomEvent
from oomtop.units import format_bytes

Told = tuple[Cause, str, tuple[str, ...]]


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
    if event.type in ("global-cpuset", "mempolicy"):
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
    elif event.memcg_swap_limit == limit and any(line.lstrip().startswith("memory+swap:") for line in event.raw):
        # cgroup v1 counts both together: this group may hold nothing in swap beyond its limit.
        yield f"Its limit on memory and swap together is the same {format_bytes(limit)}: swap gives it no room."
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
    size = format_bytes((event.page_size or 0) << order)
    free = format_bytes(sum(zone.free or 0 for zone in roomy))
    what = f"Contiguous memory: {free} was free, but not one piece of {size} in a row (order {order})."
    how = [
        f"{zone.name}: free {format_bytes(zone.free)} is above min {format_bytes(zone.min)} + reserve "
        f"{format_bytes(zone.reserve)}; the largest free chunk for this request is {format_bytes(zone.largest_chunk)}."
        for zone in roomy
    ]
    cma = sum(zone.set_aside for zone in roomy)
    if cma:
        how.append(f"'free_cma' {format_bytes(cma)} is not counted: only movable memory may be put there.")
    return Cause.FRAGMENTATION, what, tuple(how)


def _room_at_report(event: OomEvent, zones: Sequence[ZoneVerdict], roomy: Sequence[ZoneVerdict]) -> Told:
    names = ", ".join(zone.name for zone in roomy)
    sentences = tuple(_zone_sentences(zones))
    if all(zone.high is not None and (zone.free or 0) <= zone.high + (zone.reserve or 0) for zone in roomy):
        note = f"{names}: above min, but not above high, which the last attempt before the OOM killer demands."
        what = f"Memory of the whole machine{_swap_words(event)}, by a narrow margin."
        return Cause.MACHINE, what, (*sentences, note, *_swap_evidence(event))
    if event.gfp_mask is not None and int(event.gfp_mask, 16) == 0:
        note = "gfp_mask=0x0 is the page-fault path: some allocation had failed before, often one of a full cgroup."
        return Cause.UNKNOWN, f"Not visible: {names} had room when the report was printed.", (*sentences, note)
    note = f"{names} had room when the report was printed: memory came free between the decision and the report."
    what = f"Memory of the whole machine{_swap_words(event)}, for a moment."
    return Cause.MACHINE, what, (*sentences, note, *_swap_evidence(event))


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
