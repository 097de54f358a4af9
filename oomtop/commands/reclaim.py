"""`oomtop reclaim`: page out a process, or reclaim memory from a cgroup."""

from __future__ import annotations

import argparse

from oomtop.commands.arguments import count, size
from oomtop.commands.consent import add_consent, add_override, consent_of

HELP = "page out a process, or reclaim memory from a cgroup"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument("pids", nargs="?", type=count, metavar="PID")
    parser.add_argument("--cgroup", metavar="GROUP", help="cgroup path, unit or container id")
    parser.add_argument(
        "--size", type=size, metavar="SIZE", help="with --cgroup: how much to reclaim (default: all of its page cache)"
    )
    add_override(parser)
    add_consent(parser)


def run(options: argparse.Namespace) -> int:
    """Reclaim."""
    from oomtop.actions.base.requests import ReclaimCgroupRequest, ReclaimProcessRequest
    from oomtop.commands.consent import either
    from oomtop.headless import act

    consent, guard = consent_of(options)
    options.pids = [] if options.pids is None else [options.pids]
    return act(
        either(
            options,
            lambda ids: ReclaimProcessRequest(ids[0], options.override),
            lambda path: ReclaimCgroupRequest(path, options.size, options.override),
        ),
        consent,
        guard,
    )
