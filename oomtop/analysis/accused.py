"""Whom an engineer has to look at first: the process that the worst finding is about, else the next victim."""

from __future__ import annotations

from oomtop.analysis.model import Assessment, Finding, Victims
from oomtop.host.process import ProcessId


def accused(assessment: Assessment) -> ProcessId | None:
    """Return the process of the first finding, the victim of its cgroup, or who is killed next."""
    first = assessment.findings[0] if assessment.findings else None
    if first is not None and first.target is not None:
        return first.target
    victim = _domain(assessment, first).first
    return None if victim is None else victim.id


def _domain(assessment: Assessment, finding: Finding | None) -> Victims:
    """Return the victims of the cgroup that a finding names or that is full first, else those of the machine."""
    soonest = assessment.exhaustion[0] if assessment.exhaustion else None
    path = finding.cgroup if finding is not None and finding.cgroup is not None else soonest and soonest.resource
    return next((group.victims for group in assessment.cgroups if group.cgroup.path == path), assessment.victims)
