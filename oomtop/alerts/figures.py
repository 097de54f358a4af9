"""The figures that a condition may name, read from an assessment: one reading each, keyed by what it is one of."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase

from oomtop.analysis.model.assessment import Assessment, CgroupFigures, ProcessRow
from oomtop.analysis.model.danger import Danger, DangerKind
from oomtop.fields import FIELDS, ProcessField, number_of
from oomtop.frozen import frozen
from oomtop.host.pressure import Pressure

Key = object
"""What makes two readings of different ticks the same thing: a path, a `ProcessId`, the empty text."""


@frozen
class AlertValue:
    """One figure of one thing; `whole` is what a percentage is a share of."""

    subject: str
    value: float | None
    whole: float | None = None


Readings = Mapping[Key, AlertValue]


def read(figure: str, assessment: Assessment, filters: Mapping[str, str]) -> Readings:
    """Return the readings of a figure, only of what the filters let through."""
    if figure in _MACHINE:
        value, whole = _MACHINE[figure](assessment)
        return {"": AlertValue("", value, whole)}
    if figure in _CGROUP:
        return _cgroups(_CGROUP[figure], assessment, filters)
    if figure in _PROCESS:
        return _processes(_PROCESS[figure], assessment, filters)
    if figure == "finding":
        return _findings(assessment, filters)
    return {}


def fits(pattern: str | None, texts: Iterable[str | None]) -> bool:
    """Whether a shell pattern fits one of the texts; no pattern fits all."""
    return pattern is None or any(fnmatchcase(text, pattern) for text in texts if text)


Pair = tuple[float | None, float | None]


def _machine_exhaustion(assessment: Assessment) -> Pair:
    return _until([item for item in assessment.dangers if item.kind is DangerKind.MACHINE]), None


def _until(items: Iterable[Danger | None]) -> float | None:
    """Return the seconds to the soonest, infinity where nothing fills, None where no trend is known yet."""
    known = [item for item in items if item is not None and item.rate is not None]
    return min((math.inf if item.median is None else item.median for item in known), default=None)


def _psi(select: Callable[[Assessment], Pressure | None], kind: str, window: str) -> Callable[[Assessment], Pair]:
    def share(assessment: Assessment) -> Pair:
        line = getattr(select(assessment), kind, None)
        return None if line is None else getattr(line, window) / 100, None

    return share


def _memory_psi(assessment: Assessment) -> Pressure | None:
    return assessment.pressure.memory


def _io_psi(assessment: Assessment) -> Pressure | None:
    return assessment.pressure.io


def _part(name: str) -> Callable[[Assessment], Pair]:
    return lambda assessment: (getattr(assessment.memory, name), assessment.memory.total)


def _victim_share(assessment: Assessment) -> Pair:
    first = assessment.victims.first
    return None if first is None else first.share, None


def _own_headroom(assessment: Assessment) -> Pair:
    limit = assessment.limit
    return (None, None) if limit is None else (limit.headroom, limit.effective_limit)


_PARTS = ("available", "free", "anon", "shmem", "page_cache", "kernel", "mlocked", "dirty", "committed")
_WINDOWS = ("avg10", "avg60", "avg300")
_MACHINE: Mapping[str, Callable[[Assessment], Pair]] = {
    **{name: _part(name) for name in _PARTS},
    "swap.used": lambda assessment: (assessment.swap.used, assessment.swap.total),
    "swap.free": lambda assessment: (assessment.swap.free, assessment.swap.total),
    "swap.in": lambda assessment: (assessment.swap.in_rate, None),
    "swap.out": lambda assessment: (assessment.swap.out_rate, None),
    "container.headroom": _own_headroom,
    "refaults": lambda assessment: (assessment.pressure.refault_rate, None),
    "major_faults": lambda assessment: (assessment.pressure.major_fault_rate, None),
    "direct_reclaim": lambda assessment: (assessment.pressure.direct_reclaim_rate, None),
    "oom_kills": lambda assessment: (assessment.pressure.oom_kills, None),
    "unlogged_kills": lambda assessment: (assessment.unlogged_kills, None),
    "processes": lambda assessment: (len(assessment.rows), None),
    "victim.share": _victim_share,
    "exhaustion": _machine_exhaustion,
    **{f"psi.{kind}.{window}": _psi(_memory_psi, kind, window) for kind in ("some", "full") for window in _WINDOWS},
    **{f"psi.io.{kind}.avg10": _psi(_io_psi, kind, "avg10") for kind in ("some", "full")},
}


def _cgroup_full(group: CgroupFigures, assessment: Assessment) -> Pair:
    pressure = group.cgroup.pressure
    return None if pressure is None or pressure.full is None else pressure.full.avg10 / 100, None


_CGROUP: Mapping[str, Callable[[CgroupFigures, Assessment], Pair]] = {
    "cgroup.headroom": lambda group, _: (group.headroom, group.effective_limit),
    "cgroup.current": lambda group, assessment: (
        group.cgroup.current,
        group.effective_limit or assessment.memory.total,
    ),
    "cgroup.swap": lambda group, _: (group.cgroup.swap_current, None),
    "cgroup.growth": lambda group, _: (group.growth, None),
    "cgroup.exhaustion": lambda group, _: (_until([group.danger]), None),
    "cgroup.psi.full.avg10": _cgroup_full,
}
_PROCESS: Mapping[str, ProcessField] = {field.alert: field for field in FIELDS if field.alert}


def _cgroups(
    select: Callable[[CgroupFigures, Assessment], Pair], assessment: Assessment, filters: Mapping[str, str]
) -> Readings:
    return {
        group.cgroup.path: AlertValue(group.cgroup.path, *select(group, assessment))
        for group in assessment.cgroups
        if fits(filters.get("cgroup"), [group.cgroup.path]) and fits(filters.get("unit"), [group.name])
    }


def _processes(field: ProcessField, assessment: Assessment, filters: Mapping[str, str]) -> Readings:
    value_of, whole = number_of(field), assessment.memory.total if field.alert_of_ram else None
    return {
        row.process.id: AlertValue(f"{row.process.comm} ({row.process.pid})", value_of(row), whole)
        for row in assessment.rows
        if _is_meant(row, filters)
    }


def _is_meant(row: ProcessRow, filters: Mapping[str, str]) -> bool:
    if not filters:
        return True
    line = row.process.command or ""
    program = line.split(" ", 1)[0].rsplit("/", 1)[-1]
    return (
        fits(filters.get("process"), [row.process.comm, line, program])
        and fits(filters.get("user"), [row.user])
        and fits(filters.get("unit"), [row.unit])
        and fits(filters.get("cgroup"), [row.process.cgroup])
    )


def _findings(assessment: Assessment, filters: Mapping[str, str]) -> Readings:
    return {
        (finding.id, finding.target, finding.cgroup): AlertValue(finding.title, 1.0)
        for finding in assessment.findings
        if fits(filters.get("finding"), [finding.id]) and fits(filters.get("cgroup"), [finding.cgroup])
    }
