"""Follows processes after an action: late exits, and restarts of killed processes.

Pure: compares the ticks after the action with its outcome.  systemd restarts a service `RestartSec=`
after its exit, 100 ms by default (systemd.service(5)); other supervisors may take longer.
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
    """One process that is expected to exit, or to be restarted."""

    target: Target
    since: float
    """CLOCK_BOOTTIME, in seconds."""
    has_ended: bool
    known: frozenset[ProcessId]
    """The members of its unit before it exited."""

    @property
    def name(self) -> str:
        """Its name and pid, for messages."""
        return f"{self.target.id.pid} ({printable(self.target.name)})"


def watches_of(outcome: Outcome, facts: Snapshot) -> tuple[Watch, ...]:
    """Return the processes to follow after `outcome`; `facts` are those of the last tick before it."""
    ended = (target for target in outcome.ended if is_service(target.unit) and not outcome.restarted)
    both = [*((target, True) for target in ended), *((target, False) for target in outcome.waiting)]
    return tuple(Watch(target, facts.monotonic, gone, _members(target.unit, facts)) for target, gone in both)


def follow(watches: Sequence[Watch], facts: Snapshot) -> tuple[tuple[str, ...], tuple[Watch, ...]]:
    """Return the messages for this tick, and the processes still to follow."""
    lines: list[str] = []
    left: list[Watch] = []
    alive = {process.id: process for process in facts.processes}
    for watch in watches:
        process = alive.get(watch.target.id)
        if not watch.has_ended and (process is None or process.state in "ZX"):
            lines.append(f"{watch.name} exited; it held {format_bytes(watch.target.rss)}")
            watch = replace(watch, has_ended=True, since=facts.monotonic)
        fresh = _started_again(watch, facts) if watch.has_ended else None
        if fresh is not None:
            lines.append(f"{watch.name} was restarted by systemd as pid {fresh.pid}")
        elif facts.monotonic - watch.since < WATCHED_SECONDS and (not watch.has_ended or is_service(watch.target.unit)):
            left.append(watch)
    return tuple(lines), tuple(left)


def is_service(unit: str | None) -> bool:
    """Whether systemd may restart it."""
    return unit is not None and unit.endswith(".service")


def _members(unit: str | None, facts: Snapshot) -> frozenset[ProcessId]:
    if not is_service(unit):
        return frozenset()
    return frozenset(process.id for process in facts.processes if name_of(process.cgroup) == unit)


def _started_again(watch: Watch, facts: Snapshot) -> Process | None:
    """Return a new process of the same unit and name."""
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
