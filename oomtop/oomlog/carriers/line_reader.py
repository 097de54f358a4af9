"""`LineReader`: the records of a log's lines, including those that span several lines."""

from __future__ import annotations

import re
from collections.abc import Iterator

from oomtop.oomlog.carriers.folding import FieldLines, JsonLines
from oomtop.oomlog.carriers.prefixes import strip_fast
from oomtop.oomlog.carriers.record import Record
from oomtop.oomlog.carriers.wrapped import Wrapped, is_whole
from oomtop.oomlog.records import clean, parse_odd_line

# quoted-printable: no line of it is longer than 76 characters.
_SOFT_BREAK = range(60, 79)
_FIRST = re.compile(r'\s*(?:[{\["\]}]|_{0,2}[A-Z][A-Z0-9_]+=)|\S{2,12} \d{4}-')


class LineReader:
    """Turns lines into records; one reader per log."""

    def __init__(self, reference: float | None = None) -> None:
        self._reference = reference
        self._json, self._fields, self._wrapped = JsonLines(), FieldLines(), Wrapped()
        self._soft, self._line = "", ""

    def read(self, line: str) -> tuple[Record, ...]:
        """Return the records that a line holds, or ends."""
        self._line = line
        if self._soft or (line.endswith("=") and len(line) in _SOFT_BREAK):
            self._line, self._soft = self._soft + line, ""
            if line.endswith("=") and len(self._line) < 16 * _SOFT_BREAK.stop:
                self._soft = self._line[:-1]
                return ()
        is_inside = self._json.is_open or self._fields.is_open
        fast = None if is_inside else strip_fast(self._line, self._reference)
        return self._slowly(self._line, is_inside) if fast is None else (fast,)

    @property
    def is_waiting(self) -> bool:
        """Whether what was read so far goes on in the next line."""
        return bool(self._soft) or self._json.is_open or self._fields.is_open or self._wrapped.is_holding

    def release(self) -> Iterator[Record] | None:
        """Return the record that is held back, as the next line has a beginning of its own; None inside of an entry."""
        is_inside = bool(self._soft) or self._json.is_open or self._fields.is_open
        return None if is_inside else self._wrapped.finish()

    def join(self, records: tuple[Record, ...]) -> Iterator[Record]:
        """Yield the complete records: those of the last line, and the one held back."""
        is_whole = not self._wrapped.is_holding and len(records) == 1 and not _may_break(records[0].text)
        return iter(records) if is_whole else self._wrapped.feed(self._line, records)

    def _slowly(self, line: str, is_inside: bool) -> tuple[Record, ...]:
        if is_inside or _FIRST.match(line):
            text = clean(line)
            for reader in (self._fields, self._json):
                told = reader.feed(text)
                if told is not None:
                    return (*told, Record(text))
        return parse_odd_line(line, self._reference)

    def finish(self) -> Iterator[Record]:
        """Yield the incomplete rest at the end of the log."""
        if self._soft:
            yield from self._wrapped.feed(self._soft, self._slowly(self._soft, False))
        yield from self._wrapped.finish()
        yield from self._fields.finish()
        yield from self._json.finish()


def _may_break(text: str) -> bool:
    is_of_kind = "illed process" in text or "invoked oom" in text or "oom-kill:" in text or ": OOM" in text
    return is_of_kind and not is_whole(text)
