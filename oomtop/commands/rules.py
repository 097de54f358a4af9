"""`oomtop rules`: list the processes that each pattern of `protected` and `[[adjust]]` matches now."""

from __future__ import annotations

import argparse

from oomtop.commands.arguments import complain, count

HELP = "list the processes that `protected` and [[adjust]] in the configuration match now"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument(
        "-n", type=count, default=5, dest="count", metavar="N", help="processes to list for each rule (default: 5)"
    )
    parser.add_argument("--json", action="store_true", help="all processes as JSON, schema 1")


def run(options: argparse.Namespace) -> int:
    """Print the matches; mistakes in the files go to stderr."""
    from oomtop.actions.base.context import users_of
    from oomtop.actions.base.guard import read_names
    from oomtop.analysis.pattern_matches import match_patterns
    from oomtop.config.load import config_paths, load_config
    from oomtop.headless import take_snapshot
    from oomtop.host.root import Root
    from oomtop.render.json_text import json_text
    from oomtop.render.rules import render_rules, rules_to_json

    config, mistakes = load_config(config_paths())
    for mistake in mistakes:
        complain(str(mistake))
    snapshot = take_snapshot()
    # oomtop never acts on these.
    processes = [process for process in snapshot.processes if not process.is_kernel_thread and not process.is_exiting]
    names = {process.id: read_names(process, users_of(snapshot), Root()) for process in processes}
    matches = match_patterns(config.protected, config.adjust, processes, names)
    print(json_text(rules_to_json(matches)) if options.json else render_rules(matches, options.count))
    return 1 if mistakes else 0
