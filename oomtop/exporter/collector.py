"""The collector of the registry: metric families of the latest assessment, made once a tick however many scrape."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable

from prometheus_client import ProcessCollector
from prometheus_client.core import CollectorRegistry, Metric
from prometheus_client.registry import Collector

from oomtop.analysis.model.assessment import Assessment
from oomtop.exporter.families import counter, families, gauge, label
from oomtop.exporter.group_counters import GroupCounters
from oomtop.exporter.kill_counts import LAST_LABELS, KillCounts


class LatestCollector(Collector):
    """Holds the latest assessment; `put` by the sampling thread, `collect` by the threads that answer scrapes."""

    def __init__(self, top: int) -> None:
        self._top = top
        self._lock = threading.Lock()
        self._kills = KillCounts()
        self._groups = GroupCounters()
        self._firing: tuple[tuple[str, bool], ...] = ()
        self._latest: Assessment | None = None
        self._made: tuple[Metric, ...] | None = None
        self._put_at: float | None = None

    def put(self, assessment: Assessment, firing: Iterable[tuple[str, bool]] = ()) -> None:
        """Show this assessment from now on, and whether each alert fires."""
        with self._lock:
            self._groups.put(assessment.cgroups)
            self._kills.expire((group.cgroup.path for group in assessment.cgroups), assessment.time)
            self._kills.expect(group.cgroup.path for group in assessment.cgroups if group.cgroup.max is not None)
            self._kills.add(assessment.events, assessment.time)
            self._latest, self._firing, self._made = assessment, tuple(firing), None
            self._put_at = time.monotonic()

    def is_fresh(self, seconds: float) -> bool:
        """Whether the latest assessment came within so many seconds."""
        with self._lock:
            return self._put_at is not None and time.monotonic() - self._put_at <= seconds

    def collect(self) -> Iterable[Metric]:
        """Return the families of the latest assessment, none before the first."""
        with self._lock:
            if self._latest is None:
                return ()
            if self._made is None:
                self._made = (*families(self._latest, self._top), *self._groups.families(), *self._own())
            return self._made

    def describe(self) -> Iterable[Metric]:
        """Return nothing: the registry asks for names at registration, when there is no sample yet."""
        return ()

    def _own(self) -> Iterable[Metric]:
        kills = self._kills
        by_group = [((label(killer), label(group)), float(count)) for (killer, group), count in kills.counts()]
        text = "Processes killed as the logs tell it, by killer and by the cgroup that was full"
        yield counter("oom_kills", text, by_group, ("killer", "cgroup"))
        yield gauge("last_oom_kill_timestamp_seconds", "Unix time of the last kill", [((), kills.last)])
        yield gauge(
            "last_oom_kill_info", "1 for the last kill, with killer, victim and cgroup", kills.last_kill(), LAST_LABELS
        )
        firing = [((label(name),), float(fires)) for name, fires in self._firing]
        yield gauge("alert_firing", "1 while a configured alert fires", firing, ("alert",))


def make_registry(collector: LatestCollector) -> CollectorRegistry:
    """Return a registry with this collector, and the exporter's own `process_*`."""
    registry = CollectorRegistry()
    registry.register(collector)
    # process_cpu_seconds_total and the others that every exporter has of itself.
    ProcessCollector(registry=registry)
    return registry
