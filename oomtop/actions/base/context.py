"""`ActionContext`: the facts that plans are made from."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from oomtop.actions.base.guard import Guard
from oomtop.actions.base.plan import Plan, Target
from oomtop.analysis.oom_score.badness import frees
from oomtop.errors import ActionRefused
from oomtop.frozen import field, frozen, replace
from oomtop.host.cgroup import Cgroup, CgroupLayout, is_inside
from oomtop.host.containers import name_of
from oomtop.host.meminfo import Meminfo
from oomtop.host.process import Process, ProcessId
from oomtop.host.root import Root
from oomtop.snapshot import Snapshot
from oomtop.units import format_bytes


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

    def as_shown(self, process: Process) -> Process:
        """Return a process that was read again, with the sizes of the last tick, which the screen shows as well."""
        seen = self.find(process.id)
        if seen is None:
            return process
        return replace(process, rss=seen.rss, rss_anon=seen.rss_anon, swap=seen.swap, page_tables=seen.page_tables)

    def renewed(self, plan: Plan) -> Plan:
        """Return an open plan with the sizes of its targets in these facts; what it does stays as it is."""
        known = {process.id: process for process in self.processes}
        targets = tuple(_renewed(target, known.get(target.id)) for target in plan.targets)
        if plan.frees is None or not targets:
            return replace(plan, targets=targets)
        total = sum(target.frees or 0 for target in targets)
        before, now = (f"frees up to {format_bytes(size)}" for size in (plan.frees, total))
        return replace(plan, targets=targets, frees=total, effect=plan.effect.replace(before, now))

    def victim(self, process: Process) -> Target:
        """Return `process` as a target of a plan that ends it, with what that frees."""
        return replace(self.target(process), frees=frees(process))


def _renewed(target: Target, process: Process | None) -> Target:
    if process is None:
        return target
    return replace(target, rss=process.rss, frees=None if target.frees is None else frees(process))


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
