"""Mentions and events of the same evidence brought together: a kill that the killer itself tells counts once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from oomtop.frozen import replace
from oomtop.oomlog.event import OomEvent
from oomtop.oomlog.mentions.mention import KILL, Mention

_NEAR = 60.0


def join_mentions(events: Sequence[OomEvent], mentions: Iterable[Mention]) -> tuple[Mention, ...]:
    """Return the mentions, each with the event it is about; the reaper's line about a victim goes into its event."""
    by_pid: dict[int, list[int]] = defaultdict(list)
    said = tuple(mentions)
    for at, event in enumerate(events if said else ()):
        for pid in _pids(event):
            by_pid[pid].append(at)
    joined = (replace(mention, event=_event_of(events, by_pid, mention)) for mention in said)
    return tuple(mention for mention in joined if mention.event is None or mention.by != "kernel-reaper")


def settle(events: Sequence[OomEvent]) -> tuple[OomEvent, ...]:
    """Return the events, with a signal that the kernel's own kill overtook as sent: there was one death."""
    kills = [event for event in events if event.killer == "kernel" and event.victim is not None]
    return tuple(
        replace(event, outcome="sent")
        if event.killer != "kernel" and event.outcome == "killed" and any(_is_overtaken(event, kill) for kill in kills)
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


def _is_overtaken(event: OomEvent, kill: OomEvent) -> bool:
    if event.victim is None or event.victim.pid not in _pids(kill):
        return False
    if event.time is None or kill.time is None:
        return event.source == kill.source
    return abs(event.time - kill.time) <= _NEAR


def _event_of(events: Sequence[OomEvent], by_pid: Mapping[int, Sequence[int]], mention: Mention) -> int | None:
    """Return the place of the event that a mention is about: by pid, else by unit or container, else by time."""
    if mention.kind != KILL:
        return None
    if mention.pid is not None:
        return next((at for at in by_pid.get(mention.pid, ()) if _may_be(events[at], mention)), None)
    near = [at for at, event in enumerate(events) if _may_be(event, mention)]
    of_group = [at for at in near if mention.subject and mention.subject in _groups(events[at])]
    return min(of_group or near, key=lambda at: _distance(events[at], mention), default=None)


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
