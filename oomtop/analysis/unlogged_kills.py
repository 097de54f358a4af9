"""Kernel kills counted against kernel kills read: what no readable log tells.

/proc/vmstat `oom_kill` (4.13+) counts every process killed since boot, in cgroups too.  Sample line: `oom_kill 3`
"""

from __future__ import annotations

from collections.abc import Iterable

from oomtop.oomlog.event import OomEvent

# The clock is set after the first messages of most boots.
_TOLERANCE = 60.0


def unlogged_kills(counted: int | None, events: Iterable[OomEvent], boot: float) -> int | None:
    """Return how many kills since `boot` (Unix time) are in no log, None where the kernel does not count them."""
    if counted is None:
        return None
    kills = (event for event in events if event.killer == "kernel" and event.victim is not None)
    found = sum(1 + len(event.other_victims) for event in kills if (event.time or 0.0) >= boot - _TOLERANCE)
    return max(0, counted - found)


def describe_unlogged(count: int | None) -> str:
    """Return the number in words, the empty text for none: `3 kills are in no log that can be read`."""
    if not count:
        return ""
    return f"{count} {'kill is' if count == 1 else 'kills are'} in no log that can be read"
