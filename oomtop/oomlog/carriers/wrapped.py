r"""Lines that a mail, a terminal or a web page broke in two, put together again where that makes sense of them.

Sample lines: `... Out of memory: Killed process 918703 (cnc_sim_gui)` before `  total-vm:238kB, ...`
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from oomtop.frozen import replace
from oomtop.oomlog.carriers.record import LOG_KERN, Record
from oomtop.oomlog.lines import KILLED, KNOWN, SELECTED, SUMMARY, TRIGGER

# What a broken line begins with, and the shape of the whole.
_SHAPES = (
    (re.compile(r".{0,80} invoked oom-"), TRIGGER),
    (re.compile(r"oom-kill:constraint="), SUMMARY),
    (re.compile(r"(?:Memory cgroup o|O)ut of memory[^:]{0,40}: Kill process"), SELECTED),
    (re.compile(r"(?:(?:Memory cgroup o|O)ut of memory[^:]{0,60}: )?(?:Killed proc|OOM ?(?:killed|$))"), KILLED),
)
_LAST = re.compile(r"(?:oom_score_adj[:=]-?\d{1,5}|,uid=-?\d{1,10}|or sacrifice child)$")
"""The end of a message that lacks nothing."""
_LONGEST_END = 24
_MOST = 6
_QUOTED = re.compile(r"^(?:[ \t]{0,8}> ?){1,9}")
_LONGEST = 4096


class Wrapped:
    """Holds a record back while the next lines may belong to it."""

    def __init__(self) -> None:
        self._held: Record | None = None
        self._shape: re.Pattern[str] | None = None
        self._joined = 0

    @property
    def is_holding(self) -> bool:
        """Whether a line waits for what follows it."""
        return self._held is not None

    def feed(self, line: str, records: tuple[Record, ...]) -> Iterator[Record]:
        """Take a line and what it was read as; yield the records that are whole."""
        if self._held is not None:
            joined = self._join(self._held, line, records)
            if joined is not None:
                self._held, self._joined = joined, self._joined + 1
                return
            yield from self.finish()
        for record in records:
            shape = _shape_of(record)
            if shape is None or record is not records[-1]:
                yield record
            else:
                self._held, self._shape, self._joined = record, shape, 0

    def finish(self) -> Iterator[Record]:
        """Yield the record that is held back."""
        held, self._held = self._held, None
        if held is not None:
            yield held

    def _join(self, held: Record, line: str, records: tuple[Record, ...]) -> Record | None:
        """Return both as one record if the line has no beginning of its own and adds something that was missing."""
        if self._shape is None or self._joined >= _MOST or len(held.text) > _LONGEST or any(map(_begins, records)):
            return None
        more = _QUOTED.sub("", line).rstrip("\r\n").rstrip(" ")
        before = _told(self._shape, held.text)
        for text in (held.text + more, f"{held.text.rstrip()} {more.lstrip()}"):
            if _told(self._shape, text) > before:
                return replace(held, text=text)
        # Nothing is whole yet: the break may be in the middle of a word that only the next line ends.
        return replace(held, text=held.text + more) if before == 0 and more and not more[0].isspace() else None


def _begins(record: Record) -> bool:
    is_dated = record.kernel_time is not None or record.time_text is not None
    return is_dated or record.program != "kernel" or KNOWN.match(record.text) is not None


def _shape_of(record: Record) -> re.Pattern[str] | None:
    """Return the shape of a message that may go on in the next line, None for a whole one."""
    if record.facility != LOG_KERN:
        return None
    text = record.text
    for begins, shape in _SHAPES:
        if begins.match(text):
            return None if is_whole(text) else shape
    return None


def is_whole(text: str) -> bool:
    """Whether a message ends as those do that lack nothing."""
    return _LAST.search(text, max(0, len(text) - _LONGEST_END)) is not None


def _told(shape: re.Pattern[str], text: str) -> int:
    """Return how many parts of a shape a text has; 0 if it does not fit."""
    match = shape.match(text)
    return 0 if match is None else 1 + sum(part is not None for part in match.groups())
