"""Why this victim: the terms of its badness in words, the near ties, and who would have died otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from oomtop.analysis.postmortem.model import Ranked, Total
from oomtop.oomlog.event import OomEvent
from oomtop.units import format_bytes, format_share

_NEAR = 0.05


def why_this_victim(event: OomEvent, ranking: Sequence[Ranked], total: Total) -> tuple[str, ...]:
    """Return the reasons in plain sentences, the decisive one first."""
    chosen = next((row for row in ranking if row.is_selected), None)
    return (*_mode(event), *_terms(event, chosen, total), *_others(event, ranking, chosen), *_deaths(event))


def _mode(event: OomEvent) -> Iterable[str]:
    if event.allocating_task:
        yield "vm.oom_kill_allocating_task is set: the task that asked for memory was killed, without any ranking."
    if event.no_killable_processes:
        yield "The kernel found no process that it may kill (all exempt by oom_score_adj -1000, or none left)."
    if event.killer != "kernel" and event.cgroup:
        yield f"{event.killer} killed the whole cgroup {event.cgroup}, not one process."


def _terms(event: OomEvent, row: Ranked | None, total: Total) -> Iterable[str]:
    if row is None:
        return
    size = event.page_size or 0
    held = f"rss {format_bytes(row.rss)}"
    held += f" + swap {format_bytes(row.swap)}" if row.swap else ""
    held += f" + page tables {format_bytes(row.pgtables)}" if row.pgtables else ""
    share = f", {format_share(row.own_pages / total.pages)} of what could be used" if total.pages else ""
    yield f"{row.name} (pid {row.pid}) held {format_bytes(row.own_pages * size)} ({held}){share}."
    if row.adj_pages:
        verb = "adds" if row.adj_pages > 0 else "takes off"
        term = format_bytes(abs(row.adj_pages) * size)
        yield f"Its oom_score_adj {row.adj} {verb} {term}: {row.adj} per mille of the total."
    if event.selected and event.selected.score is not None and row.share is not None:
        yield f"The kernel printed score {event.selected.score}; recomputed it is {int(row.share * 1000)} of 1000."


def _others(event: OomEvent, ranking: Sequence[Ranked], chosen: Ranked | None) -> Iterable[str]:
    able = [row for row in ranking if row.rank is not None and row.badness is not None]
    second = next((row for row in able if row is not chosen), None)
    if chosen is None or chosen.badness is None:
        return
    if second is None:
        yield "No other process could have been chosen."
        return
    gap = chosen.badness - (second.badness or 0)
    distance = format_bytes(abs(gap) * (event.page_size or 0))
    near = 0 <= gap <= _NEAR * max(1, abs(chosen.badness))
    if near:
        yield f"It was a near tie: {second.name} (pid {second.pid}) was only {distance} behind."
    elif gap > 0:
        yield f"The next in line was {second.name} (pid {second.pid}), {distance} behind."
    plain = next((row for row in able if row.rank_without_adj == 1), None)
    if plain is not None and plain is not chosen:
        held = format_bytes(plain.own_pages * (event.page_size or 0))
        yield f"With every oom_score_adj at 0 it would have been {plain.name} (pid {plain.pid}), which held {held}."
    elif any(row.adj for row in able):
        yield "With every oom_score_adj at 0 the choice would have been the same."
    yield from _spared(event, ranking, chosen)


def _spared(event: OomEvent, ranking: Sequence[Ranked], chosen: Ranked) -> Iterable[str]:
    for row in ranking:
        if row.exempt and row.own_pages > chosen.own_pages:
            held = format_bytes(row.own_pages * (event.page_size or 0))
            yield f"{row.name} (pid {row.pid}) held more, {held}, but: {row.exempt}."


def _deaths(event: OomEvent) -> Iterable[str]:
    victim, selected = event.victim, event.selected
    if victim and selected and selected.pid is not None and selected.pid != victim.pid and event.oom_group is None:
        yield (
            f"{selected.name} (pid {selected.pid}) was chosen; its child {victim.name} (pid {victim.pid}) was killed "
            "in its place, as kernels up to 5.0 do."
        )
    if event.oom_group is not None:
        yield f"memory.oom.group is set on {event.oom_group}, so every process in it was killed with the chosen one."
