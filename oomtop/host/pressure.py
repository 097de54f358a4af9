"""`/proc/pressure/*` and a cgroup's `*.pressure`: pressure stall information (Documentation/accounting/psi.rst).

Sample line: `some avg10=0.00 avg60=0.00 avg300=0.00 total=0`
"""

from __future__ import annotations

from oomtop.errors import ParseError
from oomtop.frozen import frozen
from oomtop.host.root import read_optional, whole

_MOST = 100.5
"""Per cent of time; the kernel rounds."""


@frozen
class PressureLine:
    """One line: the share of time stalled in per cent (0 to 100) over three windows, and the total since boot."""

    avg10: float
    avg60: float
    avg300: float
    total_us: int


@frozen
class Pressure:
    """`some`: at least one task waited; `full`: all did.  `full` of cpu is absent before 5.13."""

    some: PressureLine
    full: PressureLine | None = None


def parse_pressure(text: str, path: str = "/proc/pressure/memory") -> Pressure:
    """Return both lines.

    Raises:
        ParseError: a line that lacks a field or is above 100 per cent, or a text without `some`.
    """
    lines: dict[str, PressureLine] = {}
    for line in text.splitlines():
        kind, _, rest = line.partition(" ")
        if kind in ("some", "full"):
            lines[kind] = _parse_line(rest, path)
    if "some" not in lines:
        raise ParseError(path, text)
    return Pressure(lines["some"], lines.get("full"))


def _parse_line(rest: str, path: str) -> PressureLine:
    try:
        fields = dict(word.split("=", 1) for word in rest.split())
        averages = (float(fields["avg10"]), float(fields["avg60"]), float(fields["avg300"]))
        if not all(0 <= average <= _MOST for average in averages):
            raise ValueError
        return PressureLine(*averages, total_us=whole(fields["total"]))
    except (KeyError, ValueError):
        raise ParseError(path, rest) from None


def read_pressure(path: str) -> Pressure | None:
    """Return the pressure of a system-wide or cgroup file, None where PSI is not available."""
    text = read_optional(path)
    return parse_pressure(text, path) if text else None
