"""Picks the process that J jumps to: the victim at the subject, else the process of the worst finding."""

from __future__ import annotations

from oomtop.analysis.model.assessment import Assessment, Victims
from oomtop.analysis.model.danger import Danger, DangerKind, DangerState
from oomtop.host.process import ProcessId

_CALM = (DangerState.WATCHING, DangerState.STEADY, DangerState.FALLING, DangerState.EMPTY)


def accused(assessment: Assessment, subject: Danger | None = None) -> ProcessId | None:
    """Return the victim at the subject, or the process of the first finding while the subject is calm."""
    danger = subject or _first(assessment)
    if subject is None and (danger is None or danger.state in _CALM):
        target = next((finding.target for finding in assessment.findings[:1]), None)
        if target is not None:
            return target
    victim = next_victims(assessment, subject).first
    return None if victim is None else victim.id


def next_victims(assessment: Assessment, subject: Danger | None = None) -> Victims:
    """Return the kill order at the subject (the chosen or first danger), or that of the machine if it has none."""
    danger = subject or _first(assessment)
    if danger is not None and danger.kind is DangerKind.NODE:
        return dict(assessment.node_victims).get(danger.subject, assessment.victims)
    if danger is None or danger.kind is not DangerKind.CGROUP:
        return assessment.victims
    group = next((group for group in assessment.cgroups if group.cgroup.path == danger.subject), None)
    return assessment.victims if group is None else group.victims


def _first(assessment: Assessment) -> Danger | None:
    return assessment.dangers[0] if assessment.dangers else None
