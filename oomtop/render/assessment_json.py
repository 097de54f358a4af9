"""The assessment as JSON: `{"schema": 1, ...}` in bytes and seconds, unknown is null."""

from __future__ import annotations

from dataclasses import asdict

from oomtop.analysis.group_totals import group_totals
from oomtop.analysis.kernel_state import assess_kernel
from oomtop.analysis.model.assessment import (
    Assessment,
    Candidate,
    CgroupFigures,
    EarlyKiller,
    Growth,
    ProcessRow,
    Victims,
)
from oomtop.analysis.model.danger import Confidence, Danger, DangerKind
from oomtop.analysis.shared_memory import Ceiling, programs_together
from oomtop.host.pressure import Pressure
from oomtop.render.answers.settings_json import settings_to_json
from oomtop.render.danger_json import danger_to_json

SCHEMA = 1
Json = dict[str, object]


def assessment_to_json(assessment: Assessment, processes: int | None = None, grouping: str | None = None) -> Json:
    """Return the whole assessment; `processes` bounds the rows, biggest RSS+swap first; `grouping` adds totals."""
    totals = [] if grouping is None else group_totals(assessment, grouping)[:processes]
    rows = sorted(assessment.rows, key=lambda row: row.process.rss_and_swap, reverse=True)
    first, pss = assessment.victims.first, dict(assessment.pss)
    ceiling = Ceiling.of(assessment.memory, assessment.swap)
    machine = next((item for item in assessment.dangers if item.kind is DangerKind.MACHINE), None)
    return {
        "schema": SCHEMA,
        "time": assessment.time,
        "host": assessment.machine.hostname,
        "kernel": assessment.machine.kernel,
        "memory": asdict(assessment.memory),
        "swap": asdict(assessment.swap),
        "pressure": _pressure(assessment),
        "dangers": [danger_to_json(danger, assessment) for danger in assessment.dangers],
        "exhaustion": None if machine is None else _exhaustion(machine),
        "next_victim": None if first is None else _candidate(first, assessment),
        **_deaths(assessment.victims),
        "candidates": [_candidate(item, assessment) for item in assessment.victims.candidates],
        "processes": [_process(row, pss.get(row.process.id)) for row in rows[:processes]],
        "cgroups": [_group(group, assessment) for group in assessment.cgroups],
        "groups": [asdict(total) for total in totals],
        "growth": [_growth(item, assessment) for item in assessment.growths],
        "findings": [
            {"id": f.id, "severity": f.severity.value, "title": f.title, "evidence": f.evidence, "advice": f.advice}
            for f in assessment.findings
        ],
        "alerts": [
            {
                "name": alert.name,
                "severity": alert.severity.value,
                "subject": alert.subject,
                "text": alert.text,
                "since": alert.since,
                "value": alert.value,
            }
            for alert in assessment.alerts
        ],
        "growing_parts": [asdict(item) for item in assessment.parts],
        "programs": [asdict(item) for item in programs_together(assessment.rows, pss, ceiling)],
        "early_killers": [_early_killer(item, assessment) for item in assessment.early_killers],
        **_kernel(assessment),
        "scope": asdict(assessment.scope),
        "problems": [asdict(problem) for problem in assessment.problems],
    }


def _kernel(assessment: Assessment) -> Json:
    state = assess_kernel(assessment)
    return {
        "settings": settings_to_json(state.settings)["settings"],
        "zones": [
            {**asdict(item.zone), "word": item.word, "reserve": item.reserve, "left": item.left} for item in state.zones
        ],
        "fragmentation": [
            {
                "node": item.buddy.node,
                "zone": item.buddy.zone,
                "free_blocks": list(item.buddy.counts),
                "unusable": list(item.unusable),
            }
            for item in state.fragmentation
        ],
        "slabs": None
        if state.slabs is None
        else [
            {**asdict(item.slab), "share": item.share, "idle": item.idle, "meaning": item.meaning or None}
            for item in state.slabs
        ],
        "commit_share": state.commit_share,
    }


