"""Where the kernel's files are: the real machine, or a tree built for a test, under one injected root."""

from __future__ import annotations

import os

from oomtop.errors import ParseError
from oomtop.frozen import frozen

# A sign and 20 digits.
_LONGEST = 21


@frozen
class Root:
    """The folder under which `/proc`, `/sys`, `/dev` and `/etc` are found; `/` on a real machine."""

    path: str = "/"

    def at(self, name: str) -> str:
        """Return the path of an absolute kernel path such as `/proc/meminfo` under this root."""
        return name if self.path == "/" else os.path.join(self.path, name.lstrip("/"))


def read_optional(path: str) -> str | None:
    """Return the text of `path`, or None where the file is missing, unreadable or not supported.

    A file that this kernel lacks is a fact, not an error; EOPNOTSUPP is what
    `/proc/pressure/memory` answers when the kernel was booted with `psi=0`.
    """
    try:
        with open(path, "rb", buffering=0) as file:
            return file.read().decode("utf-8", "backslashreplace")
    except OSError:
        return None


def whole(text: str | bytes) -> int:
    """Return a number as the kernel writes one: at most 20 digits, 2^64 - 1.

    Longer ones are no figures, and float() of 309 digits raises OverflowError.

    Raises:
        ValueError: it is no number, or longer.
    """
    if len(text) > _LONGEST:
        raise ValueError(f"a number of {len(text)} digits")
    return int(text)


def read_int(path: str) -> int | None:
    """Return the one number that `path` holds, None where there is no file or no number (`max`)."""
    text = read_optional(path)
    if text is None:
        return None
    try:
        return whole(text.strip())
    except ValueError:
        return None


def parse_counters(text: str, path: str) -> dict[str, int]:
    """Return the `key number` lines of a file such as `vmstat` or `memory.events`.

    Raises:
        ParseError: a line whose second word is not a number.
    """
    counters: dict[str, int] = {}
    for line in text.splitlines():
        words = line.split()
        if len(words) != 2:
            continue
        try:
            counters[words[0]] = whole(words[1])
        except ValueError:
            raise ParseError(path, line) from None
    return counters
