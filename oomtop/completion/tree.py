"""The command line as plain data: each command with its options, as its argparse parser has them."""

from __future__ import annotations

import argparse
import enum
import signal

from oomtop.frozen import frozen

THEMES = ("colour-blind-safe", "dark", "high-contrast", "light", "mono", "sixteen")
_SIGNALS = tuple(sorted(number.name.removeprefix("SIG") for number in signal.Signals))
_WORDS = {"--theme": THEMES, "--signal": _SIGNALS}


class ValueKind(enum.Enum):
    """What the value of an option is, for a shell that wants to offer some."""

    NONE = "a flag"
    WORDS = "one of a few words"
    FILE = "a file"
    PID = "a process"
    GROUP = "a cgroup"
    UNIT = "a service of systemd"
    TEXT = "anything else"


_KINDS = {"FILE": ValueKind.FILE, "PATH": ValueKind.FILE, "PID": ValueKind.PID, "GROUP": ValueKind.GROUP}


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


def read_tree(parser: argparse.ArgumentParser, path: tuple[str, ...] = (), help_text: str = "") -> Command:
    """Return what `parser` takes; argparse has no public list of it."""
    arguments = [_argument(action) for action in parser._actions if not isinstance(action, argparse._SubParsersAction)]
    return Command(
        path,
        help_text,
        parser.description or "",
        tuple(argument for argument in arguments if argument.names),
        tuple(argument for argument in arguments if not argument.names),
        tuple(
            read_tree(action.choices[choice.dest], (*path, choice.dest), choice.help or "")
            for action in parser._actions
            if isinstance(action, argparse._SubParsersAction)
            for choice in action._choices_actions
        ),
    )


def _argument(action: argparse.Action) -> Argument:
    names = tuple(action.option_strings)
    words = tuple(str(choice) for choice in action.choices or ()) or _WORDS.get(names[-1] if names else "", ())
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
