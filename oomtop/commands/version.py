"""`oomtop version`: the version, and which of the programs named oomtop this is."""

from __future__ import annotations

import argparse

HELP = "the version, and which of the programs named oomtop this is"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line: there is nothing to choose."""


def run(options: argparse.Namespace) -> int:
    """Print it."""
    from oomtop import VERSION

    print(VERSION)
    return 0
