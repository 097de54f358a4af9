"""One kill told twice is one event: by two logs, or by the kernel and by a daemon that only reports what it did."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from oomtop.frozen import replace
from oomtop.oomlog.event import OomEvent

_REPORTERS = frozenset({"kubelet", "containerd"})
_NEAR = 60.0
# printk's clock stands still while a machine sleeps, so a time computed from it may be late by hours.
_SAME_STAMP = 2.0
_SAME_BOOT = 86400.0


def join_reports(events: Iterable[OomEvent]) -> tuple[OomEvent, ...]:
    """Return the events without those of a reporter that tell of a kill which the kernel's own log tells too."""
    told = tuple(events)
    kernel = [event for event in told if event.killer == "kernel"]
    return tuple(event for event in told if event.killer not in _REPORTERS or not any(_same(event, k) for k in kernel))


def _same(report: OomEvent, kill: OomEvent) -> bool:
    """Whether both can be one kill: the same victim, or about the same time; without a date, the same log."""
    if report.victim is not None and kill.victim is not None:
        return report.victim.pid == kill.victim.pid
    if report.time is None or kill.time is None:
        return report.source == kill.source
    return abs(report.time - kill.time) <= _NEAR


def can_be_one(one: OomEvent, other: OomEvent) -> bool:
    """Whether two logs can tell the same kill: of the same victim by the same killer, at about the same time."""
    return _group(one) == _group(other) and abs((one.time or 0.0) - (other.time or 0.0)) <= _NEAR


def merge_logs(events: Iterable[OomEvent]) -> tuple[OomEvent, ...]:
    """Return the events of several logs of one machine, oldest first, each once and in its fullest telling."""
    groups: dict[tuple[object, ...], list[OomEvent]] = defaultdict(list)
    for event in events:
        told = groups[_group(event)]
        same = next((at for at, known in enumerate(told) if _is_same_event(known, event)), None)
        if same is None:
            told.append(event)
        else:
            told[same] = _fuller(told[same], event)
    found = [event for told in groups.values() for event in told]
    found.sort(key=lambda event: (event.time or 0.0, event.kernel_time or 0.0))
    return join_reports(found)


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
    return stamps[0] is not None and stamps[1] is not None and abs(stamps[0] - stamps[1]) <= _SAME_STAMP


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
