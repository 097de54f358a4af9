"""Named causes with evidence and advice: a table of rules, each a small pure function of one `Facts`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from operator import attrgetter

from oomtop.analysis.cgroups.assess import chain
from oomtop.analysis.findings.causes import balloon, cause_of, idle_huge_pages, kernel_memory, tmpfs
from oomtop.analysis.findings.growth import hog, leak
from oomtop.analysis.findings.limits import (
    container_without_limit,
    fragmentation,
    limits_over_ram,
    overcommit_refused,
)  # fmt: skip
from oomtop.analysis.findings.rule import Facts, Rule
from oomtop.analysis.model.assessment import CgroupFigures, Exhaustion, Finding, Severity
from oomtop.units import format_about, format_bytes, format_rate

_SOON = 120.0
_SWARM = 100
# In C: 5,000 calls of a function would be a tenth of the whole assessment.
_NAME = attrgetter("process.comm")
# Of the machine's growth: the rest is what any machine does.
_ALMOST_ALL = 0.8


def group_near_limit(facts: Facts) -> Finding | None:
    """A cgroup whose working set leaves less than a tenth of its limit, or that reaches it within two minutes."""
    tight = [group for group in facts.groups if _is_tight(group)]
    if not tight:
        return None
    group = min(tight, key=lambda item: item.headroom or 0)
    limit, left = group.cgroup.max or 0, group.headroom or 0
    outlook = group.exhaustion
    when = f", full in about {format_about(outlook.seconds)}" if outlook and outlook.seconds else ""
    victim = group.victims.first
    return Finding(
        "cgroup_limit",
        Severity.CRITICAL,
        f"{group.name} is near its limit of {format_bytes(limit)}{when}",
        f"working set {format_bytes(limit - left)} of {format_bytes(limit)}"
        + (f"; next victim {victim.name} ({victim.id.pid})" if victim else ""),
        "J goes to its biggest process, k ends it; raise memory.max or set memory.high below it",
        action="kill",
        target=victim.id if victim else None,
        cgroup=group.cgroup.path,
    )


def _is_tight(group: CgroupFigures) -> bool:
    limit, left = group.cgroup.max, group.headroom
    if not limit or left is None:
        return False
    outlook = group.exhaustion
    soon = outlook is not None and outlook.seconds is not None and outlook.seconds < _SOON
    return soon or (left < limit / 10 and limit - left > limit / 2)


def memory_running_out(facts: Facts) -> Finding | None:
    """The machine's memory will be gone soon, or less than a twentieth of it is available."""
    memory = facts.memory
    if memory.available is None:
        return None
    soonest = next((e for e in facts.exhaustion if not e.resource.startswith("/")), None)
    seconds = soonest.seconds if soonest else None
    low = memory.available < memory.total / 20
    if not low and (soonest is None or seconds is None or seconds > 600 or _ends_at_limits(facts.groups, soonest)):
        return None
    rate = soonest.rate or 0.0 if soonest and seconds else 0.0
    cause = cause_of(facts, rate)
    when = f"full in about {format_about(seconds)}" if seconds else f"{format_bytes(memory.available)} available"
    return Finding(
        "surge" if cause.is_process and seconds else "memory_low",
        Severity.CRITICAL if low or (seconds or 1e9) < _SOON else Severity.WARNING,
        f"memory {when}{cause.text}",
        f"available {format_bytes(memory.available)} of {format_bytes(memory.total)}",
        cause.advice,
        action="kill",
        target=cause.target,
    )


def _ends_at_limits(groups: Sequence[CgroupFigures], machine: Exhaustion) -> bool:
    """Whether what grows meets limits of cgroups before the machine's end: then these are told, not the machine."""
    growing = {group.cgroup.path: group for group in groups if group.exhaustion and (group.exhaustion.rate or 0) > 0}
    outer = [
        group
        for path, group in growing.items()
        if path != "/" and not any(above in growing for above in chain(path) if above not in (path, "/"))
    ]
    rate = sum(group.exhaustion.rate or 0 for group in outer if group.exhaustion)
    room = sum(group.headroom or 0 for group in outer)
    return rate >= _ALMOST_ALL * (machine.rate or 0) and room < machine.headroom


def swap_storm(facts: Facts) -> Finding | None:
    """Pages go out and come back at the same time."""
    into, out = facts.swap.in_rate or 0.0, facts.swap.out_rate or 0.0
    if into < 1 << 20 or out < 1 << 20:
        return None
    return Finding(
        "swap_storm",
        Severity.CRITICAL,
        f"swap storm: {format_rate(into)} in and {format_rate(out)} out",
        f"swap used {format_bytes(facts.swap.used)} of {format_bytes(facts.swap.total)}",
        "J goes to the biggest process, k ends it, f freezes it",
        action="kill",
    )


def thrashing(facts: Facts) -> Finding | None:
    """All tasks wait for memory for a tenth of the time."""
    pressure = facts.pressure.memory
    if pressure is None or pressure.full is None or pressure.full.avg10 < 10:
        return None
    return Finding(
        "thrashing",
        Severity.CRITICAL,
        f"thrashing: everything waits for memory {pressure.full.avg10:.0f} % of the time",
        f"PSI full avg10 {pressure.full.avg10:.1f}, refaults {format_rate(facts.pressure.refault_rate)}",
        "J goes to the biggest process, k ends it; W adds swap",
        action="kill",
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
        "the column LOCKED names who holds it",
    )


def swarm(facts: Facts) -> Finding | None:
    """Very many processes of one name hold a tenth of RAM together."""
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
    # Each process counts the pages that it still shares with its parent since fork().
    size = min(together, anon)
    if size < facts.memory.total / 10:
        return None
    most = "up to " if size < together else ""
    return Finding(
        "swarm",
        Severity.WARNING,
        f"{count} processes {name} hold {most}{format_bytes(size)} together",
        "RssAnon summed over processes of one name",
        "g groups by program; Space or c tags, k kills all tagged",
        action="kill",
    )


RULES: tuple[Rule, ...] = (
    group_near_limit, memory_running_out, swap_storm, thrashing, overcommit_refused, leak, swarm, hog, tmpfs,
    kernel_memory, balloon, idle_huge_pages, mlocked, fragmentation, container_without_limit, limits_over_ram,
)  # fmt: skip
_ORDER = {Severity.CRITICAL: 0, Severity.WARNING: 1, Severity.INFO: 2}


def find(facts: Facts) -> tuple[Finding, ...]:
    """Return what the rules found, most severe first; one process is accused once."""
    found = [finding for rule in RULES if (finding := rule(facts)) is not None]
    accused = {finding.target for finding in found if finding.id not in ("leak", "hog") and finding.target is not None}
    leaking = {finding.target for finding in found if finding.id == "leak"}
    kept = [
        finding
        for finding in found
        if not (finding.id == "leak" and finding.target in accused)
        and not (finding.id == "hog" and finding.target in accused | leaking)
    ]
    return tuple(sorted(kept, key=lambda finding: _ORDER[finding.severity]))
