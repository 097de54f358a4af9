"""Kernel kills that no readable log has: the kernel's count minus the kills read, and the last one.

/proc/vmstat `oom_kill` (4.13+) counts every process killed since boot, in cgroups too.  Sample line: `oom_kill 3`
"""

from __future__ import annotations

from collections.abc import Iterable

from oomtop.analysis.model.assessment import Assessment
from oomtop.oomlog.event import OomEvent

# The clock is set after the first messages of most boots.
_TOLERANCE = 60.0
_COUNTED_LATE = 12.0
"""Seconds by which a counter is read after its kill: at most a tick."""


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


def reads_kernel_log(assessment: Assessment) -> bool:
    """Whether kernel kills are read from a log."""
    return assessment.log_read and not any(problem.what == "kernel log" for problem in assessment.problems)


def unread_kill(assessment: Assessment) -> float | None:
    """Return the seconds since the newest kill if only the kernel's counter tells of it, else None."""
    age = assessment.pressure.last_kill_age
    newest = assessment.events[0].time if assessment.events else None
    is_told = newest is not None and age is not None and assessment.time - newest <= age + _COUNTED_LATE
    return None if is_told else age


def why_unread(assessment: Assessment) -> str:
    """Return why no log tells of a kill that was counted."""
    if not assessment.log_read:
        return "the kernel log is not read yet"
    return "no readable log has it" if reads_kernel_log(assessment) else "the kernel log cannot be read"
