"""The command line as plain data: each command with its options, as its argparse parser has them."""

from __future__ import annotations

import argparse
import enum
import signal
from collections.abc import Mapping

from oomtop.frozen import frozen
from oomtop.host.sysctl import FILES

THEMES = ("colour-blind-safe", "dark", "high-contrast", "light", "mono", "sixteen")
_SIGNALS = tuple(sorted(number.name.removeprefix("SIG") for number in signal.Signals))
# By option, or by the placeholder of an argument.
_WORDS = {"--theme": THEMES, "--signal": _SIGNALS, "NAME": tuple(name for name, _ in FILES)}


class ValueKind(enum.Enum):
    """What the value of an option is, for a shell that wants to offer some."""

    NONE = "a flag"
    WORDS = "one of a few words"
    FILE = "a file"
    PID = "a process"
    GROUP = "a cgroup"
    UNIT = "a service of systemd"
    TEXT = "anything else"


_KINDS = {
    "FILE": ValueKind.FILE,
    "PATH": ValueKind.FILE,
    "RECORDING": ValueKind.FILE,
    "PID": ValueKind.PID,
    "GROUP": ValueKind.GROUP,
}


@frozen
class Argument:
    """An option, or a positional argument: that one has no names."""

    names: tuple[str, ...]
    metavar: str
    kind: ValueKind
    words: tuple[str, ...]
    help: str
    is_repeated: bool


@frozen
class Command:
    """The program (no path), a command, or a command of a command such as `swap add`."""

    path: tuple[str, ...]
    help: str
    description: str
    options: tuple[Argument, ...]
    positionals: tuple[Argument, ...]
    commands: tuple[Command, ...]

    def walk(self) -> tuple[Command, ...]:
        """Return this command and all below it."""
        return (self, *(found for command in self.commands for found in command.walk()))


def read_tree(
    parser: argparse.ArgumentParser, path: tuple[str, ...] = (), help_text: str = "", commands: tuple[str, ...] = ()
) -> Command:
    """Return what `parser` takes; argparse has no public list of it.

    `commands`: those of the program, which `help` takes.
    """
    below = [
        (action.choices[choice.dest], choice)
        for action in parser._actions
        if isinstance(action, argparse._SubParsersAction)
        for choice in action._choices_actions
    ]
    commands = commands or tuple(choice.dest for _, choice in below)
    words = {**_WORDS, "COMMAND": commands}
    arguments = [
        _argument(action, words) for action in parser._actions if not isinstance(action, argparse._SubParsersAction)
    ]
    return Command(
        path,
        help_text,
        parser.description or "",
        tuple(argument for argument in arguments if argument.names),
        tuple(argument for argument in arguments if not argument.names),
        tuple(read_tree(parser, (*path, choice.dest), choice.help or "", commands) for parser, choice in below),
    )


def _argument(action: argparse.Action, known: Mapping[str, tuple[str, ...]]) -> Argument:
    names = tuple(action.option_strings)
    key = names[-1] if names else str(action.metavar)
    words = tuple(str(choice) for choice in action.choices or ()) or known.get(key, ())
    metavar = action.metavar if isinstance(action.metavar, str) else "|".join(words) or action.dest.upper()
    is_flag = action.nargs == 0
    help_text = (action.help or "").replace("%%", "%")
    return Argument(
        names,
        "" if is_flag else metavar,
        ValueKind.NONE if is_flag else _kind(names, metavar, words),
        words,
        help_text,
        action.nargs in ("*", "+"),
    )


def _kind(names: tuple[str, ...], metavar: str, words: tuple[str, ...]) -> ValueKind:
    if words:
        return ValueKind.WORDS
    return ValueKind.UNIT if "--unit" in names else _KINDS.get(metavar, ValueKind.TEXT)
