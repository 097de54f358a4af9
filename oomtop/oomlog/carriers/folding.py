r"""Messages that span several lines: pretty-printed JSON, the journal's export and verbose forms, broken lines.

journalctl(1) `-o json-pretty`, `-o export`, `-o verbose`; mail, terminals and web pages that wrap.
Sample lines: `	"MESSAGE" : "Out of memory: ..."`, `MESSAGE=Out of memory: ...`,
`Out of memory: Killed process 4833 (python) total-vm:1059548kB, anon-rss:830480k` before `B, file-rss:2796kB`
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import islice

from oomtop.oomlog.carriers.json_text import unwrap
from oomtop.oomlog.carriers.record import Record

_KEY = re.compile(r'"(?:[^"\\]|\\.){1,200}"\s*:(?=\s*[\[{])')
_BRACKETS = re.compile(r"[\s,\[\]{}]*$")
_FIELD = re.compile(r"^\s*(?P<key>_{0,2}[A-Z][A-Z0-9_]{1,63})=(?P<value>.*)$")
_VERBOSE = re.compile(r"^(?P<date>\S{2,12} \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6} \S{1,8}) \[s=[0-9a-f]{32};")
_DEEPEST = 24
_MOST_FIELDS = 400
_LONGEST = 1 << 16


class JsonLines:
    """Reads JSON that is spread over lines, an object at a time; damaged JSON is passed over."""

    def __init__(self) -> None:
        self._open: list[dict[str, object]] = []
        self._fresh: list[bool] = []
        """Whether an object under way has fields of its own."""

    @property
    def is_open(self) -> bool:
        """Whether an object is under way."""
        return bool(self._open)

    def feed(self, line: str) -> tuple[Record, ...] | None:
        """Take one line in; return the messages that end with it, None if it is no part of such JSON."""
        text = line.strip().rstrip(",")
        if len(line) > _LONGEST or not text or (not self._open and text[0] not in "{["):
            return None
        brackets = _KEY.sub("", text)
        if _BRACKETS.match(brackets):
            return tuple(record for mark in brackets for record in self._bracket(mark))
        data = _loaded("{" + text + "}") if self._open else None
        if isinstance(data, dict):
            self._open[-1].update(islice(data.items(), _MOST_FIELDS))
            self._fresh[-1] = True
            return ()
        strings = _loaded("[" + text + "]") if self._open else None
        if strings is None:
            self._open.clear()
            self._fresh.clear()
            return None
        return unwrap(strings) or ()

    def finish(self) -> tuple[Record, ...]:
        """Return the messages of an object that was cut off."""
        return tuple(record for _ in range(len(self._open)) for record in self._bracket("}"))

    def _bracket(self, mark: str) -> Iterator[Record]:
        if mark in "{[" and len(self._open) < _DEEPEST:
            # The fields of outer objects hold for inner ones, except the message.
            self._open.append(dict(self._open[-1]) if self._open else {})
            self._fresh.append(False)
        elif mark in "]}" and self._open:
            fields = self._open.pop()
            if self._fresh.pop():
                yield from unwrap(fields) or ()


def _loaded(text: str) -> object:
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value


class FieldLines:
    """Reads the journal's export and verbose forms, an entry at a time."""

    def __init__(self) -> None:
        self._fields: dict[str, object] = {}

    @property
    def is_open(self) -> bool:
        """Whether an entry is under way."""
        return bool(self._fields)

    def feed(self, line: str) -> tuple[Record, ...] | None:
        """Take one line in; return the messages that end with it, None where it is no part of an entry."""
        head = _VERBOSE.match(line)
        if head is not None:
            ended = self.finish()
            self._fields = {"timestamp": head["date"], "_TRANSPORT": ""}
            return ended
        field = _FIELD.match(line)
        if field is None:
            return self.finish() or None
        key = field["key"]
        ended = self.finish() if key == "__CURSOR" or self._fields.get(key) else ()
        if len(self._fields) < _MOST_FIELDS:
            self._fields[key] = field["value"]
        return ended

    def finish(self) -> tuple[Record, ...]:
        """Return the entry under way; it has ended."""
        fields, self._fields = self._fields, {}
        if "MESSAGE" not in fields:
            return ()
        return unwrap({key: value for key, value in fields.items() if value != ""}) or ()
