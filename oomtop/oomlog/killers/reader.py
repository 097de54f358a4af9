"""All killers but the kernel's OOM killer, each fed with every record."""

from __future__ import annotations

from collections.abc import Iterator

from oomtop.frozen import replace
from oomtop.oomlog.event import OomEvent
from oomtop.oomlog.killers import android, earlyoom, meta_oomd, nohang, systemd_oomd
from oomtop.oomlog.killers.story import Killer
from oomtop.oomlog.records import Record

_MODULES = (systemd_oomd, earlyoom, nohang, meta_oomd, android)
NEEDLE = b"|".join(module.NEEDLE for module in _MODULES)
"""An expression for the bytes of lines that begin a story; what it finds holds `oom`, `OOM` or `emory`."""
DAEMONS = frozenset(
    name for module in (systemd_oomd, earlyoom, nohang, meta_oomd) for name in module.PROGRAMS
)  # fmt: skip
"""Daemons that kill by themselves, by the names of their programs and of their units."""

_LONGEST = 8192
"""Characters of a line that are looked at: a cgroup's path has 4096 at most."""


class KillerReader:
    """Feeds on records and gives the kills; one reader per log."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._killers: tuple[Killer, ...] = (
            systemd_oomd.SystemdOomd(), earlyoom.Earlyoom(), nohang.Nohang(), meta_oomd.MetaOomd(), android.Android(),
        )  # fmt: skip

    def feed(self, record: Record) -> Iterator[OomEvent]:
        """Take one record in; yield the events that it ends."""
        text = record.text[:_LONGEST].rstrip()
        for killer in self._killers:
            for event in killer.feed(record, text):
                yield replace(event, source=self._source)

    def flush(self) -> tuple[OomEvent, ...]:
        """Return the events under way as far as they are known; they stay open for what follows."""
        return tuple(replace(event, source=self._source) for killer in self._killers for event in killer.flush())

    def finish(self) -> tuple[OomEvent, ...]:
        """Return the events under way; the log has ended."""
        return tuple(replace(event, source=self._source) for killer in self._killers for event in killer.finish())
