"""One kill told twice is one event, in its fullest telling."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from oomtop.frozen import replace
from oomtop.oomlog.event import OomEvent

_NEAR = 60.0
# printk's clock stands still while a machine sleeps, so a time computed from it may be late by hours.
_SAME_STAMP = 2.0
_SAME_BOOT = 86400.0


def can_be_one(one: OomEvent, other: OomEvent) -> bool:
    """Whether two logs can tell the same kill: of the same victim by the same killer, at about the same time."""
    return _group(one) == _group(other) and abs((one.time or 0.0) - (other.time or 0.0)) <= _NEAR


def merge_logs(events: Iterable[OomEvent]) -> tuple[OomEvent, ...]:
    """Return the events of several logs of one machine, oldest first, each once and in its fullest telling."""
    return tuple(sorted(once(events), key=lambda event: (event.time or 0.0, event.kernel_time or 0.0)))


def once(events: Iterable[OomEvent]) -> tuple[OomEvent, ...]:
    """Return the events in their order, each once and in its fullest telling."""
    groups: dict[tuple[object, ...], list[int]] = defaultdict(list)
    found: list[OomEvent] = []
    for event in events:
        places = groups[_group(event)]
        same = next((at for at in places if _is_same_event(found[at], event)), None)
        if same is None:
            places.append(len(found))
            found.append(event)
        else:
            found[same] = _fuller(found[same], event)
    return tuple(found)


def _group(event: OomEvent) -> tuple[object, ...]:
    if event.victim is not None:
        return event.killer, event.victim.pid
    return event.killer, event.cgroup, event.trigger.name if event.trigger else None, event.panic


def _is_same_event(one: OomEvent, other: OomEvent) -> bool:
    """Whether two tellings of the same victim can be one: the same stamp of printk, else about the same time."""
    stamps = one.kernel_time, other.kernel_time
    if one.time is not None and other.time is not None:
        near = abs(one.time - other.time)
        if stamps[0] is not None and stamps[1] is not None:
            return abs(stamps[0] - stamps[1]) <= _SAME_STAMP and near <= _SAME_BOOT
        return near <= _NEAR
    if stamps[0] is not None and stamps[1] is not None:
        return abs(stamps[0] - stamps[1]) <= _SAME_STAMP
    return _is_same_line(one, other)


def _is_same_line(one: OomEvent, other: OomEvent) -> bool:
    """Whether both have the same victim down to its sizes; a pid alone comes again."""
    return one.victim is not None and one.victim == other.victim and one.victim.total_vm is not None


def _fuller(one: OomEvent, other: OomEvent) -> OomEvent:
    first, second = sorted((one, other), key=_fullness, reverse=True)
    return replace(
        first,
        time=second.time if first.time is None else first.time,
        kernel_time=second.kernel_time if first.kernel_time is None else first.kernel_time,
        host=first.host or second.host,
    )


def _fullness(event: OomEvent) -> tuple[int, ...]:
    return event.complete, event.has_header, len(event.tasks), 1 + len(event.other_victims), len(event.raw)
