"""`oomtop top`: one plain-text shot of memory and the biggest processes."""

from __future__ import annotations

import argparse

from oomtop.commands.arguments import count, output_width, seconds

HELP = "one plain-text shot of memory and the biggest processes"
SORTS = ("memory", "rss", "swap", "growth", "share", "cpu", "faults")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument("-n", type=count, default=10, dest="count", metavar="N", help="how many processes (10)")
    parser.add_argument("--sort", choices=SORTS, default="memory", help="sort key (memory, which is RSS + swap)")
    parser.add_argument("--json", action="store_true", help="everything as JSON, schema 1")
    parser.add_argument("--samples", type=count, default=1, metavar="N", help="samples to take; rates need 2 (1)")
    parser.add_argument("--interval", type=seconds, default=1.0, metavar="S", help="seconds between samples (1)")


def run(options: argparse.Namespace) -> int:
    """Print one shot of the machine."""
    from oomtop.analysis.assessment import assess
    from oomtop.history import History
    from oomtop.source import LiveSource

    source, history, assessment = LiveSource(options.interval), History(), None
    for tick in source.ticks():
        history.add(tick)
        assessment = assess(tick, history, assessment)
        if history.ticks >= options.samples:
            source.close()
    if assessment is None:
        return 1
    if options.json:
        import json

        from oomtop.analysis.as_json import assessment_to_json

        print(json.dumps(assessment_to_json(assessment, options.count)))
        return 0
    from oomtop.text import render_top

    print(render_top(assessment, options.count, options.sort, output_width()))
    return 0
