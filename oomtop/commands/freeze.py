"""`oomtop freeze`: stop processes or a whole cgroup to gain time."""

from __future__ import annotations

import argparse

from oomtop.commands.arguments import count
from oomtop.commands.consent import add_consent, add_override, consent_of

HELP = "stop processes or a cgroup to gain time; `thaw` resumes them"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument("pids", nargs="*", type=count, metavar="PID")
    parser.add_argument("--cgroup", metavar="GROUP", help="cgroup path, unit or container id")
    add_override(parser)
    add_consent(parser)


def run(options: argparse.Namespace) -> int:
    """Freeze."""
    return freeze(options, thaw=False)


def freeze(options: argparse.Namespace, *, thaw: bool) -> int:
    """Freeze or thaw."""
    from oomtop.actions.base.requests import FreezeCgroupRequest, FreezeRequest
    from oomtop.commands.consent import either
    from oomtop.headless import act

    consent, guard = consent_of(options)
    return act(
        either(
            options,
            lambda ids: FreezeRequest(ids, thaw, options.override),
            lambda path: FreezeCgroupRequest(path, thaw, options.override),
        ),
        consent,
        guard,
    )
