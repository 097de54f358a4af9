"""`oomtop undo`: undo this user's last action on this terminal, also one of an earlier or interrupted run."""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING

from oomtop.commands.consent import add_consent, consent_of
from oomtop.errors import OomtopError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from oomtop.actions.recovery import Leftover

HELP = "undo your last reversible action on this terminal"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument("id", nargs="?", metavar="ID", help="the action to undo, of any user (see --list)")
    parser.add_argument("--list", action="store_true", help="list what can be undone and who did it, the newest last")
    add_consent(parser)


def run(options: argparse.Namespace) -> int:
    """Undo one action: the one named, else this user's newest; interrupted actions come first."""
    from oomtop.actions.journal.audit_log import Audit
    from oomtop.actions.recovery import to_undo
    from oomtop.headless import leftovers, undo_first

    cut, done = leftovers()
    if options.list and options.json:
        from oomtop.render.answers.action_json import leftovers_to_json
        from oomtop.render.json_text import json_text

        print(json_text(leftovers_to_json(cut, done)))
        return 0
    if options.list:
        for word, group in (("cut off", cut), ("done", done)):
            for leftover in group:
                print(_line(word, leftover))
        return 0
    wanted = _named(options.id, (*cut, *done)) if options.id else to_undo(cut, done, Audit().actor)
    code = undo_first(wanted, *consent_of(options))
    if code is None:
        if options.json:
            _print_nothing()
        others = 0 if options.id else len(cut) + len(done) - len(wanted)
        raise OomtopError("nothing to undo" + _of_others(others))
    return code


def _print_nothing() -> None:
    from oomtop.render.answers.action_json import actions_to_json
    from oomtop.render.json_text import json_text

    print(json_text(actions_to_json((), ())))


def _named(name: str, leftovers: Sequence[Leftover]) -> tuple[Leftover, ...]:
    found = tuple(leftover for leftover in leftovers if leftover.entry == name)
    if not found:
        raise OomtopError(f"no action {name} to undo: see oomtop undo --list")
    return found


def _of_others(count: int) -> str:
    if not count:
        return ""
    return f" of yours on this terminal; {count} of others or elsewhere: oomtop undo --list"


def _line(word: str, leftover: Leftover) -> str:
    when = time.strftime("%F %T", time.localtime(leftover.time))
    who = "rule" if leftover.by_rule else leftover.sudo_user or leftover.user
    where = leftover.tty or "no terminal"
    end = "" if leftover.request else "  (nothing left to undo)"
    return f"{when}  {word:7}  {leftover.title}  by {who} on {where}  {leftover.entry}{end}"
