"""The command line: a table of commands. Only the module of the command that runs is imported.

Data goes to stdout, messages to stderr.  `--help` lists the exit codes (`EXIT_CODES`).
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
import threading
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING

from oomtop import VERSION
from oomtop.commands import monitor
from oomtop.commands.arguments import complain
from oomtop.errors import OomtopError

if TYPE_CHECKING:
    import argparse

    from _typeshed import ReadableBuffer as Buffer

    from oomtop.commands.parser import Parser

EXIT_CODES = """exit codes:
  0    done
  1    failed
  2    wrong usage, or no terminal for the monitor
  3    a required kernel file could not be read
  4    refused: by a guard, by you, or because --yes is missing
  5    partly done: the output says what is missing
  6    doctor: found a risk worth acting on
  7    events: no OOM report found, but log lines mention OOM
  8    headroom: it fits only after reclaim
  9    headroom: it does not fit
  130  interrupted
  141  the reader of the output closed the pipe
check uses the Monitoring Plugins codes instead: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN
"""
COMMANDS = (
    "top", "events", "kill", "protect", "freeze", "thaw", "reclaim", "drop-caches", "compact", "limit", "swap",
    "sysctl", "undo", "rules", "doctor", "recommend", "record", "replay", "backtest", "exporter", "fleet",
    "check", "headroom", "drill", "arm", "config", "completion", "man", "version", "help",
)  # fmt: skip
"""In the order of `--help`; `drop-caches` is the module `oomtop.commands.drop_caches`."""


def main(argv: Sequence[str] | None = None) -> None:
    """Run the program and exit."""
    output = _open_streams()
    threading.excepthook = _tell_failed_thread
    code = _exit_code(argv, output)
    # `_Output` keeps the error even where argparse ignored it.
    with contextlib.suppress(OSError):
        sys.stdout.flush()
    failure = output.failure
    if failure is not None:
        code = 141 if isinstance(failure, BrokenPipeError) else _failure_code(argv)
        # Python flushes stdout once more at exit: give it a writable file.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    if failure is not None and code != 141:
        complain(f"standard output: {failure.strerror}")
    sys.exit(code)


class _Output(io.FileIO):
    """Standard output that remembers its first write error."""

    failure: OSError | None = None

    def write(self, data: Buffer, /) -> int:
        """Write as `io.FileIO` does."""
        try:
            return super().write(data)
        except OSError as error:
            self.failure = error
            raise


def _open_streams() -> _Output:
    """Open standard input, output and error if closed; the next file opened would take their numbers."""
    for number, flags in enumerate((os.O_WRONLY, os.O_RDONLY, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            # Deliberately the wrong direction: reading stdin and writing stdout must still fail.
            os.open(os.devnull, flags)
    if sys.stdin is None:
        sys.stdin = open(0, closefd=False)  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115
    output = _Output(1, "wb", closefd=False)
    if sys.stdout is sys.__stdout__:
        encoding, lines = getattr(sys.stdout, "encoding", "utf-8"), output.isatty()
        sys.stdout = io.TextIOWrapper(io.BufferedWriter(output), encoding, "backslashreplace", line_buffering=lines)
    return output


def _exit_code(argv: Sequence[str] | None, output: _Output) -> int:
    """Run the command and return its exit code, also after an error."""
    try:
        return run(argv)
    except SystemExit as end:
        # argparse has printed help or an error.
        return end.code if isinstance(end.code, int) else 0
    except OomtopError as error:
        complain(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except BaseException as error:  # noqa: BLE001 - any error becomes one line and an exit code
        return _failed(error, argv) if output.failure is None else 1


def _failed(error: BaseException, argv: Sequence[str] | None) -> int:
    """Print why the command failed and return its exit code."""
    from oomtop.crash import reason_of

    complain(reason_of(error))
    return _failure_code(argv)


def _failure_code(argv: Sequence[str] | None) -> int:
    """Return 1, or 3 for a probe, where 1 would mean WARNING."""
    return 3 if _named(argv) == ["check"] else 1


def _tell_failed_thread(failed: threading.ExceptHookArgs) -> None:
    """Print in one line why a background thread ended."""
    try:
        from oomtop.crash import reason_of
    except MemoryError:
        complain("not enough memory")
        return
    if failed.exc_value is not None:
        complain(reason_of(failed.exc_value))


def run(argv: Sequence[str] | None = None) -> int:
    """Parse the arguments, run the subcommand, and return the exit code."""
    words, named = sys.argv[1:] if argv is None else argv, _named(argv)
    options = build_parser(named).parse_args(words) if named else _for_the_monitor(words)
    code: int = options.run(options)
    return code


def _named(argv: Sequence[str] | None) -> list[str]:
    """Return the first argument that names a command; no option before it takes such a value."""
    return [word for word in (sys.argv[1:] if argv is None else argv) if word in COMMANDS][:1]


def _for_the_monitor(words: Sequence[str]) -> argparse.Namespace:
    """Parse arguments without a command; the command modules (15 ms, 1 MB) are imported only to report an error."""
    found = monitor.parse(words)
    return build_parser().parse_args(words) if found is None else found


def build_parser(names: Sequence[str] = COMMANDS) -> argparse.ArgumentParser:
    """Return the parser of the command line with the commands `names`, whose modules it imports."""
    import argparse

    from oomtop.commands.parser import Parser

    parser = Parser(
        prog="oomtop",
        description="Watch memory, forecast and explain OOM kills, act on them. Without a command: the monitor.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        # No abbreviations: --over would silently mean --override.
        allow_abbrev=False,
    )
    _add_monitor(parser)
    _add_commands(parser, names)
    return parser


def _add_monitor(parser: Parser) -> None:
    parser.add_argument("-V", "--version", action="version", version=VERSION)
    monitor.add_arguments(parser)
    parser.set_defaults(run=monitor.run, whole_parser=build_parser)


def _add_commands(parser: Parser, names: Sequence[str]) -> None:
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for name in names:
        module = import_module(f"oomtop.commands.{name.replace('-', '_')}")
        command = commands.add_parser(name, help=module.HELP, description=module.__doc__, allow_abbrev=False)
        module.add_arguments(command)
        command.set_defaults(run=module.run)
        command.is_command = True
        command.usage_error = getattr(module, "USAGE_ERROR", 2)
        if len(names) == 1:
            parser.usage_error = command.usage_error
