"""`oomtop top`: print memory and the biggest processes once as text."""

from __future__ import annotations

import argparse
import sys
import time
from typing import TYPE_CHECKING

from oomtop.commands.arguments import add_interval, count, output_width, seconds
from oomtop.fields import SORT_IDS

if TYPE_CHECKING:
    from oomtop.analysis.model.assessment import Assessment

HELP = "print memory and the biggest processes once as text"
_PSS_SECONDS = 1.0
_HOME_AND_CLEAR = "\x1b[H\x1b[J"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument(
        "-n", type=count, default=10, dest="count", metavar="N", help="number of processes or groups (default: 10)"
    )
    parser.add_argument(
        "--sort", choices=SORT_IDS, default="memory", help="sort key (default: memory, which is RSS + swap)"
    )
    what = "add up the processes of each program, user, unit or container"
    parser.add_argument("--group", choices=("program", "user", "unit", "container"), help=what)
    parser.add_argument("--json", action="store_true", help="print everything as JSON (schema 1)")
    what = "number of samples; rates need 2, growth 3 (default: 2)"
    parser.add_argument("--samples", type=count, default=2, metavar="N", help=what)
    add_interval(parser, 1)
    parser.add_argument(
        "--watch",
        nargs="?",
        type=seconds,
        const=2.0,
        metavar="S",
        help="print again every S seconds (default: 2) until Ctrl-C",
    )


def run(options: argparse.Namespace) -> int:
    """Print the machine once, or repeatedly with --watch."""
    from oomtop.analysis.assessment import assess
    from oomtop.history import History
    from oomtop.sources.live import LiveSource

    source, history, assessment = LiveSource(options.watch or options.interval), History(), None
    source.pss_patience = _PSS_SECONDS if options.json else None
    for tick in source.ticks():
        history.add(tick)
        assessment = assess(tick, history, assessment)
        if history.ticks < options.samples:
            continue
        _show(assessment, options)
        if options.watch is None:
            source.close()
    return 0 if assessment is not None else 1


def _show(assessment: Assessment, options: argparse.Namespace) -> None:
    if options.json:
        from oomtop.render.assessment_json import assessment_to_json
        from oomtop.render.json_text import json_text

        print(json_text(assessment_to_json(assessment, options.count, options.group)), flush=True)
        return
    from oomtop.render.top import render_top

    text = render_top(assessment, options.count, options.sort, output_width(), options.group)
    if options.watch is not None:
        # On a terminal each output replaces the previous one; in a pipe they follow each other.
        text = f"{_HOME_AND_CLEAR}{text}" if sys.stdout.isatty() else f"{_clock(assessment.time)}\n{text}\n"
    print(text, flush=True)


def _clock(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))
