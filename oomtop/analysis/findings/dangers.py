"""Findings about dangers: one for each danger worth reporting, and one for a crash loop."""

from __future__ import annotations

from collections.abc import Iterator

from oomtop.analysis.dangers.severity import severity_of
from oomtop.analysis.findings.causes import cause_of
from oomtop.analysis.findings.rule import Facts
from oomtop.analysis.model.assessment import Finding, Severity
from oomtop.analysis.model.danger import Danger, DangerKind
from oomtop.analysis.sentences import describe_rounds, describe_use
from oomtop.units import format_about, format_bytes, format_share

_LOW = 0.05


def find_in_dangers(facts: Facts) -> Iterator[Finding]:
    """Yield the findings of the dangers, in their order."""
    for danger in facts.dangers:
        if danger.rounds is not None:
            yield _crash_loop(danger)
        found = _FINDERS[danger.kind](danger, facts)
        if found is not None:
            yield found


def _crash_loop(danger: Danger) -> Finding:
    victim = danger.victim
    return Finding(
        "crash_loop",
        Severity.WARNING,
        f"{danger.name} is in a crash loop: killed {describe_rounds(danger)}",
        f"limit {format_bytes(danger.limit)}; last killed {danger.kills[0].name}",
        "L raise its limit; or stop what restarts it and find the leak: Enter on the kill explains it",
        target=victim.id if victim else None,
        cgroup=danger.subject if danger.kind is DangerKind.CGROUP else None,
    )


def _cgroup(danger: Danger, facts: Facts) -> Finding | None:
    severity = severity_of(danger)
    if severity is None:
        return None
    victim = danger.victim
    select = f"J select {victim.id.pid}, k kill it (frees {format_bytes(victim.frees)})" if victim else ""
    return Finding(
        "cgroup_limit",
        severity,
        f"{danger.name}: {describe_use(danger)}",
        f"held {format_bytes(danger.held)}, cache {format_bytes(danger.cache)} of {format_bytes(danger.limit)}"
        + (f"; next victim {victim.name} ({victim.id.pid})" if victim else ""),
        f"{select}; L raise the limit" if select else "L raise the limit",
        target=victim.id if victim else None,
        cgroup=danger.subject,
    )


def _machine(danger: Danger, facts: Facts) -> Finding | None:
    available = facts.memory.available
    is_low = available is not None and available < facts.memory.total * _LOW
    severity = Severity.CRITICAL if is_low else severity_of(danger)
    if severity is None:
        return None
    is_filling = danger.median is not None
    cause = cause_of(facts, (danger.rate or 0.0) if is_filling else 0.0)
    when = f"full in {format_about(danger.median)}" if is_filling else f"{format_bytes(available)} available"
    return Finding(
        "surge" if cause.is_process and is_filling else "memory_low",
        severity,
        f"memory {when}{cause.text}",
        f"available {format_bytes(available)} of {format_bytes(facts.memory.total)}",
        cause.advice,
        target=cause.target,
    )


def _node(danger: Danger, facts: Facts) -> Finding | None:
    severity = severity_of(danger)
    if severity is None:
        return None
    victim = danger.victim
    return Finding(
        "node_memory",
        severity,
        f"{danger.name}: {describe_use(danger)}",
        "a cpuset or a memory policy confines processes to it: the kernel kills even if other nodes have room"
        + (f": next {victim.name} ({victim.id.pid})" if victim else ""),
        "confine fewer processes to it: cpuset.mems, numactl; or W add swap",
        target=victim.id if victim else None,
    )


def _commit(danger: Danger, facts: Facts) -> Finding | None:
    if severity_of(danger) is None:
        return None
    return Finding(
        "overcommit",
        severity_of(danger) or Severity.WARNING,
        f"near the commit limit, where allocations fail: {format_share(danger.share)} is committed",
        f"Committed_AS {format_bytes(danger.held)} of CommitLimit {format_bytes(danger.limit)}, overcommit_memory=2",
        "y raise overcommit_ratio or set overcommit_memory=0; W add swap, which raises the limit",
    )


_FINDERS = {
    DangerKind.CGROUP: _cgroup, DangerKind.MACHINE: _machine, DangerKind.NODE: _node, DangerKind.COMMIT: _commit,
}  # fmt: skip
