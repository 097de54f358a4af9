"""`KillerWatch`: reads the settings of running OOM daemons in the background."""

from __future__ import annotations

import time
from collections.abc import Iterable

from oomtop.host.killer_settings import KillerSettings, find_killers, read_killer
from oomtop.host.process import Process, ProcessId
from oomtop.host.root import Root
from oomtop.sources.slow_reads import Kept, SlowFacts

_SECONDS = 30.0
_PATIENCE = 0.1
_LOOK_SECONDS = 5.0
_Found = tuple[tuple[str, ProcessId], ...]


class KillerWatch:
    """Remembers what was read last; reads again every half minute, and when another daemon runs."""

    def __init__(self, root: Root, slow: SlowFacts) -> None:
        self._root = root
        self._found: _Found = ()
        self._looked_at = float("-inf")
        self._asked: _Found = ()
        self._asked_at = float("-inf")
        self._kept: Kept[tuple[KillerSettings, ...]] = Kept(slow, ())

    def killers(self, processes: Iterable[Process]) -> tuple[KillerSettings, ...]:
        """Return the daemons that run with what is known of them; waits a moment for the first answer only."""
        now = time.monotonic()
        if now - self._looked_at >= _LOOK_SECONDS:
            # Of 5,000 names: not on every tick, for what is started once a boot.
            self._looked_at, self._found = now, find_killers(processes)
        found = self._found
        is_new = found != self._asked
        if found and self._kept.is_idle and (is_new or now - self._asked_at > _SECONDS):
            self._asked, self._asked_at = found, now
            self._kept.begin(lambda: _read(self._root, found))
        known = {item.id: item for item in self._kept.take(_PATIENCE if is_new else 0.0)}
        return tuple(known.get(identity) or KillerSettings(name, identity) for name, identity in found)


def _read(root: Root, found: _Found) -> tuple[KillerSettings, ...]:
    return tuple(_read_one(root, name, identity) for name, identity in found)


def _read_one(root: Root, name: str, identity: ProcessId) -> KillerSettings:
    try:
        return read_killer(root, name, identity)
    except OSError:
        # Gone meanwhile, or not ours to read: that it runs is known, and nothing else.
        return KillerSettings(name, identity)
