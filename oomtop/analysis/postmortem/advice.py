"""Advice against the next kill, by cause, with figures from the report."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from oomtop.analysis.postmortem.model import Cause, NamedSize, Ranked, ZoneVerdict
from oomtop.analysis.postmortem.platform import (
    KUBERNETES,
    PLAIN,
    SYSTEMD,
    Platform,
    platform_of,
    pods_of,
    protection_of,
    unit_of,
)
from oomtop.analysis.postmortem.ranking import is_origin, is_proven
from oomtop.analysis.postmortem.unowned import HARD, whole_of
from oomtop.oomlog.event import OomEvent
from oomtop.units import MIB, format_bytes, format_share

_HOG = 0.5
# Of RAM, from which on a limit for one process helps; and what it is of where the report does not say.
_LEAST, _USUAL = 0.05, 1024 * MIB
_STEP = 64 * MIB


def prevention(
    event: OomEvent,
    cause: Cause,
    choice: tuple[Sequence[Ranked], bool | None],
    unowned: tuple[Sequence[NamedSize], bool],
    zones: Sequence[ZoneVerdict] = (),
) -> tuple[str, ...]:
    """Return what to change, the most useful first, in the words of the platform that the evidence shows.

    `choice` is the ranking and whether its first is the kernel's choice; `unowned` what no process owns and whether
    that dominates.
    """
    ranking, agrees = choice
    chosen = next((row for row in ranking if row.is_selected), None)
    parts = (
        _unowned(event, unowned[0]) if unowned[1] else (),
        _of_cma(zones),
        _by_cause(event, cause, _to_cap(ranking, chosen, agrees), zones),
        _by_choice(event, ranking, chosen) if agrees else (),
        _by_end(event),
    )
    return tuple(sentence for part in parts for sentence in part)


def _to_cap(ranking: Sequence[Ranked], chosen: Ranked | None, agrees: bool | None) -> Ranked | None:
    """Return whom a limit would help against: where the first was passed over, a victim far smaller is not it."""
    if chosen is None or agrees is not False:
        return chosen
    biggest = max(ranking, key=lambda row: row.own_pages)
    return chosen if biggest.own_pages < 2 * chosen.own_pages else biggest


def _of_cma(zones: Sequence[ZoneVerdict]) -> Iterable[str]:
    aside = sum(zone.set_aside for zone in zones if zone.short)
    free = sum(zone.free or 0 for zone in zones if zone.short)
    if aside and aside >= free / 2:
        yield f"{format_bytes(aside)} of what was free is CMA, kept for devices: lower cma= on the kernel command line."


def _by_cause(event: OomEvent, cause: Cause, chosen: Ranked | None, zones: Sequence[ZoneVerdict]) -> Iterable[str]:
    if is_origin(event):
        return ("Free memory first, then run swapoff: what is in swap has to fit into RAM.",)
    if cause is Cause.CGROUP:
        return _of_cgroup(event, chosen)
    if cause is Cause.FRAGMENTATION:
        return _of_fragmentation(event)
    if cause is Cause.SYSRQ:
        return ("Find out who pressed SysRq-f or wrote to /proc/sysrq-trigger; kernel.sysrq can forbid the key.",)
    if cause is Cause.DAEMON:
        return _of_daemon(event)
    if cause is Cause.NODE:
        return (_of_node(event),)
    if cause is Cause.ZONE:
        return (_of_zone(zones),)
    return _of_machine(event, chosen) if cause is Cause.MACHINE else ()


def _of_node(event: OomEvent) -> str:
    if event.type == "mempolicy":
        return "Bind to more nodes, or prefer instead of bind (numactl --preferred), or spread the work over the nodes."
    return "Give the cpuset more nodes (cpuset.mems), or spread the work over the nodes."


def _of_zone(zones: Sequence[ZoneVerdict]) -> str:
    if any("HighMem" in zone.name for zone in zones):
        return "The zone is limited by the machine's address space: use a 64-bit kernel, or fewer of its users."
    return "The request was for low memory only (a device that addresses no more): find who asks, in the call trace."


def _of_cgroup(event: OomEvent, chosen: Ranked | None) -> Iterable[str]:
    limit, platform = event.memcg_limit, platform_of(event)
    if limit is None:
        yield "Look up the memory limit of the group and compare it with what its processes need."
        yield from _of_group(event, platform)
        return
    step = _STEP if limit >= 4 * _STEP else MIB
    more = -(-limit * 5 // 4 // step) * step
    held = 0 if chosen is None else _charged(event, chosen)
    if chosen is not None and limit and _HOG * limit <= held <= limit:
        share = format_share(held / limit)
        yield f"{chosen.name} alone held {share} of the limit: first check whether it leaks (grows without end)."
    words = {"more": format_bytes(more), "limit": format_bytes(limit), "unit": unit_of(event)}
    pods = pods_of(event) if platform is KUBERNETES else None
    raised = platform.raise_limit.format(**words)
    yield pods.format(**words) if pods else f"If the processes in this group need more, {raised} and watch."
    if platform.soft is not None:
        yield platform.soft.format(high=format_bytes(limit * 9 // 10))
    if event.memcg_swap_limit == 0 and platform in (PLAIN, SYSTEMD):
        yield "Allow the group some swap (memory.swap.max), if it holds data that is rarely touched."
    yield from _of_group(event, platform)


def _charged(event: OomEvent, row: Ranked) -> int:
    """Return what a process surely holds of its group's memory: pages of files are charged to who read them first."""
    victim = event.victim
    if victim is not None and victim.pid == row.pid and victim.anon_rss is not None:
        return victim.anon_rss + (victim.shmem_rss or 0)
    return row.rss or 0


