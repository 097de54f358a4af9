"""What ran out: a cgroup's limit, the machine, one zone, contiguous memory; and how the report shows it.

mm/page_alloc.c, __alloc_pages_may_oom: before the OOM killer, one last attempt against the high watermark.
Sample line: `oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/a,...`
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from oomtop.analysis.postmortem.model import Cause, ZoneVerdict
from oomtop.analysis.postmortem.platform import counts_both, group_of
from oomtop.analysis.postmortem.ranking import UNLIMITED
from oomtop.analysis.postmortem.zones import is_of_node, nodes_of
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
            "Nothing had to run out: the kill was ordered by SysRq-f.",
            (f"SysRq-f is a key, or an f written to /proc/sysrq-trigger; {_no_request(event)}.",),
        )
    if event.type == "memcg":
        return _of_cgroup(event)
    if event.type in ("global-cpuset", "mempolicy"):
        return _of_node(event, zones)
    if event.type == "global":
        return _of_machine(event, zones)
    return (
        Cause.UNKNOWN,
        "What ran out is not in this report.",
        ("No line of it has the words 'Out of memory' or 'Memory cgroup out of memory', a limit, or Mem-Info.",),
    )


def _no_request(event: OomEvent) -> str:
    return "no allocation failed (order=-1)" if event.order == -1 else "no allocation has to fail for it"


def _of_daemon(event: OomEvent) -> Told:
    reason = event.reason or "its log line gives no reason"
    return (
        Cause.DAEMON,
        f"{event.killer} acted by its own rule: {reason}.",
        (*_daemon_outcome(event),),
    )


def _daemon_outcome(event: OomEvent) -> Iterable[str]:
    where = "in the kernel, by its Android driver" if event.killer == "lowmemorykiller" else "in user space"
    yield f"This is done {where}; the kernel's OOM killer is not part of it."
    went = _what_went_out(event)
    if event.outcome == "sent" and event.victim is None and not event.attempts:
        yield "It announced the kill; no line says that a signal went out or that a process ended."
    elif event.outcome == "sent" and event.notes:
        yield from event.notes
    elif event.outcome == "sent":
        yield f"{went}; no line says that the process ended."
    elif event.outcome == "failed" and event.victim is not None:
        yield f"{went} and the process had not ended: nobody is known to have died by this."
    elif event.outcome == "dry-run":
        yield "It ran with its dry-run option: no signal was sent."


def _what_went_out(event: OomEvent) -> str:
    if event.attempts == 0:
        return "Its command was run"
    count = event.attempts or 1
    return f"{'A signal' if count == 1 or event.cgroup is not None else f'{count} signals'} went out"


def _of_cgroup(event: OomEvent) -> Told:
    group = group_of(event) or "a cgroup that the log does not name"
    if event.memcg_limit is None:
        what = f"The memory limit of {group}, not the memory of the machine."
        return (
            Cause.CGROUP,
            what,
            ("The kernel says it is the OOM of a group; the line with its limit is not in the log.",),
        )
    if event.memcg_limit >= UNLIMITED:
        return Cause.UNKNOWN, f"Not visible: {group} has no limit of memory.", (*_without_limit(event),)
    what = f"The limit of {group}: {format_bytes(event.memcg_limit)}, not the memory of the machine."
    return Cause.CGROUP, what, tuple(_cgroup_evidence(event, event.memcg_limit))


def _without_limit(event: OomEvent) -> Iterable[str]:
    usage = format_bytes(event.memcg_usage)
    yield f"The kernel says it is a cgroup's OOM, but the limit it prints stands for none; {usage} were in use."
    if "BPF" in (event.constraint or ""):
        yield f"It says {event.constraint}: a BPF program called the OOM killer, by a rule of its own."


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
    elif event.memcg_swap_limit == limit and counts_both(event):
        # cgroup v1 counts both together: this group may hold nothing in swap beyond its limit.
        yield f"Its limit on memory and swap together is the same {format_bytes(limit)}: swap gives it no room."
    elif event.memcg_swap_limit is not None and (event.memcg_swap_usage or 0) >= event.memcg_swap_limit:
        what = "limit on memory and swap together" if counts_both(event) else "swap limit"
        yield f"Its {what} ({format_bytes(event.memcg_swap_limit)}) was used up as well."
    if event.task_memcg and event.oom_memcg and event.task_memcg != event.oom_memcg:
        yield f"The victim ran in {event.task_memcg}; the limit is that of the group above it, {event.oom_memcg}."


def _of_node(event: OomEvent, zones: Sequence[ZoneVerdict]) -> Told:
    nodes = nodes_of(event) or "that the report does not name"
    bound = "memory policy" if event.type == "mempolicy" else "cpuset"
    name = f" {event.cpuset}" if bound == "cpuset" and event.cpuset else ""
    what = f"The memory of the NUMA nodes that its {bound}{name} allows: {nodes}. Other nodes may have had memory."
    how = f"The kernel says {event.constraint or f'that the task is bound by its {bound}'}: only those were searched."
    barred = (
        f"{zone.name} had {format_bytes(zone.free)} free, but is not for requests of this kind."
        for zone, told in zip(zones, event.zones, strict=True)
        if not zone.usable and zone.short is False and is_of_node(event, told.node)
    )
    return Cause.NODE, what, (how, *_zone_sentences(zones), *barred)


def _of_machine(event: OomEvent, zones: Sequence[ZoneVerdict]) -> Told:
    usable = [zone for zone in zones if zone.usable and zone.short is not None]
    if not usable and event.order is not None and event.order > 0:
        return _high_order(event, event.order)
    if not usable and not is_scope_told(event):
        what = f"Memory, and not by a cgroup's limit{_swap_words(event)}."
        how = "The kernel says 'Out of memory'; whether of the whole machine or of the NUMA nodes that the task may use"
        return Cause.MACHINE, what, (f"{how} is not in the log.",)
    if not usable:
        how = f"The kernel says {event.constraint}; the zones are not in the log."
        return Cause.MACHINE, f"Memory of the whole machine{_swap_words(event)}.", (how,)
    roomy = [zone for zone in usable if not zone.short]
    if not roomy:
        return _all_short(event, zones)
    if event.order and all(zone.has_chunk is False for zone in roomy):
        return _fragmented(event, roomy)
    return _room_at_report(event, zones, roomy)


def is_scope_told(event: OomEvent) -> bool:
    """Whether the report shows that no cpuset or memory policy restricted the request."""
    return event.constraint is not None or any(zone.min is not None for zone in event.zones)


def _high_order(event: OomEvent, order: int) -> Told:
    size = f" ({format_bytes(event.page_size << order)})" if event.page_size else ""
    what = f"Not visible: {1 << order} pages in a row{size} were asked for, and the zones are not in the log."
    return Cause.UNKNOWN, what, ("Either too little was free in all, or no piece of that size (fragmentation).",)


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
    free = format_bytes(sum(_usable(zone) for zone in roomy))
    what = f"Contiguous memory: {free} was free for this request, but no {size} in one piece (order {order})."
    how = [
        f"{zone.name}: {_free_words(zone)} is above {_mark_words(zone)}; "
        f"the largest free chunk for this request is {format_bytes(zone.largest_chunk)}."
        for zone in roomy
    ]
    return Cause.FRAGMENTATION, what, tuple(how)


def _room_at_report(event: OomEvent, zones: Sequence[ZoneVerdict], roomy: Sequence[ZoneVerdict]) -> Told:
    names = ", ".join(zone.name for zone in roomy)
    sentences = tuple(_zone_sentences(zones))
    if all(zone.high is not None and _usable(zone) <= zone.high + (zone.reserve or 0) for zone in roomy):
        note = f"{names}: above min, but not above high, which the last attempt before the OOM killer demands."
        what = f"Memory of the whole machine{_swap_words(event)}; {names} stood above min by a narrow margin."
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
        yield f"{zone.name}: {_free_words(zone)} {relation} {_mark_words(zone)}."


def _free_words(zone: ZoneVerdict) -> str:
    """Return what is free, less what this request may not use, each with its amount."""
    free = f"free {format_bytes(zone.free)}"
    parts = [(zone.set_aside, "free CMA"), (zone.highatomic, "kept for atomic requests")]
    less = "".join(f" less {format_bytes(size)} {what}" for size, what in parts if size)
    return f"{free}{less}, so {format_bytes(_usable(zone))}," if less else free


def _usable(zone: ZoneVerdict) -> int:
    return (zone.free or 0) - zone.set_aside - zone.highatomic


def _mark_words(zone: ZoneVerdict) -> str:
    boost = f" (with a boost of {format_bytes(zone.boost)})" if zone.boost else ""
    return f"min {format_bytes(zone.min)}{boost} + reserve {format_bytes(zone.reserve)}"


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
        yield "Swap was left over: what filled RAM was not swapped out, or not in time."
