"""Parts shared by the rules of OOM daemons: the shortage, command lines, shares and sizes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from oomtop.analysis.model.assessment import CgroupFigures, MemoryAccount, ProcessRow, SwapAccount
from oomtop.frozen import frozen
from oomtop.units import format_bytes

_DEFAULT = 10.0
_KIB = 1024
_UNITS = {"": 0, "k": 10, "m": 20, "g": 30, "t": 40}


@frozen
class Shortage:
    """The input of the rules."""

    memory: MemoryAccount
    swap: SwapAccount
    rows: Sequence[ProcessRow]
    groups: Sequence[CgroupFigures]
    rate: float | None
    """Bytes per second by which available memory and free swap shrink, None if they do not."""


@frozen
class KillerThresholds:
    """A daemon acts if available memory and free swap are both at or below these, in bytes."""

    memory: int
    swap: int

    def room(self, available: int | None, swap_free: int | None) -> int | None:
        """Return the bytes left before it acts, 0 if it acts now."""
        if available is None or swap_free is None:
            return None
        return max(0, available - self.memory) + max(0, swap_free - self.swap)

    def seconds(self, now: Shortage) -> float | None:
        """Return the seconds until both are reached at the current rate, None without growth."""
        room = self.room(now.memory.available, now.swap.free if now.swap.total else 0)
        return 0.0 if room == 0 else room / now.rate if room is not None and now.rate else None

    def words(self, has_swap: bool) -> str:
        """Return the condition: `available <= 1.5G and free swap <= 410M`."""
        swap = f" and free swap <= {format_bytes(self.swap)}" if has_swap else ""
        return f"available <= {format_bytes(self.memory)}{swap}"


def parse_options(arguments: Sequence[str], short: str, taking: Sequence[str]) -> Mapping[str, str]:
    """Return the last value of each option, empty for options without a value.

    `short` is the getopt string, `taking` the long options with a value.
    """
    found: dict[str, str] = {}
    words = iter(arguments)
    for word in words:
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            found[name] = value if equals or name not in taking else next(words, "")
        elif word.startswith("-"):
            letters = word[1:]
            while letters:
                letter, letters = letters[0], letters[1:]
                if f"{letter}:" in short:
                    found[letter], letters = letters or next(words, ""), ""
                else:
                    found[letter] = ""
    return found


def thresholds(options: Mapping[str, str], stage: int, base: int, total: int, swap: int) -> KillerThresholds:
    """Return earlyoom's limits: `stage` 0 for SIGTERM, 1 for SIGKILL; `-m` is a share of `base`, `-M` is in KiB."""
    return KillerThresholds(
        round(base * _share(options, "m", "M", stage, total)), round(swap * _share(options, "s", "S", stage, swap))
    )


def _share(options: Mapping[str, str], per_cent: str, size: str, stage: int, total: int) -> float:
    """Return the smaller one if both are given, as earlyoom does."""
    found = []
    if (value := _staged(options.get(per_cent), stage)) is not None:
        found.append(value / 100)
    if (value := _staged(options.get(size), stage)) is not None and total:
        found.append(value * _KIB / total)
    return min(found, default=_DEFAULT / 100 / (stage + 1))


def _staged(text: str | None, stage: int) -> float | None:
    """Return the first or the second of `TERM,KILL`; the second defaults to half of the first, and raises it."""
    if text is None:
        return None
    try:
        parts = [float(part) for part in text.split(",")]
    except ValueError:
        return None
    kill = parts[1] if len(parts) > 1 else parts[0] / 2
    return kill if stage else max(parts[0], kill)


def extended_pattern(text: str | None) -> re.Pattern[str] | None:
    """Compile a POSIX extended regular expression; None for one that is empty or malformed.

    Within brackets a backslash is a character like any other, and `[:alpha:]` a class.
    """
    try:
        return re.compile(_BRACKETS.sub(_in_python, text)) if text else None
    except re.error:
        return None


_BRACKETS = re.compile(r"\\.|\[(\^?)(\]?(?:\[:[a-z]{1,9}:\]|[^\]])*)\]", re.DOTALL)
_CLASSES = {
    "alpha": "a-zA-Z", "digit": "0-9", "alnum": "a-zA-Z0-9", "upper": "A-Z", "lower": "a-z", "space": r"\s",
    "blank": r" \t", "punct": r"!-/:-@\[-`{-~", "print": " -~", "graph": "!-~", "cntrl": r"\x00-\x1f\x7f",
    "xdigit": "0-9a-fA-F",
}  # fmt: skip


def _in_python(found: re.Match[str]) -> str:
    if found[2] is None:
        return found[0]
    parts = re.split(r"\[:([a-z]{1,9}):\]", found[2])
    inner = "".join(
        _CLASSES.get(part, "") if at % 2 else _QUOTED.sub(r"\\\g<0>", part) for at, part in enumerate(parts)
    )
    return f"[{found[1]}{inner}]"


_QUOTED = re.compile(r"[\\\[\]&~|]")


def per_cent_of(text: str, total: int) -> int:
    """Parse `5 %` of `total`, or a size such as `100 M` or `100Mi`; 0 for anything else."""
    match = re.fullmatch(r"\s*(\d{1,12}(?:\.\d{1,6})?)\s*(%|[kKmMgGtT]?)i?\s*", text)
    if match is None:
        return 0
    number = float(match[1])
    return round(total * number / 100 if match[2] == "%" else number * 2 ** _UNITS[match[2].lower()])