def _of_group(event: OomEvent, platform: Platform) -> Iterable[str]:
    if event.oom_group is not None:
        yield platform.group or "With memory.oom.group=0 only the chosen process is killed, not all of the group."


def _of_machine(event: OomEvent, chosen: Ranked | None) -> Iterable[str]:
    platform = platform_of(event)
    if chosen is not None and (chosen.rss or 0) >= _LEAST * (whole_of(event) or _USUAL):
        # RAM only: a limit of memory does not count what is in swap.
        held = format_bytes(chosen.rss)
        if chosen.is_selected:
            yield f"{platform.cap.format(name=chosen.name, held=held, unit=unit_of(event))}."
        else:
            who = f"{chosen.name} (pid {chosen.pid})"
            yield f"Limit {who}, the biggest: its {held} in RAM are far more than the victim's."
    if event.swap_total is not None and event.swap_total <= 0:
        yield from (platform.swap,) if platform.swap else ()
    elif event.swap_total and (event.swap_free or 0) / event.swap_total < 0.05:
        used = format_bytes(event.swap_total)
        yield f"All {used} of swap were used: more swap would only delay the kill; run less, or add RAM."
    yield "If nobody leaked, the memory is too small for the work: fewer or smaller processes, or more RAM."


def _of_fragmentation(event: OomEvent) -> Iterable[str]:
    order = event.order or 0
    if any(line.strip().startswith("COMPACTION is disabled") for line in event.raw):
        yield "The kernel is built without CONFIG_COMPACTION: use one that has it."
    yield "Write 1 to /proc/sys/vm/compact_memory now, and raise vm.compaction_proactiveness (20 is the default)."
    yield "Raise vm.min_free_kbytes or vm.watermark_scale_factor, so that reclaim begins while pieces are still whole."
    yield f"Find who asks for order {order} (call trace in the raw text): a driver can often ask for less."


