"""`oomtop config check`: report every mistake in the configuration files by file and key."""

from __future__ import annotations

import argparse

HELP = "check the configuration files; report each mistake by file and key"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    check = actions.add_parser("check", help="report every mistake; exit 0 if there is none", allow_abbrev=False)
    check.add_argument("files", nargs="*", metavar="FILE", help="files to check (default: the system's and your own)")
    check.add_argument("--json", action="store_true", help="print JSON")


def run(options: argparse.Namespace) -> int:
    """Print a line for each file and each mistake."""
    import os

    from oomtop.config.load import config_paths, load_config
    from oomtop.errors import OomtopError
    from oomtop.render.answers.config_check import config_check_to_json, render_config_check
    from oomtop.render.json_text import json_text
    from oomtop.tui.shell.config_names import check_names

    paths = tuple(options.files) or config_paths()
    for path in options.files:
        if not os.path.lexists(path):
            raise OomtopError(f"{path}: no such file")
    config, mistakes = load_config(paths)
    mistakes = (*mistakes, *check_names(config))
    found = {path: os.path.lexists(path) for path in paths}
    if options.json:
        print(json_text(config_check_to_json(found, mistakes)))
    else:
        print(render_config_check(found, mistakes))
    return 2 if mistakes else 0
