"""Regular expressions of a filter that cannot stop the screen.

`re` backtracks, cannot be interrupted, and process names are untrusted.  What could take more than `_STEPS` on a text
of `LONGEST` characters is refused before it runs; a budget limits what all searches take together.
"""

from __future__ import annotations

import contextlib
import re
import sys
import time
import warnings
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, cast

from oomtop.errors import OomtopError

if TYPE_CHECKING or sys.version_info < (3, 11):
    import sre_compile
    import sre_parse
else:
    from re import _compiler as sre_compile
    from re import _parser as sre_parse

# The type stubs of the standard library are too narrow here.
_Repeat = tuple[int, int, "sre_parse.SubPattern"]
_Class = list[tuple[object, tuple[int, int]]]

LONGEST = 1024
"""Characters of a text that are searched."""
_STEPS = 4 * LONGEST**2
"""Maximum steps of a search in one text, at 20 to 40 ns each."""
_FLAGS = re.IGNORECASE | re.DOTALL
_SPAN = 0x20000
"""Characters in all ranges together: `re` looks for the other case of each."""
_BUDGET = 0.1
"""CPU seconds that may be spent at once."""
_SHARE = 0.05
"""Share of the time that may be spent in the long run."""
_REMEMBERED = 20_000
_FEW = 10
"""Repeats from this count on are not expanded."""

_PLAIN = ("MAX_REPEAT", "MIN_REPEAT")
_REPEATS = (*_PLAIN, "POSSESSIVE_REPEAT")
_SINGLE = ("LITERAL", "NOT_LITERAL", "ANY", "IN")


class FilterError(OomtopError):
    """An invalid filter; names the part and what was expected."""


class Allowance:
    """The CPU time budget of the regular expressions of one filter."""

    def __init__(self) -> None:
        self._left, self._filled = _BUDGET, time.monotonic()
        self.was_spent = False
        """Whether some text is still undecided."""

    def has_some(self) -> bool:
        """Whether another text may be searched."""
        now = time.monotonic()
        self._left = min(_BUDGET, self._left + _SHARE * (now - self._filled))
        self._filled = now
        self.was_spent |= self._left <= 0
        return self._left > 0

    def spend(self, seconds: float) -> None:
        """Charge the time of a search."""
        self._left -= seconds


class Regex:
    """One expression; each text is searched once, and counts as no match while the budget is used up."""

    def __init__(self, text: str, budget: Allowance) -> None:
        self._parts = _parts(text)
        self._budget = budget
        self._known: dict[str, bool] = {}

    def is_in(self, text: str) -> bool:
        """Whether the expression matches somewhere in the first `LONGEST` characters."""
        text = text[:LONGEST]
        known = self._known.get(text)
        if known is not None or not self._budget.has_some():
            return bool(known)
        begun = time.thread_time()
        found = self._search(text)
        self._budget.spend(time.thread_time() - begun)
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        self._known[text] = found
        return found

    def _search(self, text: str) -> bool:
        at = 0
        for part in self._parts:
            match = part.search(text, at)
            if match is None:
                return False
            at = match.end()
        return True


def _parts(text: str) -> list[re.Pattern[str]]:
    try:
        # Suppress the warning about `[[` or `--` in a class: it would be written over the screen.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            problem = _problem_of(text)
            if problem is not None:
                raise FilterError(f"refused, it could block the screen: {_first_bad(text)!r} {problem}")
            return [sre_compile.compile(part, _FLAGS) for part in _at_gaps(sre_parse.parse(text, _FLAGS))]
    except (re.error, OverflowError, RecursionError) as error:
        raise FilterError(f"not a regular expression: {text!r}: {error}") from error


def _first_bad(text: str) -> str:
    """Return the beginning of an expression up to the part that is too slow."""
    for end in range(1, len(text)):
        with contextlib.suppress(re.error):
            if _problem_of(text[:end]) is not None:
                return text[:end]
    return text


def _problem_of(text: str) -> str | None:
    """Return why the cost of an expression is not bounded, or None."""
    parts = list(_at_gaps(sre_parse.parse(text, _FLAGS)))
    try:
        if sum(_span(part) for part in parts) > _SPAN:
            return "has ranges of too many characters"
        is_slow = sum(_starts(part) * _ways(part, True) for part in parts) > _STEPS
    except _Refused as reason:
        return str(reason)
    return "can match in too many ways; use .* between the parts, or `and`" if is_slow else None


class _Refused(Exception):
    """Raised for a part of an expression with unbounded cost."""


