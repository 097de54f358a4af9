"""`Record`: one message of a log, free of what its carrier put around it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from oomtop.frozen import frozen

LOG_KERN = 0
LOG_USER = 1
COMMENT = re.compile(r"\s*(?://|/\*|#(?!\d)|;|--\s)")
"""What a comment of a program or a configuration begins with: such a line is no killer's own."""


@frozen
class Record:
    """One line of a message; times in seconds, None where the carrier gives none."""

    text: str
    kernel_time: float | None = None
    """Seconds after boot, as printk stamps it."""
    time: float | None = None
    """Unix time."""
    host: str | None = None
    facility: int = LOG_KERN
    """0 is the kernel; anything else in `/dev/kmsg` was written by a process."""
    program: str = "kernel"
    time_text: str | None = None
    """The time as the log writes it, the outermost."""
    unverified: str | None = None
    """Why another program may have written it."""


def has_any(text: str, words: Iterable[str]) -> bool:
    """Whether a text has one of some words; of a short text and few words, an expression takes five times as long."""
    for word in words:  # noqa: SIM110 - asked of every line; `any` takes three times as long
        if word in text:
            return True
    return False


def anybody(program: str) -> str:
    """Return why a line of syslog proves nothing."""
    return f"any user can write a line of syslog that is tagged {program}"
