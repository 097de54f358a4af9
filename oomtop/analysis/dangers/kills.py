"""The kills that already happened at each limit, newest first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from oomtop.analysis.model.danger import PastKill
from oomtop.history import RAM
from oomtop.oomlog.event import OomEvent

_KEPT = 20


def kills_by_subject(events: Iterable[OomEvent]) -> Mapping[str, tuple[PastKill, ...]]:
    """Return the dated kills of the kernel, newest first as `events` are, by the subject whose limit was hit."""
    found: dict[str, list[PastKill]] = defaultdict(list)
    for event in events:
        subject = _subject(event)
        if subject is None or event.time is None or event.victim is None or len(found[subject]) >= _KEPT:
            continue
        found[subject].append(PastKill(event.time, event.victim.pid, event.victim.name, event.victim.anon_rss))
    return {subject: tuple(kills) for subject, kills in found.items()}


def _subject(event: OomEvent) -> str | None:
    if event.killer != "kernel":
        return None
    if event.type == "memcg":
        return event.oom_memcg
    return RAM if event.type == "global" else None
