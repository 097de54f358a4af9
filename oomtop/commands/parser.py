"""The parsers of the command line; with simple arguments the monitor starts without them."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from typing import NoReturn

from oomtop.errors import nearest


class Parser(argparse.ArgumentParser):
    """A parser whose usage errors exit with the code of their command: 2 would mean CRITICAL for a probe."""

    usage_error = 2
    is_command = False

    def error(self, message: str) -> NoReturn:
        """Print usage and what is wrong, and exit."""
        self.print_usage(sys.stderr)
        self.exit(self.usage_error, f"{self.prog}: error: {_with_nearest(message)}\n")

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Refuse unknown arguments with the usage of the command; argparse would leave them to the main parser."""
        found, rest = super().parse_known_args(args, namespace)
        if rest and self.is_command:
            words = (nearest(word.partition("=")[0], self._option_string_actions) for word in rest if word[:2] == "--")
            near = next(filter(None, words), None)
            self.error(f"unrecognized arguments: {' '.join(rest)}" + (f"; did you mean {near}?" if near else ""))
        return found, rest


def _with_nearest(message: str) -> str:
    """Return an error with the nearest choice first, where a word was mistyped."""
    match = re.search(r"invalid choice: '([^']*)' \(choose from (.*)\)", message)
    if match is None:
        return message
    near = nearest(match[1], re.findall(r"[\w.-]+", match[2]))
    return f"{message[: match.start()]}invalid choice: '{match[1]}'; did you mean {near}?" if near else message
