"""The machines as JSON: bytes, seconds, Unix time, shares from 0 to 1; null where it is unknown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from oomtop.fleet.machines import FleetMachine

SCHEMA = 1


def machines_to_json(machines: Sequence[FleetMachine], url: str, now: float) -> dict[str, object]:
    """Return what `oomtop fleet --json` prints; the URL is without its password."""
    return {
        "schema": SCHEMA,
        "prometheus": url,
        "time": now,
        "machines": [machine_to_json(machine) for machine in machines],
    }


def machine_to_json(machine: FleetMachine) -> dict[str, object]:
    """Return one machine, its figures under the names that `oomtop top --json` has for them."""
    return {
        "job": machine.job,
        "instance": machine.instance,
        "host": machine.host,
        "up": machine.up,
        "sampled": machine.sampled,
        "memory": {"total": machine.total, "available": machine.available},
        "swap": {"total": machine.swap_total, "used": machine.swap_used},
        "pressure": {"some": machine.some, "full": machine.full},
        "exhaustion": None if machine.shortage is None else asdict(machine.shortage),
        "worst_cgroup": None if machine.worst is None else asdict(machine.worst),
        "next_victim": None if machine.victim is None else asdict(machine.victim),
        "oom_kills_last_hour": machine.kills,
        "last_oom_kill": machine.last_kill,
        "killed_in": machine.killed_in,
        "alerts": list(machine.alerts),
        "available_history": [list(point) for point in machine.history],
    }
