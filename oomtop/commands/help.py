"""`oomtop help`: the help of the program or of a command: `oomtop help swap add`."""

from __future__ import annotations

import argparse

HELP = "show the help of the program or of a command"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument(
        "words", nargs="*", metavar="COMMAND", help="a command, such as `swap add` (default: the program)"
    )


def run(options: argparse.Namespace) -> int:
    """Print the help; an unknown command is a usage error."""
    parser: argparse.ArgumentParser = options.whole_parser()
    # argparse prints the help and exits.
    parser.parse_args([*options.words, "--help"])
    return 0
