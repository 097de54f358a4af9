"""`Notice`: an alert that fires or resolves, as a sentence, as JSON and as environment variables.

Sample: `{"schema": 1, "alert": "low", "state": "firing", "text": "low: available 412M is below 10%", ...}`
"""

from __future__ import annotations

from collections.abc import Mapping
from heapq import nlargest

from oomtop.analysis.model.assessment import Assessment, FiringAlert
from oomtop.analysis.sentences import describe_event
from oomtop.config.alerts import AlertRule
from oomtop.frozen import frozen
from oomtop.oomlog.event import OomEvent
from oomtop.render.json_text import json_text
from oomtop.units import format_duration, printable

SCHEMA = 1
_PROCESSES = 5
_LONGEST = 2000
Json = dict[str, object]


@frozen
class Notice:
    """One end of an incident; `event` is the OOM event that began it, if one did."""

    rule: AlertRule
    alert: FiringAlert
    incident: str
    """The same for the beginning and the end."""
    is_firing: bool
    time: float
    event: OomEvent | None = None
    count: int = 1
    """OOM events of this incident so far."""

    @property
    def state(self) -> str:
        """`firing` or `resolved`."""
        return "firing" if self.is_firing else "resolved"

    @property
    def text(self) -> str:
        """One printable sentence."""
        if self.is_firing:
            return printable(f"{self.alert.name}: {self.alert.text}")[:_LONGEST]
        lasted = format_duration(self.time - self.alert.since)
        subject = f" ({self.alert.subject})" if self.alert.subject else ""
        return printable(f"{self.alert.name}: resolved after {lasted}{subject}")[:_LONGEST]


@frozen
class Letter:
    """A notice ready to be sent: made in the tick, so that nothing of the tick is held by a queue."""

    body: bytes
    """JSON, below 32 KiB."""
    environ: Mapping[str, str]


def write_letter(notice: Notice, assessment: Assessment) -> Letter:
    """Return the notice with the facts of its tick; all foreign text in it is printable."""
    alert = notice.alert
    value = "" if alert.value is None else f"{alert.value:g}"
    environ = {
        "OOMTOP_ALERT": alert.name,
        "OOMTOP_STATE": notice.state,
        "OOMTOP_SEVERITY": alert.severity.value,
        "OOMTOP_HOST": _short(assessment.machine.hostname),
        "OOMTOP_SUBJECT": _short(alert.subject),
        "OOMTOP_VALUE": value,
        "OOMTOP_TEXT": notice.text,
        "OOMTOP_SINCE": f"{alert.since:.0f}",
        "OOMTOP_INCIDENT": notice.incident,
    }
    body: Json = {
        "schema": SCHEMA,
        "alert": alert.name,
        "state": notice.state,
        "severity": alert.severity.value,
        "host": _short(assessment.machine.hostname),
        "subject": _short(alert.subject),
        "value": alert.value,
        "text": notice.text,
        "since": alert.since,
        "time": notice.time,
        "incident": notice.incident,
        "event": None if notice.event is None else _event(notice),
        **_machine(assessment),
    }
    return Letter(json_text(body).encode(), environ)


def _short(text: str) -> str:
    return printable(text)[:_LONGEST]


def _event(notice: Notice) -> Json:
    event = notice.event
    assert event is not None
    victim = event.victim
    return {
        "killer": event.killer,
        "type": event.type,
        "time": event.time,
        "text": _short(describe_event(event)),
        "cgroup": None if event.victim_cgroup is None else _short(event.victim_cgroup),
        "pid": None if victim is None else victim.pid,
        "name": None if victim is None else _short(victim.name),
        "anon_rss": None if victim is None else victim.anon_rss,
        "count": notice.count,
    }


def _machine(assessment: Assessment) -> Json:
    memory, swap, psi = assessment.memory, assessment.swap, assessment.pressure.memory
    first = assessment.victims.first
    soonest = next((item for item in assessment.dangers if item.median is not None), None)
    rows = nlargest(_PROCESSES, assessment.rows, key=lambda row: row.process.rss_and_swap)
    return {
        "memory": {"total": memory.total, "available": memory.available, "anon": memory.anon, "kernel": memory.kernel},
        "swap": {"total": swap.total, "used": swap.used},
        "psi": None if psi is None else {"some": psi.some.avg10, "full": psi.full.avg10 if psi.full else None},
        "exhaustion": soonest and {"resource": _short(soonest.resource), "seconds": soonest.median},
        "next_victim": first and {"pid": first.id.pid, "name": _short(first.name), "frees": first.frees},
        "processes": [
            {"pid": row.process.pid, "name": _short(row.process.comm), "rss": row.process.rss, "swap": row.process.swap}
            for row in rows
        ],
    }
