r"""Dates in logs: which shapes they have, and what they mean.

Sample dates: `Nov 23 10:01:02`, `Nov 24 2024 08:00:00`, `2024-11-24T08:00:00.123Z`, `Mon Apr 12 18:29:48 2021`,
`Sun 2024-11-24 08:00:00.000000 UTC`, `11-24 08:00:00.000`, `1732435200.000000`, `avril 16 21:08:50`
"""

from __future__ import annotations

import re
import time
from datetime import datetime, timezone

_CLOCK = r"\d\d:\d\d:\d\d(?:[.,]\d{1,9})?"
# Names of zones end in T, but for a few; any other word in capitals is the host's.
_ZONE = r"(?: ?(?:Z|UTC|GMT|[+-]\d\d:?\d\d|(?:[A-Z]{2,3}T|UTC|MSK)(?=[ \]])))?"
# A word of any language, short and without the signs of code.
_WORD = r"[^\W\d_]{1,12}\.?"
DATE = (
    rf"(?:(?:{_WORD} )?\d{{4}}[-/]\d\d[-/]\d\d[T ]{_CLOCK}{_ZONE}"
    rf"|[A-Z][a-z]{{2}} [ \d]\d (?:\d{{4}} )?{_CLOCK}{_ZONE}"
    rf"|{_WORD},? {{1,2}}(?:\d{{1,2}}{_WORD}|{_WORD}) {{1,2}}\d{{1,2}} {_CLOCK} \d{{4}}"
    rf"|\d{{1,2}} {_WORD} (?:\d{{4}} )?{_CLOCK}{_ZONE}"
    rf"|(?:{_WORD} )?(?:\d{{1,2}}{_WORD}|{_WORD}) {{1,2}}\d{{1,2}} (?:\d{{4}} )?{_CLOCK}"
    rf"|\d\d-\d\d {_CLOCK}|\d\d:\d\d:\d\d\.\d{{1,9}}|\d{{9,10}}\.\d{{1,9}})"
)
"""An expression for a date, of any language where only the names of months differ."""
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_ISO = re.compile(
    r"^(?:\S+ )?(\d{4})[-/](\d\d)[-/](\d\d)[T ](\d\d:\d\d:\d\d)(?:([.,]\d{1,9}))? ?(Z|UTC|GMT|[+-]\d\d:?\d\d)?$"
)
_EPOCH = re.compile(r"^\d{9,19}(?:\.\d{1,9})?$")
_YEAR = re.compile(
    r"^(?:\S+ )?([A-Z][a-z]{2}) {1,2}(\d{1,2}) (?:(\d{4}) )?(\d\d):(\d\d):(\d\d)(?:\.\d+)?(?: (\d{4}))?$"
)
_LATEST = 1e11


def parse_time(value: object) -> float | None:
    """Return the Unix time of a date with a zone, or of an epoch in s, ms, us or ns; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    if isinstance(value, str):
        if not _EPOCH.match(value):
            return _iso(value, assumed=False)
        value = float(value)
    return _epoch(value)


def _epoch(value: float) -> float | None:
    for scale in (1, 1000, 1_000_000, 1_000_000_000):
        if 1e8 < value < _LATEST * scale / 10:
            return value / scale
    return None


def _iso(text: str, assumed: bool) -> float | None:
    match = _ISO.match(text)
    if match is None or (match[6] is None and not assumed):
        return None
    zone = (match[6] or "").replace("UTC", "Z").replace("GMT", "Z").replace("Z", "+00:00")
    zone = zone if ":" in zone or not zone else f"{zone[:3]}:{zone[3:]}"
    try:
        whole = datetime.fromisoformat(f"{match[1]}-{match[2]}-{match[3]}T{match[4]}{zone}").timestamp()
    except (ValueError, OverflowError):
        return None
    return whole + float((match[5] or ".0").replace(",", "."))


def assume_time(text: str, reference: float) -> float | None:
    """Return the Unix time of a date without zone or year, taken as local time.

    Without a year it is the newest such date that is at most a day after `reference`.
    """
    iso = _iso(text, assumed=True)
    if iso is not None:
        return iso
    match = _YEAR.match(text)
    if match is None or match[1] not in _MONTHS:
        return None
    year = match[3] or match[7]
    latest = time.localtime(reference + 86400).tm_year
    for each in (int(year),) if year else (latest, latest - 1):
        clock = (int(match[4]), int(match[5]), int(match[6]))
        found = _local((each, _MONTHS.index(match[1]) + 1, int(match[2]), *clock, 0, 0, -1))
        if found is not None and (year or found <= reference + 86400):
            return found
    return None


def _local(parts: tuple[int, int, int, int, int, int, int, int, int]) -> float | None:
    try:
        return time.mktime(parts)
    except (OverflowError, ValueError):
        return None


def in_utc(when: float) -> str | None:
    """Return a Unix time as ISO 8601 in UTC, for texts that give an epoch."""
    try:
        return datetime.fromtimestamp(when, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    except (ValueError, OverflowError, OSError):
        return None
