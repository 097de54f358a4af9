"""The key `A`: an action on the danger of the strip, planned now, run once just before its limit is full."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable

from oomtop.actions.base.plan import Prepared
from oomtop.actions.base.requests import FreezeRequest, KillRequest, Limit, LimitRequest, Request
from oomtop.analysis.model.danger import Armed, Danger, DangerKind, Remedy
from oomtop.host.root import Root
from oomtop.snapshot import Snapshot
from oomtop.sources.room_watch import RoomWatch, Terms, wait_until_due
from oomtop.threads import begin
from oomtop.units import format_bytes, printable

BEFORE = 5.0
"""Seconds before the limit is full."""
SPAN = 3600.0
"""Seconds after which it is disarmed."""


def arm_choices(danger: Danger) -> list[tuple[str, Request]]:
    """Return what can be armed on a danger, in words, with the request that it makes."""
    found = []
    # Between ticks the headroom of cgroups and of the machine is read, but not that of a node.
    for remedy in () if danger.kind is DangerKind.NODE else danger.remedies:
        request = _request(danger, remedy)
        if request is not None:
            found.append((_words(danger, remedy), request))
    return found


def _request(danger: Danger, remedy: Remedy) -> Request | None:
    if remedy.action == "freeze" and remedy.target is not None:
        return FreezeRequest((remedy.target,))
    if remedy.action == "kill" and remedy.target is not None:
        return KillRequest((remedy.target,), signal.SIGTERM)
    if remedy.action == "limit" and remedy.size is not None:
        return LimitRequest(danger.subject, Limit.MAX, danger.limit + remedy.size)
    return None


def _words(danger: Danger, remedy: Remedy) -> str:
    if remedy.action == "limit":
        return f"raise the limit by {format_bytes(remedy.size)}"
    names = {one.id: one.name for one in danger.dying}
    verb = "freeze" if remedy.action == "freeze" else "SIGTERM to"
    pid = remedy.target.pid if remedy.target is not None else 0
    name = printable(names[remedy.target]) if remedy.target in names else ""
    return f"{verb} {pid} {name}".rstrip()


class ArmedAction:
    """One armed action: a thread that reads the limit and runs the action, or disarms it."""

    def __init__(
        self, prepared: Prepared, danger: Danger, facts: Snapshot, act: Callable[[Prepared], object],
        disarmed: Callable[[str], object],
    ) -> None:  # fmt: skip
        path = danger.subject if danger.kind is DangerKind.CGROUP else None
        limit = danger.limit if path is not None else danger.limit + (facts.meminfo.swap_total or 0)
        self._prepared = prepared
        self._watch = RoomWatch(Root(), facts.cgroup_layout, path, limit)
        self._terms = Terms(BEFORE, SPAN, danger.name, [target.id for target in prepared.plan.targets])
        self._act, self._disarmed = act, disarmed
        self._is_told_to_end = threading.Event()
        self.state = Armed(danger.subject, prepared.plan.title, BEFORE)
        self._thread = threading.Thread(target=self._run, name="oomtop-armed", daemon=True)

    def start(self) -> None:
        """Begin to watch.

        Raises:
            RuntimeError: this process may have no further thread.
        """
        begin(self._thread)

    def disarm(self) -> None:
        """Disarm it; an action that already runs is not stopped."""
        self._is_told_to_end.set()

    def _run(self) -> None:
        try:
            reason = wait_until_due(self._watch, self._terms, self._is_told_to_end.is_set, lambda left, rest: None)
        finally:
            self._watch.close()
        if reason is None:
            self._act(self._prepared)
        else:
            self._prepared.close()
        self._disarmed(reason or "")
