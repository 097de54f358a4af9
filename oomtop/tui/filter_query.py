"""The filter line: a substring, `!regex`, or conditions such as `rss>1g and user=root`."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable

from oomtop.analysis.model import ProcessRow

Predicate = Callable[[ProcessRow], bool]

_CONDITION = re.compile(r"^\s*([a-z_]+)\s*(>=|<=|!=|=|>|<|~)\s*(.+?)\s*$", re.IGNORECASE)
_SIZE = re.compile(r"^(-?\d+(?:\.\d+)?)\s*([kmgt%]?)(?:i?b)?$", re.IGNORECASE)
_SCALE = {"": 1.0, "k": 2.0**10, "m": 2.0**20, "g": 2.0**30, "t": 2.0**40, "%": 0.01}
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    ">": operator.gt, "<": operator.lt, ">=": operator.ge, "<=": operator.le, "=": operator.eq, "!=": operator.ne,
}  # fmt: skip
_NUMBERS: dict[str, Callable[[ProcessRow], float | None]] = {
    "pid": lambda r: r.process.pid,
    "rss": lambda r: r.process.rss,
    "anon": lambda r: r.process.rss_anon,
    "swap": lambda r: r.process.swap,
    "mem": lambda r: r.process.rss_and_swap,
    "growth": lambda r: None if r.growth is None else r.growth * 60,
    "share": lambda r: r.share,
    "adj": lambda r: r.process.oom_score_adj,
    "score": lambda r: r.process.oom_score,
    "cpu": lambda r: None if r.cpu is None else r.cpu * 100,
    "threads": lambda r: r.process.threads,
    "room": lambda r: r.headroom,
}
_TEXTS: dict[str, Callable[[ProcessRow], str]] = {
    "user": lambda r: r.user,
    "name": lambda r: r.process.comm,
    "command": lambda r: r.process.command or r.process.comm,
    "unit": lambda r: r.unit or "",
    "cgroup": lambda r: r.process.cgroup or "",
    "state": lambda r: r.process.state,
}


class FilterError(ValueError):
    """A filter that cannot be understood, with the reason in words."""


def parse_filter(text: str) -> Predicate | None:
    """Return what a filter line accepts, None for an empty one.

    Raises:
        FilterError: an unknown figure, a value that is no number, or a broken expression.
    """
    text = text.strip()
    if not text:
        return None
    if text.startswith("!"):
        return _regex(text[1:])
    parts = re.split(r"\s+(and|or)\s+", text, flags=re.IGNORECASE)
    if _CONDITION.match(parts[0]) is None:
        return _substring(text)
    accept = _condition(parts[0])
    for joint, part in zip(parts[1::2], parts[2::2], strict=True):
        accept = _join(accept, joint.lower(), _condition(part))
    return accept


def _join(left: Predicate, joint: str, right: Predicate) -> Predicate:
    if joint == "and":
        return lambda row: left(row) and right(row)
    return lambda row: left(row) or right(row)


def _regex(pattern: str) -> Predicate:
    try:
        compiled = re.compile(pattern, re.IGNORECASE)
    except re.error as error:
        raise FilterError(f"regular expression: {error}") from None
    return lambda row: compiled.search((row.process.command or row.process.comm)[:4096]) is not None


def _substring(text: str) -> Predicate:
    wanted = text.lower()
    return lambda row: wanted in searchable(row)


def searchable(row: ProcessRow) -> str:
    """Return the text that a search looks through, in lower case."""
    process = row.process
    return f"{process.pid} {process.comm} {process.command or ''} {row.user} {row.unit or ''}".lower()


def _condition(text: str) -> Predicate:
    match = _CONDITION.match(text)
    if match is None:
        raise FilterError(f"{text!r}: expected something like rss>1g")
    name, sign, value = match[1].lower(), match[2], match[3]
    if name in _TEXTS:
        return _text_condition(_TEXTS[name], sign, value.lower())
    if name not in _NUMBERS:
        raise FilterError(f"{name!r} is not one of {', '.join([*_NUMBERS, *_TEXTS])}")
    return _number_condition(_NUMBERS[name], sign, value)


def _text_condition(read: Callable[[ProcessRow], str], sign: str, value: str) -> Predicate:
    if sign == "~":
        return lambda row: value in read(row).lower()
    if sign in ("=", "!="):
        return lambda row: (read(row).lower() == value) == (sign == "=")
    raise FilterError(f"{sign} compares numbers; use =, != or ~ with text")


def _number_condition(read: Callable[[ProcessRow], float | None], sign: str, value: str) -> Predicate:
    match, compare = _SIZE.match(value), _COMPARE.get(sign)
    if match is None or compare is None:
        raise FilterError(f"{value!r} is not a number such as 512, 1.5g or 20%")
    bound = float(match[1]) * _SCALE[match[2].lower()]

    def accept(row: ProcessRow) -> bool:
        known = read(row)
        return known is not None and compare(known, bound)

    return accept
