"""`oomtop kill`: signal processes, held by pidfd and start time."""

from __future__ import annotations

import argparse

from oomtop.commands.arguments import count, seconds, signal_number
from oomtop.commands.consent import add_consent, consent_of

HELP = "signal processes, held by pidfd and start time"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument("pids", nargs="+", type=count, metavar="PID")
    parser.add_argument(
        "-s", "--signal", type=signal_number, default="TERM", metavar="NAME", help="name or number (TERM)"
    )
    parser.add_argument("--tree", action="store_true", help="also everything they started")
    parser.add_argument("--grace", type=seconds, metavar="S", help="SIGKILL for who is still there after S seconds")
    add_consent(parser)


def run(options: argparse.Namespace) -> int:
    """Signal processes."""
    from oomtop.actions.requests import KillRequest
    from oomtop.headless import act

    consent, guard = consent_of(options)
    return act(options.pids, lambda ids: KillRequest(ids, options.signal, options.tree, options.grace), consent, guard)