def _at_gaps(whole: sre_parse.SubPattern) -> Iterator[sre_parse.SubPattern]:
    """Cut an expression at each `.*` and `.+`: its parts are found one after the other.

    That holds where each part has one width only, for the first place where it matches leaves the most room behind it.
    """
    begin = 0
    for at, (op, value) in enumerate(whole.data):
        part = _shortest(whole, begin, at)
        least, most = part.getwidth()
        if str(op) in _PLAIN and least == most and _is_gap(value):
            low, _, body = cast("_Repeat", value)
            yield sre_parse.SubPattern(whole.state, part.data + body.data * low)
            begin = at + 1
    yield _shortest(whole, begin, len(whole.data))


def _is_gap(value: object) -> bool:
    low, high, body = cast("_Repeat", value)
    return low < _FEW and high == sre_parse.MAXREPEAT and [str(op) for op, _ in body.data] == ["ANY"]


def _shortest(whole: sre_parse.SubPattern, begin: int, end: int) -> sre_parse.SubPattern:
    """Return a part with the repeats at its ends as short as may be: beside them anything may stand."""
    part = sre_parse.SubPattern(whole.state, whole.data[begin:end])
    for edge in (slice(-1, None), slice(0, 1)):
        for op, value in part.data[edge]:
            if str(op) in _PLAIN and cast("_Repeat", value)[0] < _FEW:
                low, _, body = cast("_Repeat", value)
                part.data[edge] = body.data * low
    return part


def _starts(part: sre_parse.SubPattern) -> int:
    """Return at how many places a part may begin to match."""
    is_anchored = [(str(op), str(value)) for op, value in part.data[:1]] == [("AT", "AT_BEGINNING")]
    return 1 if is_anchored and not part.state.flags & re.MULTILINE else LONGEST


def _ways(part: sre_parse.SubPattern, is_alone: bool) -> int:
    """Return an upper bound of the ways in which a part can match at one position.

    A repeat has one way to end if the character after it cannot be part of the repeat.  It then reads its text once,
    as long as neither the parts before it nor those beside it have several ways.
    """
    ways = 1
    for at, (op, value) in enumerate(part.data):
        name = str(op)
        if name.startswith("GROUPREF"):
            raise _Refused("refers to another group")
        if name in _REPEATS:
            low, high, body = cast("_Repeat", value)
            is_sure = is_alone and ways == 1 and _ends_once(body, part.data[at + 1 : at + 2])
            ways *= 1 if is_sure else _ways_of_repeat(low, high, body, is_alone and ways == 1)
        elif name == "BRANCH":
            ways *= sum(_ways(body, False) for body in _bodies(value))
        else:
            for body in _bodies(value):
                ways *= _ways(body, is_alone and ways == 1 and name == "SUBPATTERN")
    return min(ways, _STEPS + 1)


def _ways_of_repeat(low: int, high: int, body: sre_parse.SubPattern, is_alone: bool) -> int:
    each = 1 if is_alone and _ways(body, True) == 1 else _ways(body, False)
    width = body.getwidth()[0]
    if high > 1 and width == 0:
        raise _Refused("repeats a part that may be empty")
    high = min(high, LONGEST // max(1, width))
    if each == 1:
        return max(1, high - low + 1)
    ways = 0
    for times in range(low, high + 1):
        ways += each ** min(times, 32)
        if ways > _STEPS:
            raise _Refused("repeats a part that can match in several ways")
    return max(1, ways)


def _ends_once(body: sre_parse.SubPattern, following: Sequence[tuple[object, object]]) -> bool:
    """Whether a repeated character cannot be the one that follows."""
    if not following or str(following[0][0]) != "LITERAL" or [str(op) for op, _ in body.data][1:]:
        return False
    return str(body.data[0][0]) in _SINGLE and not sre_compile.compile(body, _FLAGS).match(
        chr(cast("int", following[0][1]))
    )


def _span(part: sre_parse.SubPattern) -> int:
    """Return how many characters the ranges of a part hold."""
    total = 0
    for op, value in part.data:
        if str(op) == "IN":
            ranges = [item for kind, item in cast("_Class", value) if str(kind) == "RANGE"]
            total += sum(last - first for first, last in ranges)
        total += sum(_span(body) for body in _bodies(value))
    return total


def _bodies(value: object) -> Iterator[sre_parse.SubPattern]:
    """Yield what stands within a group, a repeat, a choice or an assertion."""
    if isinstance(value, sre_parse.SubPattern):
        yield value
    elif isinstance(value, (tuple, list)):
        for each in value:
            yield from _bodies(each)
