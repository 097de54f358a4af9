"""`oomtop protect`: set `oom_score_adj` of processes."""

from __future__ import annotations

import argparse

from oomtop.commands.arguments import adj, count
from oomtop.commands.consent import add_consent, consent_of

HELP = "set oom_score_adj: who is killed last, or first"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument("pids", nargs="+", type=count, metavar="PID")
    parser.add_argument("--adj", type=adj, default=-900, metavar="N", help="-1000 never ... 1000 killed first (-900)")
    add_consent(parser)


def run(options: argparse.Namespace) -> int:
    """Set `oom_score_adj` of processes."""
    from oomtop.actions.requests import AdjustRequest
    from oomtop.headless import act

    consent, guard = consent_of(options)
    return act(options.pids, lambda ids: AdjustRequest(ids, options.adj), consent, guard)
