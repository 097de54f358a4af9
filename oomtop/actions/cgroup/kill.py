"""Kill a whole cgroup: `cgroup.kill` (v2, 5.14+), or SIGKILL to each member where that file is missing.

Documentation/admin-guide/cgroup-v2.rst ("cgroup.kill"): the kernel kills the tree, concurrent forks included.
"""

from __future__ import annotations

import os
import select
import signal as signals
import time
from collections.abc import Callable, Sequence
from functools import partial

from oomtop.actions.base.cgroup_target import CgroupTarget, find_group, members, require_allowed
from oomtop.actions.base.context import ActionContext
from oomtop.actions.base.kernel_file import KernelFile
from oomtop.actions.base.plan import Outcome, Plan, Status
from oomtop.actions.base.prepared import PreparedAction, refused
from oomtop.actions.base.requests import KillCgroupRequest, KillRequest
from oomtop.actions.process.kill import prepare_kill
from oomtop.analysis.oom_score.badness import frees
from oomtop.errors import ActionRefused
from oomtop.frozen import replace
from oomtop.host.process import Process
from oomtop.host.root import parse_counters, read_optional
from oomtop.units import format_bytes, printable

ACTION = "kill"


def prepare_kill_cgroup(request: KillCgroupRequest, context: ActionContext) -> PreparedAction:
    """Open the group's kill file, or its members, and plan the kill."""
    title = f"Kill all of {printable(request.path)}"
    try:
        group = find_group(context, request.path)
        processes = require_allowed(group, context, request.override)
        if not processes:
            raise ActionRefused("the group has no processes")
        if not os.path.exists(group.file("cgroup.kill")):
            inside = [replace(process, cgroup=group.path) for process in processes]
            return _each_member(request, group, replace(context, processes=inside), title)
        file = KernelFile(group.file("cgroup.kill"), "root, or the group delegated to you")
    except ActionRefused as refusal:
        return refused(ACTION, title, str(refusal))
    plan = _plan(title, group, processes, context)
    again = partial(require_allowed, group, context, request.override)
    return PreparedAction(plan, partial(_kill_now, request, group, file), [file], again)


def _each_member(request: KillCgroupRequest, group: CgroupTarget, context: ActionContext, title: str) -> PreparedAction:
    targets = tuple(process.id for process in context.processes)
    kill = KillRequest(targets, signals.SIGKILL, patience=request.patience, override=request.override)
    prepared = prepare_kill(kill, context, lambda known: members(group, context.root))
    prepared.plan = replace(prepared.plan, title=title)
    return prepared


def _plan(title: str, group: CgroupTarget, processes: Sequence[Process], context: ActionContext) -> Plan:
    known = [context.find(process.id) or process for process in processes]
    total = sum(frees(process) for process in known)
    return Plan(
        action=ACTION,
        title=title,
        steps=(f"write 1 to {printable(group.file('cgroup.kill'))}",),
        targets=tuple(context.victim(process) for process in known),
        effect=f"{len(known)} processes are killed; frees up to {format_bytes(total)}",
        frees=total,
        risk="immediate: no data is saved, no cleanup runs; a service manager may restart it",
    )


def _kill_now(
    request: KillCgroupRequest, group: CgroupTarget, file: KernelFile, report: Callable[[str], None]
) -> Outcome:
    """Kill, and wait for `populated 0`, signalled as POLLPRI on `cgroup.events`."""
    started, before = time.monotonic(), group.usage
    path = printable(group.path)
    with open(group.file("cgroup.events"), "rb", buffering=0) as events:
        file.write("1")
        report(f"{path}: killed, waiting for the processes to exit")
        empty = _wait(group, events.fileno(), started + request.patience)
    seconds, after = time.monotonic() - started, group.usage
    freed = None if before is None or after is None else before - after
    done = f"{path} is empty after {seconds:.1f} s, freed {format_bytes(freed)}"
    return Outcome(
        action=ACTION,
        status=Status.DONE if empty else Status.PARTLY,
        summary=done if empty else f"{path} is still not empty after {seconds:.0f} s: processes in D state remain",
        freed=freed,
        seconds=seconds,
        before=format_bytes(before),
        after=format_bytes(after),
    )


def _wait(group: CgroupTarget, descriptor: int, deadline: float) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLPRI)
    while _is_populated(group):
        left = deadline - time.monotonic()
        if left <= 0:
            return False
        poll.poll(min(left, 0.5) * 1000)
        os.pread(descriptor, 4096, 0)
    return True


def _is_populated(group: CgroupTarget) -> bool:
    events = parse_counters(read_optional(group.file("cgroup.events")) or "", "cgroup.events")
    return events.get("populated") == 1
