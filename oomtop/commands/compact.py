"""`oomtop compact`: compact memory: make large free blocks out of small ones."""

from __future__ import annotations

import argparse

from oomtop.commands.consent import add_consent, consent_of

HELP = "compact memory: make large free blocks out of small ones"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    add_consent(parser)


def run(options: argparse.Namespace) -> int:
    """Compact all zones."""
    from oomtop.actions.base.requests import CompactRequest
    from oomtop.headless import act

    consent, guard = consent_of(options)
    return act(lambda snapshot: CompactRequest(), consent, guard)
