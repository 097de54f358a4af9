"""Sentences shared by the screen, the shell and alerts."""

from __future__ import annotations

from collections.abc import Sequence

from oomtop.analysis.model.assessment import EarlyKiller
from oomtop.analysis.model.danger import Confidence, Danger, DangerState
from oomtop.oomlog.event import OomEvent, Victim
from oomtop.units import format_about, format_bytes, format_rate, format_share

OF_THOSE_SEEN = "(of the visible processes)"
"""After a victim if others are hidden."""
NOT_SEEN = "unknown: the processes there are hidden"
"""Instead of a victim if all are hidden."""
WATCHED_ENOUGH = 10.0
_KILL_RECENT = 60.0


def describe_danger(item: Danger) -> str:
    """Describe a danger: `/web: 129M of 300M, full in 22s (20s to 24s) at +8.0M/s`."""
    return f"{item.name}: {describe_use(item)}"


def describe_use(item: Danger) -> str:
    """Describe the use of a limit and its forecast.

    The range is omitted if it equals the time; low confidence is "about".
    """
    size = f"{format_bytes(min(item.held, item.limit))} of {format_bytes(item.limit)}"
    if item.median is None or item.confidence is None:
        return f"{size}, {_without_time(item)}"
    when, earliest, latest = (format_about(seconds) for seconds in (item.median, item.earliest, item.latest))
    span = "" if earliest == when == latest else f" ({earliest} to {latest})"
    about = "about " if item.confidence is Confidence.LOW else ""
    at = f" at {format_rate(item.rate)}" if item.rate is not None and item.rate > 0 else ""
    return f"{size}, full in {about}{when}{span}{at}"


def _without_time(item: Danger) -> str:
    if item.state is DangerState.UNSTEADY:
        return f"growing unsteadily at {format_rate(item.rate)}" if (item.rate or 0) > 0 else "unsteady"
    if item.state is DangerState.AT_LIMIT and item.reclaims:
        return f"at its limit, reclaiming {item.reclaims:.0f} times a second"
    return str(item.state.value)


def describe_dying(item: Danger) -> str:
    """Describe the victims there: `oomtop-leak (pid 11289), frees 123M, when /web is full; then nginx (902)`."""
    victim = item.victim
    if item.state is DangerState.EMPTY:
        return f"{item.name} is empty"
    if victim is None:
        return f"no killable process in {item.name}"
    after = item.dying[1:2]
    link = "or" if item.near_tie else "then"
    then = "".join(f"; {link} {one.name} ({one.id.pid})" for one in after)
    when = f"when {item.name} is full"
    return f"{victim.name} (pid {victim.id.pid}){others_of(item)}, frees {format_bytes(victim.frees)}, {when}{then}"


def others_of(item: Danger) -> str:
    """Return how many die with the victim: ` with 3 others`; nothing where it dies alone."""
    count = len(item.dies_with)
    return f" with {count} other{'s' if count > 1 else ''}" if count else ""


def describe_rounds(item: Danger) -> str:
    """Describe a crash loop: `3 times in 58s, each 29s`."""
    rounds = item.rounds
    if rounds is None:
        return ""
    return f"{rounds.count} times in {format_about(rounds.span)}, each {format_about(rounds.each)}"


def describe_subject(dangers: Sequence[Danger], now: float, unread: float | None = None) -> str:
    """Describe the most urgent danger; `now` is Unix time, `unread` the age of a kill that is in no readable log.

    No all-clear in the first ten seconds, with a forecast, or in the minute after a kill.
    """
    if not dangers:
        return "no limit is known"
    first = dangers[0]
    if first.median is not None:
        return describe_danger(first)
    killed = max((kill for item in dangers for kill in item.kills[:1]), key=lambda kill: kill.time, default=None)
    if killed is not None and now - killed.time < _KILL_RECENT:
        limit = next(item for item in dangers if killed in item.kills)
        return f"killed {format_about(max(1.0, now - killed.time))} ago: {killed.name} at the limit of {limit.name}"
    if unread is not None and unread < _KILL_RECENT:
        return f"killed {format_about(max(1.0, unread))} ago: a process, by the kernel's count"
    watched = first.watched(now)
    if watched < WATCHED_ENOUGH:
        return f"watching for {format_about(max(1.0, watched))}; nearest: {_nearest(first)}"
    if first.state in (DangerState.AT_LIMIT, DangerState.UNSTEADY):
        return describe_danger(first)
    return f"no danger in {format_about(watched)} of watching; nearest: {_nearest(first)}, {_without_time(first)}"


def _nearest(item: Danger) -> str:
    return f"{item.name}, {format_share(item.share)} of {format_bytes(item.limit)}"


def describe_early_killer(item: EarlyKiller) -> str:
    """Describe what a daemon would do: `earlyoom kills python3 (pid 303) in 2m10s: available <= 1.5G`."""
    pid = f" (pid {item.victim.pid})" if item.victim else ""
    victim = f"{'kills' if item.sure else 'probably kills'} {item.victim_name or 'an unknown process'}{pid}"
    victim += " and its process group" if item.with_group else ""
    when = " now" if item.room == 0 else f" in {format_about(item.seconds)}" if item.seconds is not None else ""
    return f"{item.name} {victim}{when}: {item.condition}"


def deed_of(event: OomEvent) -> str:
    """Return what the killer did, as a verb followed by its victim."""
    if event.outcome == "sent" and event.victim is None and not event.attempts:
        return "chose to kill"
    if event.outcome == "sent" and event.attempts == 0:
        return "ran a command against"
    return _DEEDS.get(event.outcome or "killed", "killed")


_DEEDS = {
    "sent": "sent a signal to",
    "failed": "failed to kill",
    "dry-run": "would have killed (dry run)",
}


def _held(victim: Victim) -> str:
    if victim.anon_rss is None and victim.rss is not None:
        return f"{format_bytes(victim.rss)} resident"
    return format_bytes(victim.anon_rss)


def describe_event(event: OomEvent) -> str:
    """Describe an event: `kernel killed swarm 21671, 4.8M: limit of /batch, 300M`."""
    return f"{_deed(event)} (unverified: {event.unverified})" if event.unverified else _deed(event)


def _deed(event: OomEvent) -> str:
    where = _where(event)
    if event.victim is None and event.cgroup is not None:
        # A daemon that kills a whole cgroup does not name a process.
        why = f": {event.reason}" if event.reason else ""
        return f"{event.killer} {deed_of(event)} {event.cgroup}{why}"
    if event.victim is None:
        what = event.panic or ("found no process to kill" if event.no_killable_processes else "reported, no kill seen")
        return f"{event.killer} {what}{where}"
    victim = event.victim
    more = f" and {len(event.other_victims)} more" if event.other_victims else ""
    kind = "" if event.type == "memcg" else f" ({event.type})"
    return f"{event.killer} {deed_of(event)} {victim.name} {victim.pid}{more}, {_held(victim)}{kind}{where}"


def _where(event: OomEvent) -> str:
    """Return whose limit it was and how large, where it was one of a group."""
    if event.type != "memcg" or not event.victim_cgroup:
        return ""
    size = "" if event.memcg_limit is None else f", {format_bytes(event.memcg_limit)}"
    return f": limit of {event.victim_cgroup}{size}"
