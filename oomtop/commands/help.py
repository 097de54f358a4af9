"""`oomtop help`: what `--help` says, of the program or of a command: `oomtop help swap add`."""

from __future__ import annotations

import argparse

HELP = "what --help says, of the program or of a command"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument("words", nargs="*", metavar="COMMAND", help="such as `swap add`; without it: the program")


def run(options: argparse.Namespace) -> int:
    """Print the help; words that are no command are wrong usage."""
    parser: argparse.ArgumentParser = options.whole_parser()
    # argparse prints and ends.
    parser.parse_args([*options.words, "--help"])
    return 0
