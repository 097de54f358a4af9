"""`oomtop events`: the OOM events of this machine or of log files."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from oomtop.commands.arguments import complain
from oomtop.errors import OomtopError

if TYPE_CHECKING:
    from oomtop.oomlog.event import OomEvent

HELP = "OOM events of this machine or of log files"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument("files", nargs="*", metavar="FILE", help="log files, - for standard input")
    parser.add_argument("--json", action="store_true", help="everything as one JSON object, schema 1")


def run(options: argparse.Namespace) -> int:
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
        complain(log.problem)
    log.close()
