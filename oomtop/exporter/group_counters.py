"""Counters of the limited cgroups, named so that `increase()` counts everything: no ranking, a beginning, an end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from prometheus_client.core import Metric

from oomtop.analysis.model.assessment import CgroupFigures
from oomtop.exporter.families import Sample, counter, label
from oomtop.host.pressure import Pressure

MOST = 500
"""How many cgroups are named; who comes later waits for a place."""
_COUNTERS: Mapping[str, tuple[str, Callable[[CgroupFigures], int | None]]] = {
    "oom_kills": ("Processes killed in it since it was created", lambda item: item.cgroup.events.oom_kill),
    "high_events": ("Times it was throttled above memory.high", lambda item: item.cgroup.events.high),
    "max_events": ("Times it hit its limit", lambda item: item.cgroup.events.max),
}


class GroupCounters:
    """Keeps the place of every limited group until it is gone, whatever its headroom is.

    A group that was made since the start begins at 0 for one scrape: `increase()` never sees what a series has when it
    begins.
    """

    def __init__(self) -> None:
        self._places: dict[tuple[str, str], bool] = {}
        """Its labels to whether a scrape has seen it."""
        self._groups: dict[tuple[str, str], CgroupFigures] = {}
        self._is_first = True

    def put(self, groups: Iterable[CgroupFigures]) -> None:
        """Take the groups of now: those that are gone give up their place."""
        self._groups = {_labels(group): group for group in groups if group.cgroup.max is not None}
        self._places = {labels: seen for labels, seen in self._places.items() if labels in self._groups}
        for labels in self._groups:
            if len(self._places) < MOST:
                self._places.setdefault(labels, self._is_first)
        self._is_first = False

    def families(self) -> Iterator[Metric]:
        """Yield the counters, to be scraped."""
        named = [(labels, self._groups[labels], seen) for labels, seen in self._places.items()]
        for name, (text, read) in _COUNTERS.items():
            samples: list[Sample] = [(labels, _begun(read(group), seen)) for labels, group, seen in named]
            yield counter(f"cgroup_{name}", text, samples, ("cgroup", "name"))
        stalls: list[Sample] = [
            ((*labels, kind), _begun(total, seen))
            for labels, group, seen in named
            for kind, total in _stalls(group.cgroup.pressure)
        ]
        text = "Time its processes stalled on memory (PSI, cgroup v2)"
        yield counter("cgroup_pressure_stall_seconds", text, stalls, ("cgroup", "name", "kind"))
        self._places = dict.fromkeys(self._places, True)


def _labels(group: CgroupFigures) -> tuple[str, str]:
    return label(group.cgroup.path), label(group.name)


def _begun(value: float | None, seen: bool) -> float | None:
    return value if value is None or seen else 0.0


def _stalls(pressure: Pressure | None) -> Sequence[tuple[str, float]]:
    if pressure is None:
        return ()
    lines = (("some", pressure.some), ("full", pressure.full))
    return [(kind, line.total_us / 1e6) for kind, line in lines if line is not None]
