"""`oomtop doctor` as text for 80 columns, and as JSON."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence

from oomtop.analysis.doctor import Ability, Works
from oomtop.analysis.model.assessment import Assessment, Finding, Severity
from oomtop.units import format_bytes, printable

_WORKS = {Works.YES: "ok", Works.PARTLY: "part", Works.NO: "no"}
_SEVERITY = {Severity.CRITICAL: "!!", Severity.WARNING: "! ", Severity.INFO: "- "}
_TITLE = 28


def render_doctor(now: Assessment, abilities: Sequence[Ability], risks: Sequence[Finding], width: int) -> str:
    """Return the report; no line is longer than `width` cells where the words allow it."""
    lines = [_heading(now), "", "What works here"]
    for ability in abilities:
        lines += _wrapped(f"  {_WORKS[ability.works]:5}{ability.title:{_TITLE}}", ability.detail, width)
        if ability.remedy is not None:
            lines += _wrapped(" " * (7 + _TITLE), f"-> {ability.remedy}", width)
    lines += ["", f"Risks: {_counted(risks)}" if risks else "Risks: none found"]
    for risk in risks:
        lines += _wrapped(f"  {_SEVERITY[risk.severity]} ", risk.title, width)
        lines += _wrapped("     ", risk.evidence, width)
        lines += _wrapped("     ", f"-> {risk.advice}", width)
    return "\n".join(printable(line) for line in lines)


def _heading(now: Assessment) -> str:
    machine, swap = now.machine, now.swap.total
    return (
        f"{machine.hostname}: Linux {machine.kernel}, {format_bytes(now.memory.total)} RAM, "
        f"{format_bytes(swap) + ' swap' if swap else 'no swap'}, {machine.cpu_count} CPUs"
    )


def _wrapped(first: str, text: str, width: int) -> Iterable[str]:
    room = max(30, width - len(first))
    parts = textwrap.wrap(text, room, break_long_words=False, break_on_hyphens=False) or [""]
    return [f"{first if at == 0 else ' ' * len(first)}{part}" for at, part in enumerate(parts)]


def _counted(risks: Sequence[Finding]) -> str:
    numbers = {severity: sum(risk.severity is severity for risk in risks) for severity in Severity}
    names = {Severity.CRITICAL: "critical", Severity.WARNING: "to act on", Severity.INFO: "to know about"}
    return ", ".join(f"{numbers[severity]} {names[severity]}" for severity in _SEVERITY if numbers[severity])


def doctor_to_json(now: Assessment, abilities: Sequence[Ability], risks: Sequence[Finding]) -> Mapping[str, object]:
    """Return what `--json` prints: schema 1, sizes in bytes."""
    return {
        "schema": 1,
        "time": now.time,
        "host": now.machine.hostname,
        "kernel": now.machine.kernel,
        "memory_total": now.memory.total,
        "swap_total": now.swap.total,
        "abilities": [
            {"id": a.id, "title": a.title, "works": a.works.value, "detail": a.detail, "remedy": a.remedy}
            for a in abilities
        ],
        "risks": [
            {"id": r.id, "severity": r.severity.value, "title": r.title, "evidence": r.evidence, "advice": r.advice}
            for r in risks
        ],
    }
