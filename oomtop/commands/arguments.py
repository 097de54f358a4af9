"""Argument types of the command line: each returns the value or raises with what was expected."""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse


def _wrong(problem: str) -> Exception:
    """Return what argparse reports of a value; imported with the first mistake."""
    import argparse

    return argparse.ArgumentTypeError(problem)


def seconds(text: str) -> float:
    """Parse a number of seconds from 0.1 to 3600."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.1 <= value <= 3600:
        raise _wrong(f"{text!r} is not a number of seconds from 0.1 to 3600")
    return value


def add_interval(parser: argparse.ArgumentParser, default: float, of: str = "samples") -> None:
    """Add `--interval`, in seconds."""
    what = f"seconds between {of} (default: {default:g})"
    parser.add_argument("--interval", type=seconds, default=default, metavar="S", help=what)


def count(text: str) -> int:
    """Parse a whole number of at least 1."""
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise _wrong(f"{text!r} is not a whole number of at least 1")
    return int(text)


def priority(text: str) -> int:
    """Parse the priority of a swap area."""
    if not (text.isascii() and text.isdigit() and int(text) <= 0x7FFF):
        raise _wrong(f"{text!r} is not a whole number from 0 to 32767")
    return int(text)


def adj(text: str) -> int:
    """Parse an `oom_score_adj`."""
    try:
        value = int(text)
    except ValueError:
        value = 9999
    if not -1000 <= value <= 1000:
        raise _wrong(f"{text!r} is not a whole number from -1000 to 1000")
    return value


def size(text: str) -> int:
    """Parse a number of bytes with a binary suffix, such as `512M`."""
    from oomtop.units import parse_size

    try:
        return parse_size(text)
    except ValueError as error:
        raise _wrong(str(error)) from None


def age(text: str) -> float:
    """Parse a length of time, such as `90s` or `7d`; returns seconds."""
    from oomtop.times import parse_age

    try:
        return parse_age(text)
    except ValueError as error:
        raise _wrong(str(error)) from None


def protected_size(text: str) -> int | None:
    """Parse a size, `none` for 0 or `max` for no bound."""
    return 0 if text.lower() == "none" else limit_size(text)


def limit_size(text: str) -> int | None:
    """Parse a size, or `none` for no limit."""
    return None if text.lower() in ("none", "max", "infinity") else size(text)


PAST_TIMES = "2h or 3d ago, 14:05, '2026-11-24 14:05' or a Unix time"
"""What `past_time` accepts, for a help text."""


def past_time(text: str) -> float:
    """Parse a past time, such as `2h` or `-2h` ago, a clock time or a date; returns Unix time."""
    from oomtop.times import parse_time

    try:
        return parse_time(text if text[-1:].isdigit() or text.startswith("-") else f"-{text}", time.time())
    except ValueError as error:
        raise _wrong(str(error)) from None


def signal_number(text: str) -> int:
    """Parse a signal number or name, with or without SIG."""
    import signal

    from oomtop.errors import nearest

    name = text.upper() if text.upper().startswith("SIG") else f"SIG{text.upper()}"
    try:
        return int(signal.Signals(int(text)) if text.isdigit() else signal.Signals[name])
    except (KeyError, ValueError):
        names = [name for each in signal.Signals for name in (each.name, each.name.removeprefix("SIG"))]
        near = nearest(text.upper(), names)
        raise _wrong(f"{text!r} is not a signal" + (f"; did you mean {near}?" if near else "")) from None


def output_width() -> int:
    """Return the terminal's width; for a file or a pipe, a width that fits most pagers."""
    # A terminal whose size was never set reports 0.
    return max(20, os.get_terminal_size(sys.stdout.fileno()).columns or 80) if sys.stdout.isatty() else 120


def longest_line() -> int:
    """Return the length at which rows are cut: the terminal's width; no limit for a file or a pipe."""
    return output_width() if sys.stdout.isatty() else sys.maxsize


def complain(text: str) -> None:
    """Write one line to stderr."""
    from oomtop.units import printable

    tell(f"oomtop: {printable(text)}")


def tell(text: str) -> None:
    """Write one line to stderr unchanged."""
    # If stderr cannot be written, the exit code is all that is left.
    with suppress(OSError):
        print(text, file=sys.stderr, flush=True)


def has_screen(what: str, instead: str) -> bool:
    """Return whether this terminal can show a full screen; if not, print why in one line."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        complain(f"{what} needs a terminal{instead}")
        return False
    if os.environ.get("TERM") in ("dumb", "unknown"):
        complain(f"{what} needs a terminal that can move its cursor, and TERM is {os.environ['TERM']}{instead}")
        return False
    return True


def exit_code(code: int | None) -> int:
    """Return the exit code of a full screen: 1 if it ended without being asked to."""
    return 1 if code is None else code
