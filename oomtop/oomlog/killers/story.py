"""What a killer does to one process is one event: signals, escalation, and what became of the process."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar

from oomtop.frozen import replace
from oomtop.oomlog.event import OomEvent
from oomtop.oomlog.records import LOG_KERN, Record

_MOST_OPEN = 8
_TOGETHER = 120.0
"""Seconds within which signals to one pid are one story."""
_MAX_RAW = 60
_OF_ITS_LINE = ("time", "time_text", "unverified", "kernel_time", "host")
FRONT = r"^(?:.{0,200}?[\s:])?"
"""What may stand before a message that may itself be thousands of characters long."""


WORDS: set[str] = set()
"""A line without any of these words is of no interest to any killer."""


class Phrase:
    """An expression that is tried only on lines with one of some words: hardly any line of a log."""

    __slots__ = ("_pattern", "words")

    def __init__(self, expression: str, *words: str) -> None:
        """`words`: every text that the expression finds has one of them."""
        self._pattern, self.words = re.compile(expression), words
        WORDS.update(words)

    def search(self, text: str) -> re.Match[str] | None:
        """Return where the expression is found."""
        for word in self.words:
            if word in text:
                return self._pattern.search(text)
        return None


class Stories:
    """The events of one killer that later lines may still change, oldest first."""

    def __init__(self) -> None:
        self._open: dict[object, OomEvent] = {}

    def act(self, key: object, event: OomEvent, record: Record) -> Iterator[OomEvent]:
        """Begin a story about `key`, or continue it; yield those that have ended."""
        known = self._open.get(key)
        if known is not None and not _is_over(known, record):
            self._open[key] = replace(
                known,
                attempts=_count(known) + _count(event),
                # One that survived the last signal has survived until a line says otherwise.
                outcome=known.outcome if known.outcome == "failed" else event.outcome,
                reason=known.reason or event.reason,
                raw=(*known.raw, record.text)[:_MAX_RAW],
            )
            return
        if known is not None:
            yield self._open.pop(key)
        self._open[key] = dated(event, record)
        while len(self._open) > _MOST_OPEN:
            yield self._open.pop(next(iter(self._open)))

    def note(self, record: Record, key: object = None, outcome: str | None = None) -> None:
        """Add a line to the story about `key`, or to the last one; it may tell how the story ended."""
        if key is None and self._open:
            key = next(reversed(self._open))
        known = self._open.get(key)
        if known is not None and (record.text,) != known.raw[-1:]:
            self._open[key] = replace(known, outcome=outcome or known.outcome, raw=(*known.raw, record.text)[:_MAX_RAW])

    @property
    def last(self) -> OomEvent | None:
        """The story that began last."""
        return self._open[next(reversed(self._open))] if self._open else None

    def flush(self) -> tuple[OomEvent, ...]:
        """Return the stories under way; they stay open."""
        return tuple(self._open.values())

    def finish(self) -> tuple[OomEvent, ...]:
        """Return the stories under way and forget them."""
        ended = self.flush()
        self._open.clear()
        return ended


class Killer:
    """Reads the lines of one killer."""

    needle: ClassVar[bytes]
    """An expression for the bytes of lines that begin a story; what it finds holds `oom`, `OOM` or `emory`."""
    programs: ClassVar[tuple[str, ...]] = ()
    """The program and unit names of a daemon that kills by itself."""

    phrases_only: ClassVar[bool] = False
    """Whether it looks for nothing but `Phrase`s, so that it is only asked of lines with one of their words."""
    notes_dates: ClassVar[bool] = False
    """Whether it keeps the date of a record that says nothing else."""

    def __init__(self) -> None:
        self._stories = Stories()

    def feed(self, record: Record, text: str) -> Iterator[OomEvent]:
        """Take one record in; yield the events that it ends."""
        raise NotImplementedError

    def flush(self) -> tuple[OomEvent, ...]:
        """Return the events under way as far as they are known; they stay open."""
        return self._stories.flush()

    def finish(self) -> tuple[OomEvent, ...]:
        """Return the events under way; the log has ended."""
        return self._stories.finish()

    @property
    def counts_lines(self) -> bool:
        """Whether a kill is under way that any line, whatever it says, brings nearer to its end."""
        return False

    def is_from(self, record: Record) -> bool:
        """Whether a record is the daemon's own: by its tag, or untagged, as the daemon writes to its terminal."""
        is_bare = record.program == "kernel" and record.facility == LOG_KERN and record.kernel_time is None
        return record.program in self.programs or is_bare


KILLERS: list[type[Killer]] = []


def register(killer: type[Killer]) -> type[Killer]:
    """Class decorator: have every log read for this killer; the reader imports all modules of this package."""
    KILLERS.append(killer)
    return killer


def dated(event: OomEvent, record: Record) -> OomEvent:
    """Return an event with the time, the host and the text of the line that tells it."""
    return replace(event, raw=(*event.raw, record.text), **{name: getattr(record, name) for name in _OF_ITS_LINE})


def _count(event: OomEvent) -> int:
    return 1 if event.attempts is None else event.attempts


def _is_over(known: OomEvent, record: Record) -> bool:
    """Whether a signal to the same pid cannot belong to the story: the process is gone, or it is much later."""
    if known.outcome == "killed":
        return True
    if known.time is not None and record.time is not None:
        return abs(record.time - known.time) > _TOGETHER
    if known.kernel_time is not None and record.kernel_time is not None:
        return abs(record.kernel_time - known.kernel_time) > _TOGETHER
    return False
