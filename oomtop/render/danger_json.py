"""A danger as JSON: bytes and seconds, unknown is null."""

from __future__ import annotations

from dataclasses import asdict

from oomtop.analysis.model.assessment import Assessment
from oomtop.analysis.model.danger import Danger, Remedy
from oomtop.host.process import ProcessId

_POINTS = 60


def danger_to_json(danger: Danger, assessment: Assessment) -> dict[str, object]:
    """Return one danger; of its curve the newest points."""

    def started(identity: ProcessId) -> float:
        return identity.start_time / assessment.machine.clock_ticks

    curve = danger.curve
    return {
        "subject": danger.subject,
        "name": danger.name,
        "kind": danger.kind.value,
        "state": danger.state.value,
        "limit": danger.limit,
        "high": danger.brake,
        "used": danger.used,
        "held": danger.held,
        "cache": danger.cache,
        "swapped": danger.swapped,
        "swap_left": danger.swap_left,
        "watched": danger.watched(assessment.time),
        "growing": danger.growing,
        "rate": danger.rate,
        "earliest": danger.earliest,
        "median": danger.median,
        "latest": danger.latest,
        "confidence": None if danger.confidence is None else danger.confidence.value,
        "basis": danger.basis,
        "reclaims": danger.reclaims,
        "dying": [
            {
                "pid": one.id.pid,
                "start_time": started(one.id),
                "name": one.name,
                "uid": one.uid,
                "held": one.held,
                "frees": one.frees,
            }
            for one in danger.dying
        ],
        "dies_together": danger.dies_together,
        "dies_with": [identity.pid for identity in danger.dies_with],
        "near_tie": danger.near_tie,
        "kills": [asdict(kill) for kill in danger.kills],
        "rounds": None if danger.rounds is None else asdict(danger.rounds),
        "remedies": [_remedy(remedy) for remedy in danger.remedies],
        "curve": {
            "times": list(curve.times[-_POINTS:]),
            "held": list(curve.held[-_POINTS:]),
            "used": list(curve.used[-_POINTS:]),
            "swapped": list(curve.swapped[-_POINTS:]),
        },
    }


def _remedy(remedy: Remedy) -> dict[str, object]:
    pid = None if remedy.target is None else remedy.target.pid
    return {"action": remedy.action, "pid": pid, "size": remedy.size, "seconds": remedy.seconds}
