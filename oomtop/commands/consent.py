"""`--dry-run` and `--yes`: what every command that changes something has in common."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from oomtop.commands.arguments import complain

if TYPE_CHECKING:
    from oomtop.actions.guard import Guard
    from oomtop.headless import Consent


def add_consent(parser: argparse.ArgumentParser) -> None:
    """Add the two options."""
    parser.add_argument("--dry-run", action="store_true", help="only show the plan")
    parser.add_argument("--yes", action="store_true", help="perform the plan without a question")


def consent_of(options: argparse.Namespace) -> tuple[Consent, Guard]:
    """Return how far to go, and the guard with what the configuration protects."""
    from oomtop.actions.guard import Guard
    from oomtop.config import config_paths, load_config
    from oomtop.headless import Consent

    config, mistakes = load_config(config_paths())
    for mistake in mistakes:
        complain(str(mistake))
    read_only = bool(options.read_only or config.read_only)
    return Consent(options.dry_run, options.yes), Guard(config.protected, read_only)
