"""`oomtop man`: print the manual page, for installations without a distribution package."""

from __future__ import annotations

import argparse

HELP = "print the manual page: oomtop man | man -l -"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line: no options."""


def run(options: argparse.Namespace) -> int:
    """Print the page, dated by SOURCE_DATE_EPOCH where it is set (reproducible-builds.org/specs/source-date-epoch)."""
    import os
    import time

    from oomtop.completion.man_page import man_page
    from oomtop.completion.tree import read_tree

    date = time.strftime("%Y-%m-%d", time.gmtime(int(os.environ.get("SOURCE_DATE_EPOCH") or time.time())))
    parser: argparse.ArgumentParser = options.whole_parser()
    print(man_page(read_tree(parser), parser.epilog or "", date), end="")
    return 0
