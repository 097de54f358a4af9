"""OOM kills counted by killer and cgroup, each once, from events that may be told again and fuller."""

from __future__ import annotations

from collections.abc import Iterable

from oomtop.oomlog.event import OomEvent
from oomtop.oomlog.killers.reader import DAEMONS
from oomtop.units import printable

MAX_GROUPS = 50
OTHER = "other"
_MAX_KEYS = 10_000
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
        self.last: float | None = None
        """Unix time of the last kill known."""

    def add(self, events: Iterable[OomEvent]) -> None:
        """Count what is new in `events`; the fuller telling of a known event adds only what it adds."""
        for event in events:
            killed = _killed(event)
            series, known = self._seen.get(event.key, (None, 0))
            if series is None:
                series = self._series(event)
            if killed > known:
                self._counts[series] = self._counts.get(series, 0) + killed - known
                self._seen[event.key] = (series, killed)
            if killed and event.time is not None:
                self.last = max(self.last or 0.0, event.time)
        while len(self._seen) > _MAX_KEYS:
            del self._seen[next(iter(self._seen))]

    def expect(self, groups: Iterable[str]) -> None:
        """Begin the series of these groups at 0: `rate()` never sees the rise of a series that begins at 1."""
        for group in groups:
            if len(self._counts) >= _MAX_EXPECTED:
                return
            self._counts.setdefault(("kernel", printable(group)), 0)

    def counts(self) -> tuple[tuple[tuple[str, str], int], ...]:
        """Return ((killer, cgroup), processes killed) of every series, to be shown."""
        self._is_shown = True
        return tuple(self._counts.items())

    def _series(self, event: OomEvent) -> tuple[str, str]:
        own = event.killer, printable(event.victim_cgroup or "")
        if own in self._counts:
            return own
        if len(self._counts) < MAX_GROUPS:
            self._counts[own] = 0
            if not self._is_shown:
                return own
        return event.killer, OTHER


def _killed(event: OomEvent) -> int:
    if event.outcome not in ("killed", None):
        return 0
    if event.processes_killed is not None:
        return event.processes_killed
    return (event.victim is not None) + len(event.other_victims)
