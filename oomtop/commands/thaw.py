"""`oomtop thaw`: resume frozen processes or a frozen cgroup."""

from __future__ import annotations

import argparse

from oomtop.commands import freeze

HELP = "resume frozen processes or a frozen cgroup"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line, the same as that of `freeze`."""
    freeze.add_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Thaw."""
    return freeze.freeze(options, thaw=True)
