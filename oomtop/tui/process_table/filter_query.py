"""The filter language: a substring, `!regex`, or an expression over the fields.

Sample lines: `postgres`, `!^/usr/(s)?bin/java`, `rss>1g and user=root`, `swap>=100m or growth>1m`, `name~chrom`.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Mapping

from oomtop.analysis.model.assessment import ProcessRow
from oomtop.errors import expected
from oomtop.fields import FIELDS, FieldUnit, ProcessField, number_of, text_of
from oomtop.tui.process_table.filter_regex import Allowance, FilterError, Regex

Predicate = Callable[[ProcessRow], bool]
_Text = Callable[[ProcessRow], str]
_Number = Callable[[ProcessRow], "float | None"]

# Enough of a command to search; it may be 4 MB.
_MAX_TEXT = 4096
_LONGEST = 500
"""Maximum length of a filter; a longer one was pasted by mistake."""


def _command(row: ProcessRow) -> str:
    return (row.process.command or row.process.comm)[:_MAX_TEXT]


_SCALES = {FieldUnit.GROWTH: 60.0, FieldUnit.OF_MEMORY: 100.0, FieldUnit.OF_CPU: 100.0}


def _text(field: ProcessField) -> _Text:
    return _command if field.id == "command" else text_of(field)


def _number(field: ProcessField) -> _Number:
    read, scale = number_of(field), _SCALES.get(field.unit)
    if scale is None:
        return read
    factor = scale
    return lambda row: None if (value := read(row)) is None else value * factor


_TEXTS: Mapping[str, _Text] = {
    name: _text(field) for field in FIELDS if field.unit is FieldUnit.TEXT for name in field.filter_names
}
_NUMBERS: Mapping[str, _Number] = {
    name: _number(field) for field in FIELDS if field.unit is not FieldUnit.TEXT for name in field.filter_names
}
FILTER_NAMES: tuple[str, ...] = (*_NUMBERS, *_TEXTS)
"""Every name an expression may use; sizes in bytes, `growth` per minute, `share` and `cpu` in per cent."""

_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    ">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le, "=": operator.eq, "!=": operator.ne,
}  # fmt: skip
_SIZES = {"": 1, "b": 1, "%": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
# Patterns as text, compiled on the first use of a filter.
_VALUE = r"(?i)([+-]?\d+(?:\.\d+)?)([bkmgt%]?)(?:ib|b)?"
_TOKEN = r"""\s*(?:(?P<paren>[()])|(?P<op>>=|<=|!=|[<>=~])|"(?P<quoted>[^"]*)"|(?P<word>[^\s()<>=~!"]+))"""
_LOOKS_LIKE_EXPRESSION = r"(?i)[\s(]*(?:not\s+)?[\s(]*[a-z_+]+\s*(?:>=|<=|!=|[<>=~])"


def parse(text: str, budget: Allowance | None = None) -> Predicate:
    """Parse `text` into a predicate; an empty text matches everything.

    Its regular expressions share `budget`.

    Raises:
        FilterError: the text is an invalid expression or regular expression.
    """
    text = text.strip()
    if len(text) > _LONGEST:
        raise FilterError(f"a filter has at most {_LONGEST} characters, this one has {len(text)}")
    budget = budget or Allowance()
    if text.startswith("!"):
        return _matching(text[1:], budget)
    if re.match(_LOOKS_LIKE_EXPRESSION, text):
        return _expression(text, budget)
    return containing(text.strip('"'))


def parse_for(rows: Iterable[ProcessRow], text: str) -> Predicate:
    """Parse `text` into a predicate, tried on the rows it is for.

    Raises:
        FilterError: as `parse`, or these rows make it too slow.
    """
    budget = Allowance()
    accept = parse(text, budget)
    for row in rows:
        accept(row)
    if budget.was_spent:
        raise FilterError("the processes of this machine make this regular expression too slow")
    return accept


def _expression(text: str, budget: Allowance) -> Predicate:
    try:
        return _Parser(text, budget).parse()
    except RecursionError:
        raise FilterError("parentheses are nested too deeply") from None


def containing(text: str) -> Predicate:
    """Return whether a row has `text` in its command, name, user, unit or pid, ignoring case."""
    wanted = text.lower()
    if not wanted:
        return lambda row: True
    return lambda row: wanted in haystack(row).lower()


def haystack(row: ProcessRow) -> str:
    """Return the searchable text of a row, one part per line."""
    process = row.process
    command = (process.command or "")[:_MAX_TEXT]
    return f"{process.id.pid}\n{row.user}\n{process.comm}\n{row.unit or ''}\n{command}"


def _matching(text: str, budget: Allowance) -> Predicate:
    regex = Regex(text, budget)
    return lambda row: any(regex.is_in(part) for part in haystack(row).split("\n", 4))


class _Parser:
    """`or` over `and` over `not` over comparisons and parentheses."""

    def __init__(self, text: str, budget: Allowance) -> None:
        self._tokens = _tokens(text)
        self._budget = budget
        self._at = 0

    def parse(self) -> Predicate:
        result = self._either()
        if self._at < len(self._tokens):
            raise FilterError(f"expected 'and' or 'or' before {self._tokens[self._at][1]!r}")
        return result

    def _either(self) -> Predicate:
        left = self._both()
        while self._accept("or"):
            left = _or(left, self._both())
        return left

    def _both(self) -> Predicate:
        left = self._negated()
        while self._accept("and"):
            left = _and(left, self._negated())
        return left

    def _negated(self) -> Predicate:
        if self._accept("not"):
            return _not(self._negated())
        if self._accept("("):
            inner = self._either()
            if not self._accept(")"):
                raise FilterError("a parenthesis is not closed")
            return inner
        return self._comparison()

    def _comparison(self) -> Predicate:
        kind, name = self._next("a field such as rss")
        if kind != "word" or name.lower() not in FILTER_NAMES:
            raise FilterError(f"unknown field {name!r}; {expected(name.lower(), FILTER_NAMES)}")
        kind, symbol = self._next(f"a comparison after {name!r}")
        if kind != "op":
            raise FilterError(f"expected one of > >= < <= = != ~ after {name!r}, not {symbol!r}")
        kind, value = self._next(f"a value after {name}{symbol}")
        if kind not in ("word", "quoted"):
            raise FilterError(f"expected a value after {name}{symbol}, not {value!r}")
        name = name.lower()
        if name in _NUMBERS:
            return _compare_number(_NUMBERS[name], name, symbol, value)
        if symbol == "~":
            regex = Regex(value, self._budget)
            return lambda row: regex.is_in(_TEXTS[name](row))
        return _compare_text(_TEXTS[name], name, symbol, value)

    def _next(self, expected: str) -> tuple[str, str]:
        if self._at >= len(self._tokens):
            raise FilterError(f"expected {expected}, but the filter ends here")
        self._at += 1
        return self._tokens[self._at - 1]

    def _accept(self, word: str) -> bool:
        if self._at < len(self._tokens):
            kind, text = self._tokens[self._at]
            if kind in ("word", "paren") and text.lower() == word:
                self._at += 1
                return True
        return False


def _tokens(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    at, token = 0, re.compile(_TOKEN)
    while at < len(text):
        match = token.match(text, at)
        if match is None:
            raise FilterError(f"cannot read {text[at:].strip()!r}")
        found.append((match.lastgroup or "", match[match.lastgroup or 0]))
        at = match.end()
    return found


def _compare_number(get: _Number, name: str, symbol: str, value: str) -> Predicate:
    match = re.fullmatch(_VALUE, value)
    if match is None or symbol == "~":
        raise FilterError(f"expected a number after {name}, such as {name}>100m, not {symbol}{value}")
    limit = float(match[1]) * _SIZES[match[2].lower()]
    compare = _COMPARE[symbol]

    def holds(row: ProcessRow) -> bool:
        known = get(row)
        return known is not None and compare(known, limit)

    return holds


def _compare_text(get: _Text, name: str, symbol: str, value: str) -> Predicate:
    wanted = value.lower()
    if symbol == "=":
        return lambda row: get(row).lower() == wanted
    if symbol == "!=":
        return lambda row: get(row).lower() != wanted
    raise FilterError(f"{name} is text: use = != or ~, not {symbol}")


def _or(left: Predicate, right: Predicate) -> Predicate:
    return lambda row: left(row) or right(row)


def _and(left: Predicate, right: Predicate) -> Predicate:
    return lambda row: left(row) and right(row)


def _not(inner: Predicate) -> Predicate:
    return lambda row: not inner(row)
