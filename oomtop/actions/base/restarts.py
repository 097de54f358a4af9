"""Detects restarts by systemd: watches `cgroup.procs` of the service for a short time.

systemd.service(5) ("RestartSec="): by default 100 ms after the exit.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from oomtop.actions.base.cgroup_target import CgroupTarget, members
from oomtop.actions.base.context import ActionContext
from oomtop.host.process import Process, ProcessId

_PATIENCE = 1.0
_LOOK_SECONDS = 0.05


class Restarts:
    """Remembers the members of the services before the action."""

    def __init__(self, context: ActionContext) -> None:
        self._context = context
        self._before = frozenset(process.id for process in context.processes)

    def wait_for(self, ended: Sequence[Process]) -> tuple[int, ...]:
        """Return the pids that replaced `ended`; waits only if one belongs to a service."""
        groups = {p.cgroup: p.comm for p in ended if p.cgroup is not None and p.cgroup.endswith(".service")}
        if not groups or self._context.layout is None:
            return ()
        ids = {process.id for process in ended}
        deadline = time.monotonic() + _PATIENCE
        while True:
            found = tuple(pid for path, comm in groups.items() for pid in self._fresh(path, comm, ids))
            if found or time.monotonic() > deadline:
                return found
            time.sleep(_LOOK_SECONDS)

    def _fresh(self, path: str, comm: str, ended: set[ProcessId]) -> list[int]:
        layout = self._context.layout
        if layout is None:
            return []
        group = CgroupTarget(path, layout.memory_mount + path, layout.version)
        found = members(group, self._context.root)
        return [p.pid for p in found if p.comm == comm and p.id not in self._before and p.id not in ended]
