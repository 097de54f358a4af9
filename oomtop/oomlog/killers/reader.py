"""All killers but the kernel's OOM killer, each fed with every record."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from importlib import import_module

from oomtop.frozen import replace
from oomtop.oomlog import killers
from oomtop.oomlog.carriers.record import COMMENT, Record
from oomtop.oomlog.event import OomEvent
from oomtop.oomlog.killers.story import KILLERS

for _module in pkgutil.iter_modules(killers.__path__):
    import_module(f"{killers.__name__}.{_module.name}")
NEEDLE = b"|".join(killer.needle for killer in KILLERS)
"""The needles of all killers."""
DAEMONS = frozenset(name for killer in KILLERS for name in killer.programs)
"""Daemons that kill by themselves, by the names of their programs and of their units."""

_LONGEST = 8192
"""Characters of a line that are looked at: a cgroup's path has 4096 at most."""


class KillerReader:
    """Turns records into kills; one reader per log."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._killers = tuple(killer() for killer in KILLERS)

    def feed(self, record: Record) -> Iterator[OomEvent]:
        """Take one record in; yield the events that it ends."""
        text = record.text[:_LONGEST].rstrip()
        if COMMENT.match(text):
            return
        for killer in self._killers:
            for event in killer.feed(record, text):
                yield replace(event, source=self._source)

    @property
    def counts_lines(self) -> bool:
        """Whether a pending kill ends after a number of lines, whatever they say."""
        return any(killer.counts_lines for killer in self._killers)

    def flush(self) -> tuple[OomEvent, ...]:
        """Return the events under way as far as they are known; they stay open for what follows."""
        return tuple(replace(event, source=self._source) for killer in self._killers for event in killer.flush())

    def finish(self) -> tuple[OomEvent, ...]:
        """Return the events under way; the log has ended."""
        return tuple(replace(event, source=self._source) for killer in self._killers for event in killer.finish())