def _of_daemon(event: OomEvent) -> Iterable[str]:
    if event.killer == "systemd-oomd":
        yield "Set ManagedOOMPreference=avoid or omit on units that must live, and MemoryHigh= on those that grow."
        yield "Its thresholds: DefaultMemoryPressureLimit= and SwapUsedLimit= in oomd.conf, ManagedOOM* of the unit."
    elif event.killer == "earlyoom":
        yield "Its thresholds are -m and -s; --avoid and --prefer steer whom it chooses."
    else:
        yield _THRESHOLDS.get(event.killer, f"See the thresholds in the configuration of {event.killer}.")


_THRESHOLDS = {
    "nohang": "Its thresholds are soft_threshold_min_mem, hard_threshold_min_mem and their like in nohang.conf.",
    "oomd": "Its rulesets and their thresholds are in oomd.json.",
    "lmkd": "Its thresholds are the properties ro.lmk.* (ro.lmk.psi_partial_stall_ms, ro.lmk.thrashing_limit).",
    "lowmemorykiller": "Its thresholds are minfree and adj in /sys/module/lowmemorykiller/parameters.",
}


def _by_choice(event: OomEvent, ranking: Sequence[Ranked], chosen: Ranked | None) -> Iterable[str]:
    if chosen is None or event.oom_group is not None:
        return
    plain = next((row for row in ranking if row.rank_without_adj == 1), None)
    if plain is not None and plain is not chosen and plain.own_pages > chosen.own_pages and is_proven(event, ranking):
        yield (
            f"{chosen.name} died for its oom_score_adj {chosen.adj}, not for its size: "
            f"limit {plain.name}, the biggest, or set the values anew."
        )
    elif sum(row.rank is not None for row in ranking) > 1 and (protection := protection_of(event)):
        protect, adj = protection
        saves = _saves(ranking, chosen, adj)
        if saves:
            then = ": another one dies then" if is_proven(event, ranking) else ""
            yield f"If {chosen.name} must live, {protect}{then}."
        elif saves is False:
            yield f"An oom_score_adj of {adj} would not have saved {chosen.name}: it would still have come first."


def _saves(ranking: Sequence[Ranked], chosen: Ranked, adj: int) -> bool | None:
    """Whether another process would have ranked first if the chosen one had this adj; None if unknown."""
    others = [row.badness for row in ranking if row.rank is not None and row is not chosen and row.badness is not None]
    if not others or not chosen.share or chosen.badness is None:
        return None
    total = chosen.badness / chosen.share
    return chosen.own_pages + adj * total / 1000 < max(others)


def _unowned(event: OomEvent, unowned: Sequence[NamedSize]) -> Iterable[str]:
    big = next((figure for figure in unowned if figure.name in HARD), None)
    if big is None:
        return
    if big.name == "tmpfs and shared memory":
        yield "Look for big files in tmpfs (df -t tmpfs: /dev/shm, /run, /tmp); mount with size=; ipcs -m for SysV."
    elif big.name == "unreclaimable slab":
        names = ", ".join(f"{name} {format_bytes(total)}" for name, _, total in event.slab[:3])
        yield f"The kernel itself holds it{f' ({names})' if names else ''}: watch slabtop; often a leak in a driver."
    elif big.name == "huge pages":
        yield "Lower vm.nr_hugepages: reserved huge pages are used by nothing else."
    else:
        yield "No counter names it: suspect drivers (GPU, network), a balloon of the hypervisor, or ZFS ARC."


def _by_end(event: OomEvent) -> Iterable[str]:
    if event.panic is not None:
        by_sysctl = "panic_on_oom" in event.panic
        cure = "with vm.panic_on_oom=0 it kills a process instead" if by_sysctl else "leave some process without -1000"
        yield f"The kernel panicked ({event.panic}): {cure}."
    elif event.no_killable_processes:
        yield "Give at least one big process of the group an oom_score_adj above -1000."
    if event.allocating_task:
        yield "Set vm.oom_kill_allocating_task=0 to have the biggest killed, not the one that happens to ask."
