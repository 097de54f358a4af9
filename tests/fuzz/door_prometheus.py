"""What a server that is asked for PromQL answers: series, or one error in words; never a number that JSON lacks."""

import json
from random import Random
from typing import Any

from oomtop.fleet.machines import machines_of, queries
from oomtop.fleet.prometheus import parse_answer
from oomtop.render.fleet import render_fleet
from oomtop.render.fleet_json import machines_to_json
from oomtop.render.json_text import json_text
from tests.fuzz.harness import NASTY, Door, mutate

NOW = 1_795_000_000.0
NAMES = (
    "memory_total_bytes", "memory_available_bytes", "swap_total_bytes", "swap_used_bytes", "sample_timestamp_seconds",
    "last_oom_kill_timestamp_seconds", "exhaustion_earliest_seconds", "",
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    "1",
    "1e10",
    "NaN",
    "-Inf",
    "+Inf",
    "-1",
    "1e308",
    "1e400",
    "9" * 400,
    "0x10",
    "",
    "1_0",
    None,
    True,
    [],
    10**400,
)
REFUSED = (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError)


def make(rng: Random) -> dict[str, bytes]:
    """Return an answer to each query: right ones, with odd values, and damaged ones."""
    return {name: _answer(rng) for name in (*queries(), "history")}


def _answer(rng: Random) -> bytes:
    many = rng.random() < 0.3
    result = [_series(rng, many) for _ in range(rng.randrange(4))]
    body = json.dumps({"data": {"resultType": "matrix" if many else "vector", "result": result}}).encode()
    return mutate(rng, body) if rng.random() < 0.3 else body


def _series(rng: Random, many: bool) -> dict[str, Any]:
    text = rng.choice(NASTY).decode("utf-8", "replace")
    names = ("job", "instance", "resource", "cgroup", "process", "unit", "pid", "kind", "alertname")
    labels = {name: rng.choice(("a", "a:1", "[::1]:9", "memory", text)) for name in names if rng.random() < 0.7}
    points = {"values": [_point(rng) for _ in range(rng.randrange(5))]} if many else {"value": _point(rng)}
    return {"metric": {"__name__": f"oomtop_{rng.choice(NAMES)}", **labels}, **points}


def _point(rng: Random) -> list[Any]:
    return [rng.choice((1, NOW, *VALUES)), rng.choice(VALUES)]


def attempt(answers: dict[str, bytes]) -> None:
    """Read each, and show what became of them as the table and as JSON."""
    read = {}
    for name, body in answers.items():
        try:
            read[name] = parse_answer(body)
        except REFUSED:
            read[name] = ()
    machines = machines_of(read, "instance")
    render_fleet(machines, NOW, 120)
    json.loads(json_text(machines_to_json(machines, "http://x", NOW)), parse_constant=lambda name: 1 / 0)


DOOR = Door("prometheus", make, attempt, few=300, many=50_000)
