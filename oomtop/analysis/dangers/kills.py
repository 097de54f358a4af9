"""Past kills at each limit, newest first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from oomtop.analysis.model.danger import PastKill
from oomtop.analysis.postmortem.zones import nodes_of
from oomtop.history import RAM
from oomtop.host.node_domains import subject_of_nodes
from oomtop.host.numa import parse_nodes
from oomtop.oomlog.event import OomEvent

_KEPT = 20
_COUNTED_LATE = 12.0
"""Seconds by which a counter is read after its kill: at most a tick."""


def kills_by_subject(events: Iterable[OomEvent]) -> Mapping[str, tuple[PastKill, ...]]:
    """Return the dated kernel kills by the subject whose limit was hit, newest first like `events`."""
    found: dict[str, list[PastKill]] = defaultdict(list)
    for event in events:
        subject = _subject(event)
        if subject is None or event.time is None or event.victim is None or len(found[subject]) >= _KEPT:
            continue
        found[subject].append(PastKill(event.time, event.victim.pid, event.victim.name, event.victim.anon_rss))
    return {subject: tuple(kills) for subject, kills in found.items()}


def with_counted(
    told: Mapping[str, tuple[PastKill, ...]], counted: Mapping[str, Iterable[float]]
) -> Mapping[str, tuple[PastKill, ...]]:
    """Add kills known only from a counter: without a kernel log the victim is unknown."""
    times = [kill.time for kills in told.values() for kill in kills]
    merged = dict(told)
    for subject, seen in counted.items():
        unknown = [PastKill(at, None, "a process", None) for at in seen if not _is_told(at, times)]
        if unknown:
            both = (*merged.get(subject, ()), *unknown)
            merged[subject] = tuple(sorted(both, key=lambda kill: kill.time, reverse=True)[:_KEPT])
    return merged


def _is_told(counted: float, times: Iterable[float]) -> bool:
    return any(-1.0 <= counted - time <= _COUNTED_LATE for time in times)


def _subject(event: OomEvent) -> str | None:
    if event.killer != "kernel":
        return None
    if event.type == "memcg":
        return event.oom_memcg
    if event.type in ("mempolicy", "global-cpuset"):
        nodes = parse_nodes(nodes_of(event) or "")
        return subject_of_nodes(nodes) if nodes else None
    return RAM if event.type == "global" else None
