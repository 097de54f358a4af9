"""The command line: one subcommand is one small function that imports its front end when it is called.

stdout is data, stderr is narration.  Exit codes: 0 done, 1 failed, 2 wrong usage or configuration,
3 a kernel file that cannot be read, 4 refused, 130 interrupted, 141 the reader of a pipe went away.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from oomtop import __version__
from oomtop.errors import OomtopError

SORTS = ("memory", "rss", "swap", "growth", "share", "cpu", "faults")


def main(argv: Sequence[str] | None = None) -> None:
    """Run the program and exit."""
    try:
        sys.exit(run(argv))
    except OomtopError as error:
        print(f"oomtop: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # Python flushes stdout once more at exit; it has to find something that takes it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)


def run(argv: Sequence[str] | None = None) -> int:
    """Parse the arguments, run the subcommand, and return the exit code."""
    options = build_parser().parse_args(argv)
    if options.command == "top":
        return run_top(options)
    if options.command == "events":
        return run_events(options)
    return run_monitor(options)


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    parser = argparse.ArgumentParser(prog="oomtop", description="watch memory, foresee and explain OOM kills, act")
    parser.add_argument("--version", action="version", version=f"oomtop {__version__}")
    parser.add_argument("--interval", type=_seconds, default=None, metavar="S", help="seconds between refreshes (2)")
    parser.add_argument("--theme", metavar="NAME", help="a theme by name, or a theme file")
    parser.add_argument("--read-only", action="store_true", help="no action can be started")
    parser.add_argument("--ascii", action="store_true", help="ASCII characters only")
    parser.add_argument("--no-color", action="store_true", help="no colour, as with NO_COLOR=1")
    commands = parser.add_subparsers(dest="command", title="commands")
    top = commands.add_parser("top", help="one plain-text shot of memory and the biggest processes")
    top.add_argument("-n", type=int, default=10, dest="count", metavar="N", help="how many processes (10)")
    top.add_argument("--sort", choices=SORTS, default="memory", help="sort key (memory)")
    top.add_argument("--json", action="store_true", help="everything as JSON, schema 1")
    top.add_argument("--samples", type=int, default=1, metavar="N", help="samples to take before printing (1)")
    top.add_argument("--interval", type=_seconds, default=1.0, metavar="S", help="seconds between samples (1)")
    events = commands.add_parser("events", help="OOM events of this machine or of log files")
    events.add_argument("files", nargs="*", metavar="FILE", help="log files, - for standard input")
    return parser


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.1 <= value <= 3600:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds from 0.1 to 3600")
    return value


def run_monitor(options: argparse.Namespace) -> int:
    """Start the full-screen monitor."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        print("oomtop: the monitor needs a terminal; `oomtop top` works in pipes", file=sys.stderr)
        return 2
    if options.no_color:
        os.environ["NO_COLOR"] = "1"
    from oomtop.source import LiveSource
    from oomtop.tui.app import OomtopApp, Options

    interval = options.interval or 2.0
    settings = Options(interval=interval, theme=options.theme, read_only=options.read_only, ascii=options.ascii)
    app = OomtopApp(LiveSource(interval), settings)
    app.run()
    return app.return_code or 0


def run_top(options: argparse.Namespace) -> int:
    """Print one shot of the machine."""
    from oomtop.analysis.as_json import assessment_to_json
    from oomtop.analysis.assessment import assess
    from oomtop.history import History
    from oomtop.source import LiveSource
    from oomtop.text import render_top

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

        print(json.dumps(assessment_to_json(assessment, options.count)))
        return 0
    print(render_top(assessment, options.count, options.sort, _width()))
    return 0


def _width() -> int:
    """Return the terminal's width, or one that cuts no command where the output is a file or a pipe."""
    return os.get_terminal_size(sys.stdout.fileno()).columns if sys.stdout.isatty() else 512


def run_events(options: argparse.Namespace) -> int:
    """Print the OOM events of log files, or of this machine's kernel log, one line each."""
    from oomtop.host.root import Root
    from oomtop.oomlog.sources import open_kernel_log, read_file, read_lines
    from oomtop.text import render_event

    if not options.files:
        log = open_kernel_log(Root())
        for event in log.poll():
            print(render_event(event))
        if log.problem:
            print(f"oomtop: {log.problem}", file=sys.stderr)
        log.close()
        return 0
    for name in options.files:
        for event in read_lines(sys.stdin, "stdin") if name == "-" else read_file(name):
            print(render_event(event))
    return 0
