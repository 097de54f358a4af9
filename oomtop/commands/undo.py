"""`oomtop undo`: take back the last action that can be taken back, also one that was cut off or of an earlier run."""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING

from oomtop.commands.consent import add_consent, consent_of
from oomtop.errors import OomtopError

if TYPE_CHECKING:
    from oomtop.actions.recovery import Leftover

HELP = "take back the last action that can be taken back"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument("--list", action="store_true", help="show what could be taken back, the newest last")
    add_consent(parser)


def run(options: argparse.Namespace) -> int:
    """Take the newest one back; what was cut off goes first."""
    from oomtop.headless import act, leftovers

    cut, done = leftovers()
    if options.list:
        for word, group in (("cut off", cut), ("done", done)):
            for leftover in group:
                print(_line(word, leftover))
        return 0
    last = next((item for item in (*reversed(cut), *reversed(done)) if item.request is not None), None)
    if last is None or last.request is None:
        raise OomtopError("nothing to undo")
    request = last.request
    consent, guard = consent_of(options)
    print(f"Undo: {last.title}")
    return act(lambda snapshot: request, consent, guard, undoes=last.entry)


def _line(word: str, leftover: Leftover) -> str:
    when = time.strftime("%F %T", time.localtime(leftover.time))
    return f"{when}  {word:7}  {leftover.title}" + ("" if leftover.request else "  (nothing left to undo)")
