"""Joins mentions and events of the same evidence: a kill that the killer itself logged counts once."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, chain, islice

from oomtop.frozen import replace
from oomtop.oomlog.event import OomEvent
from oomtop.oomlog.mentions.mention import KILL, Mention

_NEAR = 60.0
_OVERTAKEN = "Its process died, but by the kernel's OOM killer, whose kill is an event of its own."
_MOST = 500
"""Events that a mention is compared with: of a log that anybody wrote there may be 10,000 of each."""


def join_mentions(events: Sequence[OomEvent], mentions: Iterable[Mention]) -> tuple[Mention, ...]:
    """Return the mentions with the event that each is about.

    A line of the kernel's OOM reaper about the victim of an event is left out: the event has it already.
    """
    said = tuple(mentions)
    if not said:
        return ()
    index = _Index(events)
    joined = (replace(mention, event=index.event_of(mention)) for mention in said)
    return tuple(mention for mention in joined if mention.event is None or mention.by != "kernel-reaper")


def settle(events: Sequence[OomEvent]) -> tuple[OomEvent, ...]:
    """Return the events, each death in one of them.

    Where the kernel killed a process that a daemon had just signalled, the daemon's event gets the outcome `sent`.
    """
    if all(event.killer == "kernel" for event in events):
        return tuple(events)
    deaths: dict[int, _Deaths] = defaultdict(_Deaths)
    for kill in events:
        for pid in _pids(kill) if kill.killer == "kernel" and kill.victim is not None else ():
            deaths[pid].add(kill)
    for death in deaths.values():
        death.times.sort()
    return tuple(
        replace(event, outcome="sent", notes=(*event.notes, _OVERTAKEN))
        if event.killer != "kernel" and event.outcome == "killed" and _is_overtaken(event, deaths)
        else event
        for event in events
    )


def confirm(events: Sequence[OomEvent], mentions: Iterable[Mention]) -> tuple[OomEvent, ...]:
    """Return the events, with those as kills whose cgroup systemd-oomd marked and whose processes systemd saw die."""
    said = {mention.event: mention for mention in mentions if "systemd-oomd killed" in mention.text}
    return tuple(
        replace(event, outcome="killed", processes_killed=said[at].count)
        if at in said and (event.killer, event.outcome) == ("systemd-oomd", "sent")
        else event
        for at, event in enumerate(events)
    )


class _Deaths:
    """When the kernel killed a pid, and in which logs."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self._undated: set[str | None] = set()
        self._sources: set[str | None] = set()

    def add(self, kill: OomEvent) -> None:
        """Take a kill in."""
        self._sources.add(kill.source)
        if kill.time is None:
            self._undated.add(kill.source)
        else:
            self.times.append(kill.time)

    def is_near(self, event: OomEvent) -> bool:
        """Whether one can be of an event's moment; without a date, whether one is of its log."""
        if event.time is None:
            return event.source in self._sources
        at = bisect_left(self.times, event.time - _NEAR)
        return event.source in self._undated or (at < len(self.times) and self.times[at] <= event.time + _NEAR)


def _is_overtaken(event: OomEvent, deaths: dict[int, _Deaths]) -> bool:
    return event.victim is not None and event.victim.pid in deaths and deaths[event.victim.pid].is_near(event)


class _Index:
    """The events of some logs by pid, time, log and cgroup."""

    def __init__(self, events: Sequence[OomEvent]) -> None:
        self._events = events
        self._by_pid: dict[int, list[int]] = defaultdict(list)
        self._of_source: dict[str | None, list[int]] = defaultdict(list)
        self._undated: dict[str | None, list[int]] = defaultdict(list)
        for at, event in enumerate(events):
            self._of_source[event.source].append(at)
            if event.time is None:
                self._undated[event.source].append(at)
            for pid in _pids(event):
                self._by_pid[pid].append(at)
        dated = sorted((event.time, at) for at, event in enumerate(events) if event.time is not None)
        self._times, self._dated = [time for time, _ in dated], [at for _, at in dated]
        groups = [_groups(event) + "\n" for event in events]
        self._groups = "".join(groups)
        self._ends = list(accumulate(map(len, groups)))

    def event_of(self, mention: Mention) -> int | None:
        """Return the place of the event that a mention is about: by pid, else by unit or container, else by time."""
        if mention.kind != KILL:
            return None
        if mention.pid is not None:
            return next(self._possible(mention, self._by_pid.get(mention.pid, ())), None)
        of_group = self._possible(mention, self._with(mention.subject) if mention.subject else ())
        near = sorted(of_group) or sorted(self._possible(mention, self._near(mention)))
        return min(near, key=lambda at: _distance(self._events[at], mention), default=None)

    def _possible(self, mention: Mention, places: Iterable[int]) -> Iterator[int]:
        return (at for at in islice(places, _MOST) if _may_be(self._events[at], mention))

    def _near(self, mention: Mention) -> Iterable[int]:
        if mention.time is None:
            return self._of_source.get(mention.source, ())
        first, last = bisect_left(self._times, mention.time - _NEAR), bisect_right(self._times, mention.time + _NEAR)
        now = bisect_left(self._times, mention.time, first, last)
        nearest = slice(max(first, now - _MOST // 3), min(last, now + _MOST // 3))
        return chain(self._dated[nearest], self._undated.get(mention.source, ()))

    def _with(self, subject: str) -> Iterator[int]:
        """Yield the places of the events whose cgroup has a unit or container in its path."""
        start = self._groups.find(subject)
        while start >= 0:
            at = bisect_right(self._ends, start)
            yield at
            start = self._groups.find(subject, self._ends[at])


def _groups(event: OomEvent) -> str:
    return f"{event.victim_cgroup or ''} {event.task_memcg or ''}"


def _may_be(event: OomEvent, mention: Mention) -> bool:
    """Whether both can be of one moment and one machine; without dates, whether they are of one log."""
    if event.outcome in ("dry-run", "failed"):
        return False
    if event.host and mention.host and event.host != mention.host:
        return False
    if event.time is None or mention.time is None:
        return event.source == mention.source
    return abs(event.time - mention.time) <= _NEAR


def _distance(event: OomEvent, mention: Mention) -> float:
    return 0.0 if event.time is None or mention.time is None else abs(event.time - mention.time)


def _pids(event: OomEvent) -> frozenset[int]:
    victim = () if event.victim is None else (event.victim.pid,)
    return frozenset((*victim, *(other.pid for other in event.other_victims)))
