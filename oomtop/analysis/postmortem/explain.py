"""The post-mortem of one OOM event: `explain(event)`, pure.

Every figure is one of the report or computed from rows of it; what cannot be known is said to be unknown.
"""

from __future__ import annotations

from collections.abc import Iterable

from oomtop.analysis.postmortem.advice import prevention
from oomtop.analysis.postmortem.cause import find_cause
from oomtop.analysis.postmortem.headline import headline
from oomtop.analysis.postmortem.mention_words import describe_mention
from oomtop.analysis.postmortem.model import NamedSize, PostMortem
from oomtop.analysis.postmortem.platform import counts_both
from oomtop.analysis.postmortem.ranking import UNLIMITED, agreement, rank, total_of
from oomtop.analysis.postmortem.unowned import dominance, unowned_of
from oomtop.analysis.postmortem.victim import why_this_victim
from oomtop.analysis.postmortem.zones import judge_zones
from oomtop.oomlog.event import OomEvent
from oomtop.oomlog.lines import REAPED
from oomtop.oomlog.mentions.mention import Mention
from oomtop.units import format_bytes

_KINDS = ("anon", "file", "shmem")


def explain(event: OomEvent, mentions: Iterable[Mention] = ()) -> PostMortem:
    """Return what ran out, why this victim, and how to prevent the next one; `mentions` are what others say of it."""
    zones = judge_zones(event)
    cause, what, how = find_cause(event, zones)
    total = total_of(event)
    ranking = rank(event, total)
    agrees, words = agreement(event, ranking, total)
    unowned = unowned_of(event)
    unowned_words = dominance(event, unowned, ranking)
    return PostMortem(
        event=event,
        cause=cause,
        headline=headline(event, cause),
        what_ran_out=what,
        how_known=how,
        zones=zones,
        why_this_victim=why_this_victim(event, ranking, total, agrees),
        ranking=ranking,
        total=total,
        agrees=agrees,
        agreement=words,
        unowned=unowned,
        unowned_words=unowned_words,
        limits=tuple(_limits(event)),
        completeness=tuple(_completeness(event)),
        prevention=prevention(event, cause, (ranking, agrees), (unowned, unowned_words is not None), zones),
        related=(*_related(event), *map(describe_mention, mentions)),
    )


def _limits(event: OomEvent) -> Iterable[NamedSize]:
    swap = "memory+swap" if counts_both(event) else "swap"
    figures = (
        ("cgroup usage", event.memcg_usage, "'memory: usage'"),
        ("cgroup limit", event.memcg_limit, "'memory: ... limit'"),
        (f"cgroup {swap} usage", event.memcg_swap_usage, f"'{swap}: usage'"),
        (f"cgroup {swap} limit", event.memcg_swap_limit, f"'{swap}: ... limit'"),
        ("cgroup kernel memory", event.memcg_kmem_usage, "'kmem: usage'"),
        ("swap in all", event.swap_total, "'Total swap'"),
        ("swap free", event.swap_free, "'Free swap'"),
    )
    for name, size, source in figures:
        if size is not None and size < UNLIMITED:
            yield NamedSize(name, size, source)


def _completeness(event: OomEvent) -> Iterable[str]:
    if event.unverified is not None:
        yield f"Unverified: {event.unverified}."
    if event.killer != "kernel":
        return
    if not event.has_header and event.tasks:
        yield "The beginning of the report is not in this log."
    elif not event.has_header and event.constraint is not None:
        yield "The report before its summary line ('oom-kill:') is not in this log: it was cut off."
        if not any("illed process" in line for line in event.raw):
            yield "Nor is the kill line: the victim is the kernel's choice by the summary."
    elif not event.has_header and event.victim is None:
        yield "Neither the rest of this report nor its kill line is in the log."
    elif not event.has_header:
        yield (
            "Headless: the report before the kill is not in this log. It was cut off, or the kernel left it out: it "
            "limits reports to 10 in 5 s, but never the kill line."
        )
    elif event.victim is None and event.panic is None and not event.no_killable_processes:
        yield "The report has no kill line: cut off, or the victim was dying already."
    if event.has_header and not (event.tasks or event.tasks_unparsed):
        why = "cut off behind its head" if event.table_columns else "vm.oom_dump_tasks=0, or cut"
        yield f"The rows of the task table are missing ({why}): the choice cannot be recomputed."
    if event.tasks_unparsed:
        rows = "1 row of the task table is" if event.tasks_unparsed == 1 else f"{event.tasks_unparsed} rows of it are"
        yield f"{rows} damaged and left out."
    if event.has_header and event.type == "global" and not event.zones:
        yield "The zones of Mem-Info are missing: the watermarks cannot be checked."
    yield from event.notes


def _related(event: OomEvent) -> Iterable[str]:
    if event.trigger is not None and event.trigger.name is not None:
        pid = "" if event.trigger.pid is None else f" (pid {event.trigger.pid})"
        same = event.victim is not None and event.trigger.pid is not None and event.trigger.pid == event.victim.pid
        did = "ran the order" if event.type == "sysrq" else "invoked the OOM killer"
        did = did if event.killer == "kernel" else "asked for the memory that the kill was to free"
        yield f"{event.trigger.name}{pid} {did}{' and was itself the victim' if same else ''}."
    if event.other_victims:
        names = ", ".join(f"{victim.name} ({victim.pid})" for victim in event.other_victims[:10])
        yield f"Killed with it: {names}{' and more' if len(event.other_victims) > 10 else ''}."
    if event.reaped_pids:
        left = dict(_left_by_reaper(event))
        pids = ", ".join(f"{pid}{left.get(pid, '')}" for pid in dict.fromkeys(event.reaped_pids[:10]))
        yield f"The OOM reaper freed the memory of pid {pids} without waiting for its end."


def _left_by_reaper(event: OomEvent) -> Iterable[tuple[int, str]]:
    """Yield each reaped pid whose line says that it still held something, with how much of which kind."""
    for found in filter(None, map(REAPED.search, event.raw)):
        rest = [f"{format_bytes(int(found[kind]) * 1024)} {kind}-rss" for kind in _KINDS if int(found[kind] or 0)]
        if rest:
            yield int(found["pid"]), f" but for {' and '.join(rest)}"
