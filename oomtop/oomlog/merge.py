"""One kill told twice is one event: daemons that only report what the kernel did are joined with the kernel's event."""

from __future__ import annotations

from collections.abc import Iterable

from oomtop.oomlog.event import OomEvent

_REPORTERS = frozenset({"kubelet", "containerd"})
_NEAR = 60.0


def join_reports(events: Iterable[OomEvent]) -> tuple[OomEvent, ...]:
    """Return the events without those of a reporter that tell of a kill which the kernel's own log tells too."""
    told = tuple(events)
    kernel = [event for event in told if event.killer == "kernel"]
    return tuple(event for event in told if event.killer not in _REPORTERS or not any(_same(event, k) for k in kernel))


def _same(report: OomEvent, kill: OomEvent) -> bool:
    """Whether both can be one kill: the same victim, or about the same time; without a date, the same log."""
    if report.victim is not None and kill.victim is not None:
        return report.victim.pid == kill.victim.pid
    if report.time is None or kill.time is None:
        return report.source == kill.source
    return abs(report.time - kill.time) <= _NEAR