def _early_killer(item: EarlyKiller, assessment: Assessment) -> Json:
    return {
        "name": item.name,
        "pid": item.id.pid,
        "condition": item.condition,
        "room": item.room,
        "seconds": item.seconds,
        "victim": None if item.victim is None else item.victim.pid,
        "victim_name": item.victim_name,
        "victim_cgroup": item.victim_cgroup,
        "signal": item.signal,
        "sure": item.sure,
        "with_group": item.with_group,
    }


def _pressure(assessment: Assessment) -> Json:
    figures = assessment.pressure
    return {
        "memory": _psi(figures.memory),
        "io": _psi(figures.io),
        "major_fault_rate": figures.major_fault_rate,
        "refault_rate": figures.refault_rate,
        "direct_reclaim_rate": figures.direct_reclaim_rate,
        "oom_kills": figures.oom_kills,
        "since_boot": asdict(figures.since_boot),
    }


def _psi(pressure: Pressure | None) -> Json | None:
    return None if pressure is None else asdict(pressure)


def _exhaustion(item: Danger) -> Json:
    """Return a danger as it was told before there was a list of them."""
    return {
        "resource": item.resource,
        "headroom": item.room,
        "rate": item.rate,
        "seconds": item.median,
        "earliest": item.earliest,
        "latest": item.latest,
        "confidence": (item.confidence or Confidence.LOW).value,
    }


def _candidate(item: Candidate, assessment: Assessment) -> Json:
    return {
        "pid": item.id.pid,
        "start_time": item.id.start_time / assessment.machine.clock_ticks,
        "name": item.name,
        "uid": item.uid,
        "badness": item.badness,
        "share": item.share,
        "frees": item.frees,
    }


def _deaths(victims: Victims) -> Json:
    return {
        "near_tie": victims.near_tie,
        "oom_group": victims.oom_group,
        "dying": [identity.pid for identity in victims.dying],
        "dying_frees": victims.dying_frees,
    }


def _process(row: ProcessRow, pss: int | None) -> Json:
    process = row.process
    return {
        "pid": process.pid,
        "start_time": process.started,
        "ppid": process.ppid,
        "name": process.comm,
        "command": process.command,
        "uid": process.euid,
        "user": row.user,
        "state": process.state,
        "rss": process.rss,
        "pss": pss,
        "rss_anon": process.rss_anon,
        "rss_file": process.rss_file,
        "rss_shmem": process.rss_shmem,
        "swap": process.swap,
        "page_tables": process.page_tables,
        "growth": row.growth,
        "cpu": row.cpu,
        "major_fault_rate": row.major_fault_rate,
        "oom_score": process.oom_score,
        "oom_score_adj": process.oom_score_adj,
        "badness": row.badness,
        "share": row.share,
        "threads": process.threads,
        "cgroup": process.cgroup,
        "unit": row.unit,
        "headroom": row.headroom,
    }


def _growth(item: Growth, assessment: Assessment) -> Json:
    start = None if item.start_time is None else item.start_time / assessment.machine.clock_ticks
    return {
        "kind": item.kind,
        "name": item.name,
        "pid": item.pid,
        "start_time": start,
        "size": item.size,
        "over_1m": item.minute,
        "over_5m": item.five_minutes,
        "over_30m": item.half_hour,
        "curve": item.curve,
    }


def _group(group: CgroupFigures, assessment: Assessment) -> Json:
    first = group.victims.first
    return {
        "path": group.cgroup.path,
        "name": group.name,
        "current": group.cgroup.current,
        "peak": group.cgroup.peak,
        "high": group.cgroup.high,
        "max": group.cgroup.max,
        "effective_limit": group.effective_limit,
        "headroom": group.headroom,
        "exhaustion": None if group.danger is None else _exhaustion(group.danger),
        "next_victim": None if first is None else _candidate(first, assessment),
        **_deaths(group.victims),
    }
