"""The command line: a table of commands; only the module of the one that is called is imported.

stdout is data, stderr is narration.  The exit codes are those of `EXIT_CODES`, which `--help` shows.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn

from oomtop import __version__
from oomtop.commands import monitor
from oomtop.commands.arguments import complain
from oomtop.errors import OomtopError

EXIT_CODES = """exit codes:
  0    done
  1    failed
  2    wrong usage, or no terminal for the monitor
  3    a kernel file that cannot be read
  4    refused by a guard, by you, or for want of --yes
  5    done in part: the output says what is missing
  6    doctor: found a risk that is worth acting on
  130  interrupted
  141  the reader of the output went away
check has the four of the Monitoring Plugins instead: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN
"""
COMMANDS = (
    "top", "events", "kill", "protect", "freeze", "thaw", "reclaim", "drop-caches", "compact", "limit", "swap",
    "sysctl", "undo", "doctor", "recommend", "record", "replay", "exporter", "fleet", "check", "drill", "completion",
)  # fmt: skip
"""In the order of `--help`; `drop-caches` is the module `oomtop.commands.drop_caches`."""


class _Parser(argparse.ArgumentParser):
    """A parser whose usage errors have the exit code of their command: for a probe, 2 would mean CRITICAL."""

    usage_error = 2

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(self.usage_error, f"{self.prog}: error: {message}\n")


class _Unclear(Exception):
    """The words are not options of the monitor alone."""


class _MonitorParser(_Parser):
    """A parser that leaves every question, of help too, to the one that knows all commands."""

    def error(self, message: str) -> NoReturn:
        raise _Unclear(message)


def main(argv: Sequence[str] | None = None) -> None:
    """Run the program and exit."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        code = run(argv)
        sys.stdout.flush()
        sys.exit(code)
    except OomtopError as error:
        complain(str(error))
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # Python flushes stdout once more at exit; it has to find something that takes it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)


def run(argv: Sequence[str] | None = None) -> int:
    """Parse the arguments, run the subcommand, and return the exit code."""
    words = sys.argv[1:] if argv is None else argv
    # The first word that names a command is the command: no option before it takes such a value.
    named = [word for word in words if word in COMMANDS][:1]
    options = build_parser(named).parse_args(words) if named else _for_the_monitor(words)
    code: int = options.run(options)
    return code


def _for_the_monitor(words: Sequence[str]) -> argparse.Namespace:
    """Parse what names no command; all the modules of commands (15 ms, 1 MB) only say what is wrong."""
    parser = _MonitorParser(prog="oomtop", add_help=False, allow_abbrev=False)
    _add_monitor(parser)
    try:
        return parser.parse_args(words)
    except _Unclear:
        return build_parser().parse_args(words)


def build_parser(names: Sequence[str] = COMMANDS) -> argparse.ArgumentParser:
    """Return the parser of the command line with the commands `names`, whose modules it imports."""
    parser = _Parser(
        prog="oomtop",
        description="Watch memory, foresee and explain OOM kills, act. Without a command: the full-screen monitor.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_monitor(parser)
    _add_commands(parser, names)
    return parser


def _add_monitor(parser: _Parser) -> None:
    parser.add_argument("--version", action="version", version=f"oomtop {__version__}")
    monitor.add_arguments(parser)
    parser.set_defaults(run=monitor.run, whole_parser=build_parser)


def _add_commands(parser: _Parser, names: Sequence[str]) -> None:
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for name in names:
        module = import_module(f"oomtop.commands.{name.replace('-', '_')}")
        command = commands.add_parser(name, help=module.HELP, description=module.__doc__)
        module.add_arguments(command)
        command.set_defaults(run=module.run)
        command.usage_error = getattr(module, "USAGE_ERROR", 2)
        if len(names) == 1:
            parser.usage_error = command.usage_error
