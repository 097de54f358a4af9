"""All killers but the kernel's OOM killer, each fed with every record."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from importlib import import_module

from oomtop.frozen import replace
from oomtop.oomlog import killers
from oomtop.oomlog.carriers.record import COMMENT, Record, has_any
from oomtop.oomlog.event import OomEvent
from oomtop.oomlog.killers.story import KILLERS, WORDS, Killer

for _module in pkgutil.iter_modules(killers.__path__):
    import_module(f"{killers.__name__}.{_module.name}")
NEEDLE = b"|".join(killer.needle for killer in KILLERS)
"""The needles of all killers."""
DAEMONS = frozenset(name for killer in KILLERS for name in killer.programs)
"""Daemons that kill by themselves, by the names of their programs and of their units."""

_WORDS = tuple(word for word in WORDS if not any(other in word for other in WORDS - {word}))
_LONGEST = 8192
"""Characters of a line that are looked at: a cgroup's path has 4096 at most."""


class KillerReader:
    """Turns records into kills; one reader per log."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._killers = tuple(killer() for killer in KILLERS)
        self._always = tuple(killer for killer in self._killers if not killer.phrases_only)
        self._dating = (*self._always, *(killer for killer in self._killers if killer.notes_dates))
        self._counting = [each for each in self._killers if type(each).counts_lines is not Killer.counts_lines]

    def feed(self, record: Record) -> Iterator[OomEvent]:
        """Take one record in; yield the events that it ends."""
        text = record.text[:_LONGEST].rstrip()
        if COMMENT.match(text):
            return
        killers = self._dating if _is_dated(record) else self._always
        if has_any(text, _WORDS) or self.counts_lines:
            killers = self._killers
        for killer in killers:
            for event in killer.feed(record, text):
                yield replace(event, source=self._source)

    @property
    def counts_lines(self) -> bool:
        """Whether a pending kill ends after a number of lines, whatever they say."""
        return any(killer.counts_lines for killer in self._counting)

    def flush(self) -> tuple[OomEvent, ...]:
        """Return the events under way as far as they are known; they stay open for what follows."""
        return tuple(replace(event, source=self._source) for killer in self._killers for event in killer.flush())

    def finish(self) -> tuple[OomEvent, ...]:
        """Return the events under way; the log has ended."""
        return tuple(replace(event, source=self._source) for killer in self._killers for event in killer.finish())


def _is_dated(record: Record) -> bool:
    """Whether a record may date the undated ones behind it, in a killer's own log."""
    is_dated = record.time_text is not None and record.kernel_time is None
    return is_dated and (record.program == "kernel" or record.program in DAEMONS)
