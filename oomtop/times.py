"""Parses times and ages of the command line and the replay prompt: `14:05`, `2026-11-24 14:05:30`, `-10m`, `7d`."""

from __future__ import annotations

import re
import time

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 7 * 86400.0}
_AGE = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw])")
_DATED = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d")
_CLOCK = ("%H:%M:%S", "%H:%M")


def parse_age(text: str) -> float:
    """Return the seconds of a duration such as `90s`, `10m`, `12h`, `7d`.

    Raises:
        ValueError: not a duration.
    """
    match = _AGE.fullmatch(text.strip())
    if match is None or float(match[1]) <= 0:
        raise ValueError(f"{text!r} is not a duration such as 10m, 12h or 7d")
    return float(match[1]) * _UNITS[match[2]]


def parse_time(text: str, last: float) -> float:
    """Return the Unix time that `text` names in a recording that ends at `last`.

    A clock time is the last such time before the end, `-10m` is ten minutes before the end, a number is Unix time.

    Raises:
        ValueError: not a time.
    """
    text = text.strip()
    if text.startswith("-"):
        match = _AGE.fullmatch(text[1:])
        if match is not None:
            return last - float(match[1]) * _UNITS[match[2]]
    for form in _DATED:
        try:
            return time.mktime(time.strptime(text, form))
        except (ValueError, OverflowError):
            continue
    for form in _CLOCK:
        try:
            return _clock(time.strptime(text, form), last)
        except ValueError:
            continue
    if re.fullmatch(r"\d{9,11}(\.\d+)?", text):
        return float(text)
    raise ValueError(f"{text!r} is not a time such as 14:05, 2026-11-24 14:05:30 or -10m")


def _clock(clock: time.struct_time, last: float) -> float:
    day = time.localtime(last)
    found = time.mktime((*day[:3], clock.tm_hour, clock.tm_min, clock.tm_sec, 0, 0, -1))
    return found if found <= last else found - 86400.0
