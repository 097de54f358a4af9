"""`oomtop protect`: set `oom_score_adj` of processes, or of a service at its next start."""

from __future__ import annotations

import argparse

from oomtop.commands.arguments import adj, count
from oomtop.commands.consent import add_consent, add_override, consent_of
from oomtop.errors import OomtopError

HELP = "set oom_score_adj, so that a process is killed last, or first"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument("pids", nargs="*", type=count, metavar="PID")
    parser.add_argument(
        "--adj",
        type=adj,
        default=-900,
        metavar="N",
        help="from -1000, never killed, to 1000, killed first (default: -900)",
    )
    parser.add_argument(
        "--unit", metavar="NAME", help="write a drop-in for this systemd service, effective from its next start"
    )
    parser.add_argument("--forget", action="store_true", help="with --unit: remove the drop-in")
    add_override(parser, "; and try to lower the value without CAP_SYS_RESOURCE")
    add_consent(parser)


def run(options: argparse.Namespace) -> int:
    """Set `oom_score_adj`."""
    from oomtop.actions.base.requests import AdjustRequest, UnitAdjRequest
    from oomtop.headless import act, find_processes

    consent, guard = consent_of(options)
    if options.unit is not None:
        value = None if options.forget else options.adj
        return act(lambda snapshot: UnitAdjRequest(options.unit, value), consent, guard)
    if not options.pids:
        raise OomtopError("give at least one PID, or a service with --unit")
    return act(
        lambda snapshot: AdjustRequest(find_processes(snapshot, options.pids), options.adj, options.override),
        consent,
        guard,
    )
