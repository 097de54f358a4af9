"""The command line: one subcommand is one small function that imports its front end when it is called.

stdout is data, stderr is narration.  The exit codes are those of `EXIT_CODES`, which `--help` shows.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from oomtop import __version__
from oomtop.errors import OomtopError

if TYPE_CHECKING:
    from oomtop.actions.guard import Guard
    from oomtop.headless import Consent
    from oomtop.oomlog.event import OomEvent

SORTS = ("memory", "rss", "swap", "growth", "share", "cpu", "faults")
EXIT_CODES = """exit codes:
  0    done
  1    failed, or done only in part
  2    wrong usage, or no terminal for the monitor
  3    a kernel file that cannot be read
  4    refused by a guard, by you, or for want of --yes
  130  interrupted
  141  the reader of the output went away
"""


def main(argv: Sequence[str] | None = None) -> None:
    """Run the program and exit."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        code = run(argv)
        sys.stdout.flush()
        sys.exit(code)
    except OomtopError as error:
        _complain(str(error))
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
    code: int = options.run(options)
    return code


def _complain(text: str) -> None:
    from oomtop.units import printable

    print(f"oomtop: {printable(text)}", file=sys.stderr)


# -- arguments -----------------------------------------------------------------------------------------


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    parser = argparse.ArgumentParser(
        prog="oomtop",
        description="Watch memory, foresee and explain OOM kills, act. Without a command: the full-screen monitor.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"oomtop {__version__}")
    parser.add_argument("--interval", type=_seconds, metavar="S", help="seconds between refreshes (2)")
    parser.add_argument("--theme", metavar="NAME", help="a theme by name, or a theme file")
    parser.add_argument("--read-only", action="store_true", default=None, help="no action can be started")
    parser.add_argument("--ascii", action="store_true", default=None, help="ASCII characters only")
    parser.add_argument("--no-color", action="store_true", help="no colour, as with NO_COLOR=1")
    parser.set_defaults(run=run_monitor)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    _add_top(commands.add_parser("top", help="one plain-text shot of memory and the biggest processes"))
    _add_events(commands.add_parser("events", help="OOM events of this machine or of log files"))
    _add_kill(commands.add_parser("kill", help="signal processes, held by pidfd and start time"))
    _add_protect(commands.add_parser("protect", help="set oom_score_adj: who is killed last, or first"))
    _add_drop_caches(commands.add_parser("drop-caches", help="drop clean caches, with figures before and after"))
    return parser


def _add_top(top: argparse.ArgumentParser) -> None:
    top.add_argument("-n", type=_count, default=10, dest="count", metavar="N", help="how many processes (10)")
    top.add_argument("--sort", choices=SORTS, default="memory", help="sort key (memory, which is RSS + swap)")
    top.add_argument("--json", action="store_true", help="everything as JSON, schema 1")
    top.add_argument("--samples", type=_count, default=1, metavar="N", help="samples to take; rates need 2 (1)")
    top.add_argument("--interval", type=_seconds, default=1.0, metavar="S", help="seconds between samples (1)")
    top.set_defaults(run=run_top)


def _add_events(events: argparse.ArgumentParser) -> None:
    events.add_argument("files", nargs="*", metavar="FILE", help="log files, - for standard input")
    events.add_argument("--json", action="store_true", help="everything as one JSON object, schema 1")
    events.set_defaults(run=run_events)


def _add_kill(kill: argparse.ArgumentParser) -> None:
    kill.add_argument("pids", nargs="+", type=_count, metavar="PID")
    kill.add_argument("-s", "--signal", type=_signal, default="TERM", metavar="NAME", help="name or number (TERM)")
    kill.add_argument("--tree", action="store_true", help="also everything they started")
    kill.add_argument("--grace", type=_seconds, metavar="S", help="SIGKILL for who is still there after S seconds")
    _add_consent(kill)
    kill.set_defaults(run=run_kill)


def _add_protect(protect: argparse.ArgumentParser) -> None:
    protect.add_argument("pids", nargs="+", type=_count, metavar="PID")
    protect.add_argument(
        "--adj", type=_adj, default=-900, metavar="N", help="-1000 never killed ... 1000 killed first (-900)"
    )
    _add_consent(protect)
    protect.set_defaults(run=run_protect)


def _add_drop_caches(drop: argparse.ArgumentParser) -> None:
    drop.add_argument(
        "--level", type=int, choices=(1, 2, 3), default=3, help="1 page cache, 2 reclaimable slab, 3 both (3)"
    )
    _add_consent(drop)
    drop.set_defaults(run=run_drop_caches)


def _add_consent(command: argparse.ArgumentParser) -> None:
    command.add_argument("--dry-run", action="store_true", help="only show the plan")
    command.add_argument("--yes", action="store_true", help="perform the plan without a question")


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.1 <= value <= 3600:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds from 0.1 to 3600")
    return value


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1")
    return int(text)


def _adj(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = 9999
    if not -1000 <= value <= 1000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from -1000 to 1000")
    return value


def _signal(text: str) -> int:
    import signal

    name = text.upper() if text.upper().startswith("SIG") else f"SIG{text.upper()}"
    try:
        return int(signal.Signals(int(text)) if text.isdigit() else signal.Signals[name])
    except (KeyError, ValueError):
        raise argparse.ArgumentTypeError(f"{text!r} is not a signal") from None


# -- commands ------------------------------------------------------------------------------------------


def run_monitor(options: argparse.Namespace) -> int:
    """Start the full-screen monitor: an option goes over the configuration."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        _complain("the monitor needs a terminal; `oomtop top` works in pipes")
        return 2
    from oomtop.config import config_paths, load_config

    config, mistakes = load_config(config_paths())
    if options.no_color or not config.color:
        os.environ["NO_COLOR"] = "1"
    # Textual reads NO_COLOR when it is imported.
    from oomtop.source import LiveSource
    from oomtop.tui.app import OomtopApp, Options

    settings = Options(
        interval=options.interval or config.interval,
        theme=options.theme or config.theme,
        read_only=options.read_only or config.read_only,
        ascii=options.ascii or config.ascii,
        columns=config.columns,
        protected=config.protected,
    )
    app = OomtopApp(LiveSource(settings.interval), settings)
    app.set_keymap(dict(config.keys))
    for mistake in mistakes:
        app.remark(str(mistake))
    app.run()
    return app.return_code or 0


def run_top(options: argparse.Namespace) -> int:
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

    print(render_top(assessment, options.count, options.sort, _width()))
    return 0


def _width() -> int:
    """Return the terminal's width, or one that fits most pagers where the output is a file or a pipe."""
    return os.get_terminal_size(sys.stdout.fileno()).columns if sys.stdout.isatty() else 120


def run_events(options: argparse.Namespace) -> int:
    """Print the OOM events of log files, or of this machine's kernel log, one line each."""
    events = _events_of_files(options.files) if options.files else _events_of_machine()
    if options.json:
        import json

        from oomtop.oomlog.as_json import events_to_json

        print(json.dumps(events_to_json(events)))
        return 0
    from oomtop.text import render_event

    for event in events:
        print(render_event(event))
    return 0


def _events_of_files(names: Sequence[str]) -> Iterator[OomEvent]:
    from oomtop.oomlog.sources import read_file, read_lines

    for name in names:
        try:
            if name == "-":
                sys.stdin.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
            yield from read_lines(sys.stdin, "stdin") if name == "-" else read_file(name)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise OomtopError(f"{name}: {os.strerror(error.errno or 0)}") from None


def _events_of_machine() -> Iterator[OomEvent]:
    from oomtop.host.root import Root
    from oomtop.oomlog.sources import open_kernel_log

    log = open_kernel_log(Root())
    yield from log.poll()
    if log.problem:
        _complain(log.problem)
    log.close()


def run_kill(options: argparse.Namespace) -> int:
    """Signal processes."""
    from oomtop.actions.requests import KillRequest
    from oomtop.headless import act

    consent, guard = _consent(options)
    return act(options.pids, lambda ids: KillRequest(ids, options.signal, options.tree, options.grace), consent, guard)


def run_protect(options: argparse.Namespace) -> int:
    """Set `oom_score_adj` of processes."""
    from oomtop.actions.requests import AdjustRequest
    from oomtop.headless import act

    consent, guard = _consent(options)
    return act(options.pids, lambda ids: AdjustRequest(ids, options.adj), consent, guard)


def run_drop_caches(options: argparse.Namespace) -> int:
    """Drop clean caches."""
    from oomtop.actions.requests import DropCachesRequest
    from oomtop.headless import act

    consent, guard = _consent(options)
    return act((), lambda ids: DropCachesRequest(options.level), consent, guard)


def _consent(options: argparse.Namespace) -> tuple[Consent, Guard]:
    """Return how far to go, and the guard with what the configuration protects."""
    from oomtop.actions.guard import Guard
    from oomtop.config import config_paths, load_config
    from oomtop.headless import Consent

    config, mistakes = load_config(config_paths())
    for mistake in mistakes:
        _complain(str(mistake))
    read_only = bool(options.read_only or config.read_only)
    return Consent(options.dry_run, options.yes), Guard(config.protected, read_only)
