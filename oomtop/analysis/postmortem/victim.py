"""Why this victim: the terms of its badness in words, the near ties, and who would have died otherwise."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from oomtop.analysis.postmortem.model import Ranked, Total
from oomtop.analysis.postmortem.ranking import is_origin, is_proven, is_swap_untold
from oomtop.oomlog.event import OomEvent
from oomtop.units import format_bytes, format_share

_NEAR = 0.05
_SACRIFICE = re.compile(r"[Kk]ill process \d{1,10} \(.{0,80}\) .{0,40}(?:sacrifice child|a child|and children)")


def why_this_victim(event: OomEvent, ranking: Sequence[Ranked], total: Total, agrees: bool | None) -> tuple[str, ...]:
    """Return the reasons in plain sentences, the decisive one first; `agrees`: our ranking has the same first."""
    chosen = next((row for row in ranking if row.is_selected), None)
    others = _others(event, ranking, chosen, total) if agrees and chosen is not None else ()
    spared = _spared(event, ranking, chosen) if chosen is not None else ()
    return (*_mode(event), *_terms(event, chosen, total), *others, *spared, *_deaths(event))


def _mode(event: OomEvent) -> Iterable[str]:
    if event.allocating_task:
        yield "vm.oom_kill_allocating_task is set: the task that asked for memory was killed, without any ranking."
    if is_origin(event):
        yield "swapoff is chosen before all others: it had to fit what was in swap into memory, and it could not."
    if event.no_killable_processes and event.killer == "kernel":
        yield "The kernel found no process that it may kill (all exempt by oom_score_adj -1000, or none left)."
    if event.killer != "kernel" and event.cgroup:
        yield f"{event.killer} acts on the whole cgroup {event.cgroup}, not on one process."


def _terms(event: OomEvent, row: Ranked | None, total: Total) -> Iterable[str]:
    if row is None:
        return
    size = event.page_size or 0
    about = "at least " if is_swap_untold(event) else ""
    held = f"rss {format_bytes(row.rss)}"
    held += f" + swap {format_bytes(row.swap)}" if row.swap else ""
    held += f" + page tables {format_bytes(row.pgtables)}" if row.pgtables else ""
    share = (
        f", {about}{format_share(row.own_pages / total.pages)} of what could be used"
        if total.certain and total.pages and row.own_pages <= total.pages
        else ""
    )
    yield f"{row.name} (pid {row.pid}) counted for {about}{format_bytes(row.own_pages * size)} ({held}){share}."
    if row.adj_pages and not is_origin(event):
        verb = "adds" if row.adj_pages > 0 else "takes off"
        about = "" if _is_sure(total) else "at least " if total.is_least else "at most "
        term = format_bytes(abs(row.adj_pages) * size)
        yield f"Its oom_score_adj {row.adj} {verb} {about}{term}: {row.adj} per mille of the total."
    if event.selected and event.selected.score is not None and row.share is not None and _is_sure(total):
        yield f"The kernel printed score {event.selected.score}; recomputed it is {int(row.share * 1000)} of 1000."


def _is_sure(total: Total) -> bool:
    return total.certain and bool(total.pages)


def _others(event: OomEvent, ranking: Sequence[Ranked], chosen: Ranked, total: Total) -> Iterable[str]:
    """Yield the runner-up and what would have changed the choice, if the rows prove it."""
    able = [row for row in ranking if row.rank is not None and row.badness is not None]
    second = next((row for row in able if row is not chosen), None)
    if second is None:
        yield "No other process of the table could be chosen."
    elif (_is_sure(total) or chosen.adj == second.adj) and is_proven(event, (chosen, second)):
        yield _distance(event, chosen, second)
    plain = next((row for row in ranking if row.rank_without_adj == 1), None)
    if plain is None or not any(row.adj for row in ranking) or not is_proven(event, ranking):
        return
    if plain is not chosen:
        size, who = format_bytes(plain.own_pages * (event.page_size or 0)), f"{plain.name} (pid {plain.pid})"
        yield f"With every oom_score_adj at 0 it would have been {who}, which counted for {size}."
    else:
        yield "With every oom_score_adj at 0 the choice would have been the same."


def _distance(event: OomEvent, chosen: Ranked, second: Ranked) -> str:
    gap = (chosen.badness or 0) - (second.badness or 0)
    distance = format_bytes(gap * (event.page_size or 0))
    who = f"{second.name} (pid {second.pid})"
    if gap == 0:
        return f"It was a tie: {who} had the same badness, and the order of the tasks decided."
    if gap <= _NEAR * max(1, abs(chosen.badness or 0)):
        return f"It was a near tie: {who} was only {distance} behind."
    return f"The next in line was {who}, {distance} behind."


def _spared(event: OomEvent, ranking: Sequence[Ranked], chosen: Ranked) -> Iterable[str]:
    for row in ranking:
        if row.exempt and row.own_pages > chosen.own_pages:
            held = format_bytes(row.own_pages * (event.page_size or 0))
            yield f"{row.name} (pid {row.pid}) counted for more, {held}, but: {row.exempt}."


def _deaths(event: OomEvent) -> Iterable[str]:
    victim, selected = event.victim, event.selected
    if victim and selected and selected.pid is not None and selected.pid != victim.pid and event.oom_group is None:
        chosen, killed = f"{selected.name} (pid {selected.pid})", f"{victim.name} (pid {victim.pid})"
        if any(_SACRIFICE.search(line) for line in event.raw):
            yield f"{chosen} was chosen; its child {killed} was killed in its place, as this kernel's line announces."
        else:
            yield f"{chosen} was chosen and {killed} was killed; the log does not say how they belong together."
    if event.oom_group is not None:
        yield (
            f"memory.oom.group is set on {event.oom_group}: every process in it is killed with the chosen one, "
            "but for those with oom_score_adj -1000."
        )
