"""`Mention`: somebody's report of an OOM kill that is not the killer's own, and the shapes it is found by."""

from __future__ import annotations

import re
from typing import NamedTuple

from oomtop.frozen import frozen

KILL, EVICTION, FAILURE, LIMIT = "kill", "eviction", "allocation-failure", "limit"


@frozen
class Mention:
    """What one reporter says about one subject; the full report is in the kernel log of the machine."""

    by: str
    """`systemd`, `kubelet`, `containerd`, `docker`, `slurmstepd`, `lambda`, ..."""
    kind: str
    """`kill`, `eviction` (by the kubelet), `allocation-failure` (nobody died), `limit` (over it, nobody died yet)."""
    text: str
    """The first of its lines, as it stands."""
    lines: tuple[int, ...] = ()
    """Their numbers from 1; empty where the log was not read from its beginning."""
    subject: str | None = None
    """The unit, container, pod, job or node, as the reporter names it."""
    pid: int | None = None
    name: str | None = None
    count: int | None = None
    """How many kills, if said."""
    time: float | None = None
    host: str | None = None
    source: str | None = None
    event: int | None = None
    """Which event of the same evidence it is about, from 0; None where that is not in it."""

    @property
    def key(self) -> tuple[object, ...]:
        """What tells it from others."""
        return (self.by, self.subject, self.pid, self.time, self.lines)


class Shape(NamedTuple):
    """One wording of one reporter: named groups are the mention's fields."""

    by: str
    pattern: re.Pattern[str]
    kind: str = KILL
    adds: bool = False
    """Whether each such line counts as one more kill."""
    joins: bool = False
    """Whether it belongs to the mention before it, whoever reported that; otherwise it stands alone."""
    quotes: bool = False
    """Whether it repeats a line of the kernel, which is then not an event of its own."""

    needs: str = ""
    """A text that every line of this wording has."""


_PART = re.compile(
    r"(?P<escaped>\\.)|(?P<of_class>\[\^?\]?(?:\\.|[^\]\\])*\])|(?P<repeat>[*+?]|\{[\d,]+\})|(?P<mark>.)", re.S
)


def needed(expression: str) -> str:
    """Return the longest text outside of parentheses that each match of an expression has; empty where none is sure."""
    runs, depth = [""], 0
    for part in _PART.finditer(expression):
        mark, escaped, repeat = part["mark"] or "", part["escaped"] or "", part["repeat"]
        literal = escaped[1:] if not escaped[1:].isalnum() else ""
        literal = literal or (mark if mark not in set(".^$()|") else "")
        if mark == "|" and not depth:
            return ""
        depth += (mark == "(") - (mark == ")")
        if repeat:
            # What may be missing is not needed, and what comes once or more ends a text.
            runs[-1:] = [runs[-1] if repeat == "+" else runs[-1][:-1], ""]
        elif literal and not depth:
            runs[-1] += literal
        else:
            runs.append("")
    return max(runs, key=len)


def shape(
    by: str, pattern: str, kind: str = KILL, *, adds: bool = False, joins: bool = False, quotes: bool = False
) -> Shape:
    """Return a row of a table of wordings."""
    return Shape(by, re.compile(pattern), kind, adds, joins, quotes, needed(pattern))
