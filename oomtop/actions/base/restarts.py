"""Whether systemd has started again what was ended: a look into `cgroup.procs` of its service for a short while.

systemd.service(5) ("RestartSec="): 100 ms after the end where the unit says nothing else.
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
    """Knows who was in the services before the action."""

    def __init__(self, context: ActionContext) -> None:
        self._context = context
        self._before = frozenset(process.id for process in context.processes)

    def wait_for(self, ended: Sequence[Process]) -> tuple[int, ...]:
        """Return the numbers of the processes that came in place of `ended`; waits only where one is of a service."""
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
