"""Whom an engineer has to look at first: the process of the worst finding, else the victim of what is full first."""

from __future__ import annotations

from oomtop.analysis.model.assessment import Assessment, CgroupFigures, Victims
from oomtop.host.process import ProcessId


def accused(assessment: Assessment) -> ProcessId | None:
    """Return the process of the first finding, the victim of its cgroup, or who is killed next."""
    first = assessment.findings[0] if assessment.findings else None
    if first is not None and first.target is not None:
        return first.target
    group = _group(assessment, first.cgroup) if first is not None and first.cgroup is not None else None
    victim = (group.victims if group is not None else next_victims(assessment)).first
    return None if victim is None else victim.id


def next_victims(assessment: Assessment) -> Victims:
    """Return the victims of the OOM that comes first: that of the cgroup which fills up, else the machine's."""
    group = full_first(assessment)
    return assessment.victims if group is None else group.victims


def full_first(assessment: Assessment) -> CgroupFigures | None:
    """Return the cgroup that is full before anything else, None where that is the machine or nothing grows."""
    soonest = assessment.exhaustion[0] if assessment.exhaustion else None
    return None if soonest is None or soonest.seconds is None else _group(assessment, soonest.resource)


def _group(assessment: Assessment, path: str) -> CgroupFigures | None:
    return next((group for group in assessment.cgroups if group.cgroup.path == path), None)
