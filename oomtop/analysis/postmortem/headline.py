"""The headline of a post-mortem: who killed whom, and why, in one sentence."""

from __future__ import annotations

from oomtop.analysis.postmortem.cause import is_scope_told
from oomtop.analysis.postmortem.model import Cause
from oomtop.analysis.postmortem.platform import group_of
from oomtop.analysis.postmortem.zones import nodes_of
from oomtop.analysis.sentences import deed_of
from oomtop.oomlog.event import OomEvent, Victim
from oomtop.units import format_bytes


def headline(event: OomEvent, cause: Cause) -> str:
    """Return what happened and why."""
    is_open = event.victim is None and event.cgroup is None and not (event.panic or event.no_killable_processes)
    end = "; no kill is in this report" if is_open and event.outcome != "failed" else ""
    return f"{_deed(event)} {_reason(event, cause)}{end}."


def _deed(event: OomEvent) -> str:
    killer = "The kernel's OOM killer" if event.killer == "kernel" else event.killer
    if event.victim is not None:
        held = _held(event.victim)
        count = len(event.other_victims)
        more = f" and {count} more process{'es' * (count != 1)}" if count else ""
        return f"{killer} {deed_of(event)} {event.victim.name} (pid {event.victim.pid}){held}{more}"
    if event.cgroup is not None:
        killed = event.processes_killed
        many = f" ({killed} process{'es' * (killed != 1)})" if killed else ""
        return f"{killer} {deed_of(event)} the cgroup {event.cgroup}{many}"
    if event.panic is not None:
        return f"The kernel panicked ({event.panic})"
    if event.no_killable_processes:
        return f"{killer} found nobody to kill"
    if event.outcome == "failed":
        return f"{killer} tried without success to kill a cgroup"
    return f"{killer} was called"


def _held(victim: Victim) -> str:
    if victim.anon_rss:
        return f", which had {format_bytes(victim.anon_rss)} of anonymous memory in RAM,"
    return f", which had {format_bytes(victim.rss)} in RAM," if victim.rss else ""


def _reason(event: OomEvent, cause: Cause) -> str:
    group = group_of(event) or "its cgroup"
    limit = "" if event.memcg_limit is None else f" of {format_bytes(event.memcg_limit)}"
    size = format_bytes((event.page_size or 0) << max(0, event.order or 0))
    return {
        Cause.MACHINE: f"because {'the memory of the whole machine' if is_scope_told(event) else 'memory'} ran out",
        Cause.ZONE: "because the memory zones that the request may use ran out",
        Cause.FRAGMENTATION: f"because no {size} of contiguous memory was free",
        Cause.CGROUP: f"because {group} reached its limit{limit}",
        Cause.NODE: f"because the allowed NUMA nodes ({nodes_of(event) or 'not named'}) ran out of memory",
        Cause.SYSRQ: "because SysRq-f ordered it",
        Cause.DAEMON: f"by its own rule: {event.reason or 'no reason in the log'}",
        Cause.UNKNOWN: "for a reason that this report does not show",
    }[cause]
