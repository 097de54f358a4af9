"""`oomtop thaw`: let frozen processes or a frozen cgroup go on."""

from __future__ import annotations

import argparse

from oomtop.commands import freeze

HELP = "let what was frozen go on"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line, which is that of `freeze`."""
    freeze.add_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Thaw."""
    return freeze.freeze(options, thaw=True)
