"""`oomtop version`: the version, and which program named oomtop this is."""

from __future__ import annotations

import argparse

HELP = "print the version"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line: no options."""


def run(options: argparse.Namespace) -> int:
    """Print it."""
    from oomtop import VERSION

    print(VERSION)
    return 0
