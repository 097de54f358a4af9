"""Findings about the machine: a table of rules, each a small pure function of `Facts`."""

from __future__ import annotations

from collections import Counter
from operator import attrgetter

from oomtop.analysis.findings.causes import balloon, idle_huge_pages, kernel_memory, tmpfs
from oomtop.analysis.findings.dangers import find_in_dangers
from oomtop.analysis.findings.growth import hog, leak
from oomtop.analysis.findings.limits import (
    container_without_limit,
    fragmentation,
    limits_over_ram,
)  # fmt: skip
from oomtop.analysis.findings.rule import Facts, Rule
from oomtop.analysis.model.assessment import Finding, Severity
from oomtop.units import format_bytes, format_rate

_SWARM = 100
# In C: 5,000 Python calls would take a tenth of the whole assessment.
_NAME = attrgetter("process.comm")


def swap_storm(facts: Facts) -> Finding | None:
    """Pages are swapped out and in at the same time."""
    into, out = facts.swap.in_rate or 0.0, facts.swap.out_rate or 0.0
    if into < 1 << 20 or out < 1 << 20:
        return None
    return Finding(
        "swap_storm",
        Severity.CRITICAL,
        f"swap storm: {format_rate(into)} in and {format_rate(out)} out",
        f"swap used {format_bytes(facts.swap.used)} of {format_bytes(facts.swap.total)}",
        "J select the next victim, k kill it, f freeze it",
    )


def thrashing(facts: Facts) -> Finding | None:
    """All tasks stall on memory for a tenth of the time."""
    pressure = facts.pressure.memory
    if pressure is None or pressure.full is None or pressure.full.avg10 < 10:
        return None
    return Finding(
        "thrashing",
        Severity.CRITICAL,
        f"thrashing: all tasks wait for memory {pressure.full.avg10:.0f} % of the time",
        f"PSI full avg10 {pressure.full.avg10:.1f}, refaults {format_rate(facts.pressure.refault_rate)}",
        "J select the next victim, k kill it; W adds swap",
    )


def mlocked(facts: Facts) -> Finding | None:
    """A quarter of RAM is locked and cannot be reclaimed or swapped."""
    locked = facts.memory.mlocked or 0
    if locked < facts.memory.total / 4:
        return None
    return Finding(
        "mlocked",
        Severity.WARNING,
        f"{format_bytes(locked)} is locked in memory",
        "Mlocked of /proc/meminfo",
        "see column LOCKED",
    )


def swarm(facts: Facts) -> Finding | None:
    """Many processes of one name hold a tenth of RAM together."""
    anon = facts.memory.anon
    if anon is None or anon < facts.memory.total / 10:
        return None
    names = Counter(map(_NAME, facts.rows))
    if not names:
        return None
    name, count = names.most_common(1)[0]
    if count < _SWARM:
        return None
    together = sum(row.process.rss_anon or 0 for row in facts.rows if row.process.comm == name)
    # Each process also counts pages it still shares with its parent after fork().
    size = min(together, anon)
    if size < facts.memory.total / 10:
        return None
    most = "up to " if size < together else ""
    return Finding(
        "swarm",
        Severity.WARNING,
        f"{count} {name} processes hold {most}{format_bytes(size)} of anonymous memory",
        "RssAnon summed over processes of one name",
        "g group by program; Space or c tag, k kill the tagged",
    )


RULES: tuple[Rule, ...] = (
    swap_storm, thrashing, leak, swarm, hog, tmpfs,
    kernel_memory, balloon, idle_huge_pages, mlocked, fragmentation, container_without_limit, limits_over_ram,
)  # fmt: skip


def find(facts: Facts) -> tuple[Finding, ...]:
    """Return the findings, most severe first; each process appears once."""
    found = [*find_in_dangers(facts), *(finding for rule in RULES if (finding := rule(facts)) is not None)]
    accused = {finding.target for finding in found if finding.id not in ("leak", "hog") and finding.target is not None}
    leaking = {finding.target for finding in found if finding.id == "leak"}
    kept = [
        finding
        for finding in found
        if not (finding.id == "leak" and finding.target in accused)
        and not (finding.id == "hog" and finding.target in accused | leaking)
    ]
    return tuple(sorted(kept, key=lambda finding: finding.severity.order))
