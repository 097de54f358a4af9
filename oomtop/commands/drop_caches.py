"""`oomtop drop-caches`: drop clean caches and show the figures before and after."""

from __future__ import annotations

import argparse

from oomtop.commands.consent import add_consent, consent_of

HELP = "drop clean caches and show the figures before and after"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    what = "1 page cache, 2 reclaimable slab, 3 both (default: 3)"
    parser.add_argument("--level", type=int, choices=(1, 2, 3), default=3, help=what)
    add_consent(parser)


def run(options: argparse.Namespace) -> int:
    """Drop clean caches."""
    from oomtop.actions.base.requests import DropCachesRequest
    from oomtop.headless import act

    consent, guard = consent_of(options)
    return act(lambda snapshot: DropCachesRequest(options.level), consent, guard)
