"""`oomtop kill`: signal processes, or kill a whole cgroup."""

from __future__ import annotations

import argparse

from oomtop.commands.arguments import count, seconds, signal_number
from oomtop.commands.consent import add_consent, add_override, consent_of

HELP = "signal processes, or kill a whole cgroup"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument("pids", nargs="*", type=count, metavar="PID")
    parser.add_argument(
        "--cgroup", metavar="GROUP", help="SIGKILL every process of a cgroup: path, unit or container id"
    )
    parser.add_argument(
        "-s",
        "--signal",
        type=signal_number,
        default="TERM",
        metavar="NAME",
        help="signal name or number (default: TERM)",
    )
    parser.add_argument("--tree", action="store_true", help="also their descendants")
    parser.add_argument("--grace", type=seconds, metavar="S", help="send SIGKILL to survivors after S seconds")
    parser.add_argument(
        "--wait", type=seconds, default=10.0, metavar="S", help="seconds to wait for them to exit (default: 10)"
    )
    add_override(parser)
    add_consent(parser)


def run(options: argparse.Namespace) -> int:
    """Signal processes."""
    from oomtop.actions.base.requests import KillCgroupRequest, KillRequest
    from oomtop.commands.consent import either
    from oomtop.headless import act

    consent, guard = consent_of(options)
    return act(
        either(
            options,
            lambda ids: KillRequest(
                ids, options.signal, options.tree, options.grace, options.wait, override=options.override
            ),
            lambda path: KillCgroupRequest(path, options.wait, override=options.override),
        ),
        consent,
        guard,
    )
