"""`ActionContext`: the facts that plans are made from."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from oomtop.actions.base.guard import Guard
from oomtop.actions.base.plan import Target
from oomtop.analysis.oom_score.badness import frees
from oomtop.errors import ActionRefused
from oomtop.frozen import field, frozen, replace
from oomtop.host.cgroup import Cgroup, CgroupLayout, is_inside
from oomtop.host.containers import name_of
from oomtop.host.meminfo import Meminfo
from oomtop.host.process import Process, ProcessId
from oomtop.host.root import Root
from oomtop.snapshot import Snapshot


@frozen
class ActionContext:
    """The facts at the time of the request; `prepare` reads the targets again."""

    processes: Sequence[Process]
    users: Callable[[int | None], str]
    units: Callable[[str | None], str | None]
    guard: Guard
    root: Root
    meminfo: Meminfo
    layout: CgroupLayout | None = None
    cgroups: Sequence[Cgroup] = field(default=())

    def require_layout(self) -> CgroupLayout:
        """Return the cgroup layout.

        Raises:
            ActionRefused: no memory controller is mounted.
        """
        if self.layout is None:
            raise ActionRefused("no memory controller is mounted")
        return self.layout

    def find(self, identity: ProcessId) -> Process | None:
        """Return the process as the last tick saw it."""
        return next((process for process in self.processes if process.id == identity), None)

    def members(self, path: str) -> tuple[Process, ...]:
        """Return the processes of a group and of the groups below it."""
        return tuple(process for process in self.processes if is_inside(process.cgroup, path.rstrip("/") or "/"))

    def target(self, process: Process) -> Target:
        """Return `process` as a target of a plan that leaves it alive: it frees nothing."""
        return Target(
            id=process.id,
            name=process.comm,
            command=process.command,
            user=self.users(process.euid),
            unit=self.units(process.cgroup),
            rss=process.rss,
            frees=None,
        )

    def victim(self, process: Process) -> Target:
        """Return `process` as a target of a plan that ends it, with what that frees."""
        return replace(self.target(process), frees=frees(process))


def context_of(snapshot: Snapshot, guard: Guard, root: Root) -> ActionContext:
    """Return the context for a snapshot."""
    user = users_of(snapshot)
    return ActionContext(
        processes=snapshot.processes,
        users=user,
        units=name_of,
        guard=replace(guard, users=user, root=root),
        root=root,
        meminfo=snapshot.meminfo,
        layout=snapshot.cgroup_layout,
        cgroups=snapshot.cgroups,
    )


def users_of(snapshot: Snapshot) -> Callable[[int | None], str]:
    """Return a function from uid to user name: the number if the name is unknown, a dash for None."""
    names = dict(snapshot.users)
    return lambda uid: "-" if uid is None else names.get(uid, str(uid))
