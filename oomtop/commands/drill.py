"""`oomtop drill`: a leak, a surge, a process swarm, a cache flood or fragmentation, in a limited cgroup."""

from __future__ import annotations

import argparse
import signal
from typing import TYPE_CHECKING

from oomtop.commands.arguments import seconds, size
from oomtop.commands.consent import add_plan_options, consent_of
from oomtop.frozen import replace

if TYPE_CHECKING:
    from oomtop.actions.base.plan import Outcome, Plan

HELP = "safe stress test in a limited cgroup of its own"
SCHEMA = 1
_KINDS = ("leak", "surge", "swarm", "cache", "fragment")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument("kind", choices=_KINDS, help="the kind of failure to cause")
    parser.add_argument(
        "--size", type=size, metavar="SIZE", help="memory limit of the cgroup (default: a quarter of free memory)"
    )
    parser.add_argument("--rate", type=size, metavar="SIZE", help="bytes to allocate per second, such as 16M")
    parser.add_argument("--seconds", type=seconds, metavar="S", help="stop after this long")
    parser.add_argument(
        "--json", action="store_true", help="print the outcome, of a dry run the plan, as JSON (schema 1)"
    )
    add_plan_options(parser)


def run(options: argparse.Namespace) -> int:
    """Run the drill."""
    from oomtop.actions.base.requests import DrillKind, DrillRequest
    from oomtop.commands.drill_watch import DrillWatch
    from oomtop.headless import act

    request = DrillRequest(DrillKind(options.kind), options.size, options.rate, options.seconds)
    # A signal ends it like Ctrl-C: load and cgroup are removed, and the audit log gets the outcome.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.default_int_handler)
    consent, guard = consent_of(options)
    if consent.dry_run:
        return act(lambda snapshot: request, consent, guard)
    # The JSON of a drill that was run is its own.
    consent = replace(consent, json=False)
    make = _as_json if options.json else _as_text
    with DrillWatch() as watch:
        return act(
            lambda snapshot: request,
            consent,
            guard,
            render=lambda plan, outcome: make(plan, outcome, watch.judged(outcome)),
            narrate_plan=options.json,
        )


def _as_text(plan: Plan, outcome: Outcome, forecast: str | None) -> str:
    from oomtop.render.plan import describe_outcome

    return describe_outcome(outcome) + ("" if forecast is None else f"\nforecast: {forecast}")


def _as_json(plan: Plan, outcome: Outcome, forecast: str | None) -> str:
    """Return the outcome in bytes and seconds; `end` is `killed`, `time is up`, or null for a failed drill."""
    from oomtop.render.json_text import json_text

    return json_text(
        {
            "schema": SCHEMA,
            "title": plan.title,
            "status": outcome.status.value,
            "summary": outcome.summary,
            "end": outcome.after,
            "seconds": outcome.seconds,
            "held": outcome.freed,
            "pids": [target.id.pid for target in outcome.ended],
            "forecast": forecast,
        }
    )
