"""What becomes of processes after an action: who was still exiting ends at last, who was ended is started again.

Pure: it compares the ticks after the action with what the outcome said.  systemd restarts a service `RestartSec=`
after its end, 100 ms by default (systemd.service(5)), and tools of the user's own may take longer.
"""

from __future__ import annotations

from collections.abc import Sequence

from oomtop.actions.base.plan import Outcome, Target
from oomtop.frozen import frozen, replace
from oomtop.host.containers import name_of
from oomtop.host.process import Process, ProcessId
from oomtop.snapshot import Snapshot
from oomtop.units import format_bytes, printable

WATCHED_SECONDS = 120.0


@frozen
class Watch:
    """One process that is still expected to end, or to come again."""

    target: Target
    since: float
    """CLOCK_BOOTTIME, in seconds."""
    has_ended: bool
    known: frozenset[ProcessId]
    """Who was in its unit before it ended."""

    @property
    def name(self) -> str:
        """How it is called in a line."""
        return f"{self.target.id.pid} ({printable(self.target.name)})"


def watches_of(outcome: Outcome, facts: Snapshot) -> tuple[Watch, ...]:
    """Return whom to follow after `outcome`; `facts` are those of the last tick before it."""
    ended = (target for target in outcome.ended if is_service(target.unit) and not outcome.restarted)
    both = [*((target, True) for target in ended), *((target, False) for target in outcome.waiting)]
    return tuple(Watch(target, facts.monotonic, gone, _members(target.unit, facts)) for target, gone in both)


def follow(watches: Sequence[Watch], facts: Snapshot) -> tuple[tuple[str, ...], tuple[Watch, ...]]:
    """Return what is to be told of this tick, and whom to follow on."""
    lines: list[str] = []
    left: list[Watch] = []
    alive = {process.id: process for process in facts.processes}
    for watch in watches:
        process = alive.get(watch.target.id)
        if not watch.has_ended and (process is None or process.state in "ZX"):
            lines.append(f"{watch.name} exited at last, and held {format_bytes(watch.target.rss)}")
            watch = replace(watch, has_ended=True, since=facts.monotonic)
        fresh = _started_again(watch, facts) if watch.has_ended else None
        if fresh is not None:
            lines.append(f"{watch.name} was restarted by systemd as pid {fresh.pid}")
        elif facts.monotonic - watch.since < WATCHED_SECONDS and (not watch.has_ended or is_service(watch.target.unit)):
            left.append(watch)
    return tuple(lines), tuple(left)


def is_service(unit: str | None) -> bool:
    """Whether systemd may start it again."""
    return unit is not None and unit.endswith(".service")


def _members(unit: str | None, facts: Snapshot) -> frozenset[ProcessId]:
    if not is_service(unit):
        return frozenset()
    return frozenset(process.id for process in facts.processes if name_of(process.cgroup) == unit)


def _started_again(watch: Watch, facts: Snapshot) -> Process | None:
    """A process of the same unit and the same name that was not there before."""
    if not is_service(watch.target.unit):
        return None
    return next(
        (
            process
            for process in facts.processes
            if process.comm == watch.target.name
            and process.id not in watch.known
            and process.id.start_time > watch.target.id.start_time
            and name_of(process.cgroup) == watch.target.unit
        ),
        None,
    )
