"""Every option of the command line, by its command: `swap add --persist`; positional arguments count as well."""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass

from oomtop.cli import build_parser


@dataclass(frozen=True)
class Given:
    """An option of a command; `name` is as a user writes it, or as a positional argument is called."""

    command: str
    name: str
    dest: str
    default: object

    @property
    def words(self) -> str:
        return f"{self.command} {self.name}".strip()


def every_option() -> tuple[Given, ...]:
    return tuple(_walk(build_parser(), ""))


def _walk(parser: argparse.ArgumentParser, command: str) -> Iterator[Given]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, below in action.choices.items():
                yield from _walk(below, f"{command} {name}".strip())
        elif not isinstance(action, argparse._HelpAction):
            yield Given(command, (action.option_strings or [action.dest])[-1], action.dest, action.default)
