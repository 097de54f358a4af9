"""One kill told twice is one event, in its fullest telling."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import islice

from oomtop.frozen import replace
from oomtop.oomlog.event import OomEvent

_NEAR = 60.0
# printk's clock stands still while a machine sleeps, so a time computed from it may be late by hours.
_SAME_STAMP = 2.0
_SAME_BOOT = 86400.0
_FEW = 8
_MOST = 64
"""Events of one moment that one is compared with."""


def can_be_one(one: OomEvent, other: OomEvent) -> bool:
    """Whether two logs can tell the same kill: of the same victim by the same killer, at about the same time."""
    return _group(one) == _group(other) and abs((one.time or 0.0) - (other.time or 0.0)) <= _NEAR


def merge_logs(events: Iterable[OomEvent]) -> tuple[OomEvent, ...]:
    """Return the events of several logs of one machine, oldest first, each once and in its fullest telling."""
    return tuple(sorted(once(events), key=lambda event: (event.time or 0.0, event.kernel_time or 0.0)))


def once(events: Iterable[OomEvent]) -> tuple[OomEvent, ...]:
    """Return the events in their order, each once and in its fullest telling."""
    first: dict[tuple[object, ...], int] = {}
    """The place of the first event of each group, the only one of nearly all of 150,000 groups."""
    groups: dict[tuple[object, ...], _Tellings] = {}
    found: list[OomEvent] = []
    for event in events:
        key = _group(event)
        begun = first.setdefault(key, len(found))
        if begun == len(found):
            found.append(event)
            continue
        group = groups.get(key) or groups.setdefault(key, _Tellings(found[begun], begun))
        same = next((at for at in group.near(event) if _is_same_event(found[at], event)), None)
        if same is None:
            found.append(event)
            group.add(event, len(found) - 1)
        else:
            found[same] = _fuller(found[same], event)
            group.add(found[same], same)
    return tuple(found)


class _Tellings:
    """The places of a group's events by what two tellings of one have in common: a date, a stamp, the victim's line."""

    def __init__(self, first: OomEvent, at: int) -> None:
        self._few = [(first, at)]
        """The first events: each is compared with each, and most groups have no more."""
        self._places: dict[object, dict[int, None]] | None = None

    def add(self, event: OomEvent, at: int) -> None:
        """Note where an event is kept."""
        if self._places is None and len(self._few) < _FEW:
            self._few.append((event, at))
            return
        if self._places is None:
            self._places = defaultdict(dict)
            for first, place in self._few:
                self._note(self._places, first, place)
        self._note(self._places, event, at)

    @staticmethod
    def _note(places: dict[object, dict[int, None]], event: OomEvent, at: int) -> None:
        for key, _ in _keys(event):
            places[key][at] = None

    def near(self, event: OomEvent) -> Iterable[int]:
        """Return the places of the events that may be the same, in order; of very many at one moment, some."""
        if self._places is None:
            return [at for _, at in self._few]
        near = {
            at
            for key, beside in _keys(event)
            for each in (key, *beside)
            for at in islice(self._places.get(each, ()), _MOST)
        }
        return sorted(near)


def _keys(event: OomEvent) -> Iterator[tuple[object, tuple[object, ...]]]:
    """Yield what an event is noted under, each with the keys beside it."""
    for kind, value, width in (("time", event.time, _NEAR), ("stamp", event.kernel_time, _SAME_STAMP)):
        if value is not None:
            place = int(value // width)
            yield (kind, place), ((kind, place - 1), (kind, place + 1))
    if event.victim is not None:
        yield ("victim", event.victim), ()


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
