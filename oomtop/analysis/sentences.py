"""Conclusions in words: the same sentence on the screen, in the shell and in an alert."""

from __future__ import annotations

from oomtop.analysis.model.assessment import Candidate, EarlyKiller, Exhaustion
from oomtop.oomlog.event import OomEvent
from oomtop.units import format_about, format_bytes, format_rate, format_share

OF_THOSE_SEEN = "(of the processes seen)"
"""Beside a victim where others are hidden."""


def describe_exhaustion(item: Exhaustion) -> str:
    """Return an outlook in words: `RAM: full in 4m10s (3m05s to 6m00s, high confidence) at +2.1M/s`.

    No range is given where it begins and ends at the time itself.
    """
    if item.rate is None:
        return f"{item.resource}: {format_bytes(item.headroom)} left, no trend yet"
    if item.seconds is None:
        return f"{item.resource}: {format_bytes(item.headroom)} left, not growing"
    when, earliest, latest = (format_about(seconds) for seconds in (item.seconds, item.earliest, item.latest))
    span = "" if earliest == when == latest else f"{earliest} to {latest}, "
    return f"{item.resource}: full in {when} ({span}{item.confidence.value} confidence) at {format_rate(item.rate)}"


def describe_early_killer(item: EarlyKiller) -> str:
    """Return what a daemon would do: `earlyoom ends python3 (pid 303) in 2m10s: available <= 1.5G`."""
    pid = f" (pid {item.victim.pid})" if item.victim else ""
    victim = f"{'ends' if item.sure else 'probably ends'} {item.victim_name or 'one that is not known'}{pid}"
    when = " now" if item.room == 0 else f" in {format_about(item.seconds)}" if item.seconds is not None else ""
    return f"{item.name} {victim}{when}: {item.condition}"


def describe_victim(item: Candidate) -> str:
    """Return the next victim in words: `java (pid 4711), score 41%, frees 3.1G`."""
    return f"{item.name} (pid {item.id.pid}), score {format_share(item.share)}, frees {format_bytes(item.frees)}"


def describe_event(event: OomEvent) -> str:
    """Return who was killed, by whom, what ran out: `kernel killed 116 (stress-ng) 64M anon: limit of /a`."""
    return f"{_deed(event)} (unverified: {event.unverified})" if event.unverified else _deed(event)


def _deed(event: OomEvent) -> str:
    where = f": limit of {event.victim_cgroup}" if event.type == "memcg" and event.victim_cgroup else ""
    if event.victim is None and event.cgroup is not None:
        # A daemon that kills a whole cgroup names no process.
        why = f": {event.reason}" if event.reason else ""
        return f"{event.killer} killed {event.cgroup}{why}"
    if event.victim is None:
        what = event.panic or ("found nobody to kill" if event.no_killable_processes else "reported, no kill seen")
        return f"{event.killer} {what}{where}"
    victim = event.victim
    more = f" and {len(event.other_victims)} more" if event.other_victims else ""
    kind = "" if event.type == "memcg" else f" ({event.type})"
    return (
        f"{event.killer} killed {victim.pid} ({victim.name}){more}, {format_bytes(victim.anon_rss)} anon{kind}{where}"
    )
