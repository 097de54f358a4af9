"""Formats quantities (bytes, seconds, shares) and makes untrusted text printable.

Unknown values are `None` and are printed as a dash.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence

DASH = "-"
MIB = 1 << 20
GIB = 1 << 30
MOST = (1 << 62) - 1
"""The largest size accepted: from 2^62 on the kernel shows a cgroup v1 limit as unlimited."""

_SIZE = re.compile(r"(\d{1,15}(?:\.\d{1,9})?)\s*([bkmgtp]?)(?:i?b)?")
_BLOCKS = "▁▂▃▄▅▆▇█"
_ASCII_BLOCKS = "_.-=+*#@"
_SUFFIXES = ("B", "K", "M", "G", "T", "P", "E")


def finite(value: object) -> float | None:
    """Return a number from untrusted JSON as a float, or None if it is not a finite float."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def format_bytes(value: float | None) -> str:
    """Return `value` bytes in at most 5 characters with a binary suffix, as `free -h` does: `412M`, `23.5G`."""
    if value is None:
        return DASH
    sign, size = ("-", -value) if value < 0 else ("", value)
    step = 0
    while size >= 999.5 and step < len(_SUFFIXES) - 1:
        size /= 1024
        step += 1
    digits = f"{size:.1f}" if step and size < 99.95 else f"{size:.0f}"
    return f"{sign}{digits}{_SUFFIXES[step]}"


def format_rate(value: float | None, per: str = "s") -> str:
    """Return bytes per unit of time with an explicit sign: `+3.1M/s`."""
    if value is None:
        return DASH
    text = format_bytes(value)
    return f"{text if value < 0 else '+' + text}/{per}"


def format_count(value: float | None) -> str:
    """Return a count or a rate of events in at most 5 characters with a decimal suffix: `12`, `4.2k`, `31M`."""
    if value is None:
        return DASH
    size, step = float(value), 0
    while abs(size) >= 999.5 and step < 4:
        size /= 1000
        step += 1
    suffix = ("", "k", "M", "G", "T")[step]
    return f"{size:.1f}{suffix}" if 0 < abs(size) < 9.95 and (step or size != int(size)) else f"{size:.0f}{suffix}"


def format_share(value: float | None) -> str:
    """Return a share (0.0 to 1.0) as per cent: `3.2%`, `41%`."""
    if value is None:
        return DASH
    percent = value * 100
    return f"{percent:.1f}%" if abs(percent) < 9.95 else f"{percent:.0f}%"


def format_duration(seconds: float | None) -> str:
    """Return a duration in at most its two largest units: `8s`, `4m10s`, `3h05m`, `12d`."""
    if seconds is None:
        return DASH
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}s"
    if whole < 100 * 3600:
        return f"{whole // 3600}h{whole % 3600 // 60:02d}m"
    return f"{whole // 86400}d"


def format_about(seconds: float | None) -> str:
    """Return an estimated duration, rounded to minutes from ten minutes on: `8s`, `4m10s`, `22m`."""
    if seconds is None or not 600 <= seconds < 3600:
        return format_duration(seconds)
    return f"{int(seconds) // 60}m"


def sparkline(values: Sequence[float], width: int, low: float, high: float, ascii_only: bool = False) -> str:
    """Return the last `width` values as one line of blocks, the newest at the right; `low` is the lowest block."""
    blocks = _ASCII_BLOCKS if ascii_only else _BLOCKS
    last = len(blocks) - 1
    span = (high - low) or 1.0
    return "".join(blocks[min(last, max(0, int((value - low) / span * len(blocks))))] for value in values[-width:])


def printable(text: str) -> str:
    """Return `text` without anything that could move the cursor, change colours or reverse the line.

    Control characters, escapes, bidirectional and zero-width characters, surrogates and stacked
    combining marks become `?`; a newline or tab becomes a blank.  The result must still be written
    as plain text, never as markup.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_harmless(char) for char in unicodedata.normalize("NFC", text))


def _harmless(char: str) -> str:
    if char in "\n\t\r":
        return " "
    if not char.isprintable() or unicodedata.combining(char) or unicodedata.category(char) in ("Mn", "Me"):
        return "?"
    return char


def parse_size(text: str) -> int:
    """Return the bytes that `512M`, `1.5g`, `2GiB` or `4096` stand for; binary suffixes.

    Raises:
        ValueError: not a size, or more than any machine has: the kernel reads 2^64 as 0.
    """
    match = _SIZE.fullmatch(text.strip().lower())
    if match is None:
        raise ValueError(f"{text[:40]!r} is not a size such as 512M or 1.5G")
    size = int(float(match[1]) * 1024 ** "bkmgtp".index(match[2] or "b"))
    if size > MOST:
        raise ValueError(f"{text[:40]!r} is more than any machine has")
    return size
