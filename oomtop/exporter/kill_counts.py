"""OOM kills counted by killer and cgroup, each once; an event may arrive again with more detail.

The collector writes their lines of `/metrics`.
"""

from __future__ import annotations

from collections.abc import Iterable

from oomtop.exporter.families import label
from oomtop.oomlog.event import OomEvent
from oomtop.oomlog.killers.reader import DAEMONS

MAX_GROUPS = 50
OTHER = "other"
_MAX_KEYS = 10_000
_KEPT_SECONDS = 3600.0
"""How long the count of a group that is gone is still told after its last kill."""
LAST_LABELS = ("killer", "cgroup", "process", "pid")
# The other half of the series is kept for groups that were really killed in.
_MAX_EXPECTED = MAX_GROUPS // 2


class KillCounts:
    """Counters that only rise: (killer, cgroup) to processes killed, at most `MAX_GROUPS` groups by name.

    `increase()` never sees the rise of a series that begins above 0.  Once the counts are scraped, the first kill in a
    group without a series is counted as one in `other`, and the series of the group begins at 0: the sum is right.
    """

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str], int] = {("kernel", ""): 0}
        self._counts.update({(killer, OTHER): 0 for killer in ("kernel", *sorted(DAEMONS))})
        self._is_shown = False
        self._seen: dict[tuple[object, ...], tuple[tuple[str, str], int]] = {}
        self._changed: dict[tuple[str, str], float] = {}
        """Unix time of the last change of a series."""
        self._last_kill: tuple[str, ...] = ()
        self.last: float | None = None
        """Unix time of the last kill known."""

    def add(self, events: Iterable[OomEvent], now: float = 0.0) -> None:
        """Count what is new in `events`; the fuller telling of a known event adds only what it adds."""
        for event in events:
            killed = _killed(event)
            series, known = self._seen.get(event.key, (None, 0))
            if series is None:
                series = self._series(event)
            if killed > known:
                self._counts[series] = self._counts.get(series, 0) + killed - known
                self._seen[event.key] = (series, killed)
                self._changed[series] = now
            if killed and event.time is not None and event.time >= (self.last or 0.0):
                self.last, self._last_kill = event.time, _last_labels(event)
        while len(self._seen) > _MAX_KEYS:
            del self._seen[next(iter(self._seen))]

    def expect(self, groups: Iterable[str]) -> None:
        """Begin the series of these groups at 0: `rate()` never sees the rise of a series that begins at 1."""
        for group in groups:
            if len(self._counts) >= _MAX_EXPECTED:
                return
            self._counts.setdefault(("kernel", label(group)), 0)

    def expire(self, groups: Iterable[str], now: float) -> None:
        """Make room once half of the places are taken: end the series of groups that are gone for an hour."""
        if len(self._counts) < _MAX_EXPECTED:
            return
        kept = {label(group) for group in groups} | {"", OTHER}
        for series in [one for one in self._counts if one[1] not in kept]:
            if now - self._changed.setdefault(series, now) > _KEPT_SECONDS:
                del self._counts[series], self._changed[series]

    def last_kill(self) -> tuple[tuple[tuple[str, ...], float], ...]:
        """Return the sample of the last kill with `LAST_LABELS`, none before the first."""
        return ((self._last_kill, 1.0),) if self._last_kill else ()

    def counts(self) -> tuple[tuple[tuple[str, str], int], ...]:
        """Return ((killer, cgroup), processes killed) of every series, to be shown."""
        self._is_shown = True
        return tuple(self._counts.items())

    def _series(self, event: OomEvent) -> tuple[str, str]:
        own = event.killer, label(event.victim_cgroup or "")
        if own in self._counts:
            return own
        if len(self._counts) < MAX_GROUPS:
            self._counts[own] = 0
            if not self._is_shown:
                return own
        return event.killer, OTHER


def _last_labels(event: OomEvent) -> tuple[str, ...]:
    name, pid = (event.victim.name, str(event.victim.pid)) if event.victim is not None else ("", "")
    return event.killer, label(event.victim_cgroup or ""), label(name), pid


def _killed(event: OomEvent) -> int:
    if event.outcome not in ("killed", None):
        return 0
    if event.processes_killed is not None:
        return event.processes_killed
    return (event.victim is not None) + len(event.other_victims)
