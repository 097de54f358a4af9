"""Kernel kills that no readable log has: the kernel's count minus the kills read.

/proc/vmstat `oom_kill` (4.13+) counts every process killed since boot, in cgroups too.  Sample line: `oom_kill 3`
"""

from __future__ import annotations

from collections.abc import Iterable

from oomtop.oomlog.event import OomEvent

# The clock is set after the first messages of most boots.
_TOLERANCE = 60.0


def unlogged_kills(counted: int | None, events: Iterable[OomEvent], boot: float) -> int | None:
    """Return the number of kills since `boot` (Unix time) that no log has, None if the kernel does not count."""
    if counted is None:
        return None
    kills = (event for event in events if event.killer == "kernel" and event.victim is not None)
    found = sum(1 + len(event.other_victims) for event in kills if (event.time or 0.0) >= boot - _TOLERANCE)
    return max(0, counted - found)


def describe_unlogged(count: int | None) -> str:
    """Describe the number, empty for none: `3 kills are not in any readable log`."""
    if not count:
        return ""
    return f"{count} {'kill is' if count == 1 else 'kills are'} not in any readable log"
