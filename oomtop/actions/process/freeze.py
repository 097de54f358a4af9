"""Freeze and thaw processes (SIGSTOP, SIGCONT) or a cgroup (its freezer).

signal(7), `cgroup.freeze` (Documentation/admin-guide/cgroup-v2.rst), `freezer.state`
(Documentation/admin-guide/cgroup-v1/freezer-subsystem.rst).  Frozen processes keep their memory and locks.
"""

from __future__ import annotations

import os
import signal as signals
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from oomtop.actions.base.cgroup_target import CgroupTarget, find_group, members, require_allowed
from oomtop.actions.base.context import ActionContext
from oomtop.actions.base.kernel_file import KernelFile
from oomtop.actions.base.plan import Outcome, Plan, Status
from oomtop.actions.base.prepared import PreparedAction, refused
from oomtop.actions.base.requests import FreezeCgroupRequest, FreezeRequest, KillRequest
from oomtop.actions.process.kill import prepare_kill
from oomtop.errors import ActionRefused, NothingLeft
from oomtop.host.freezer import freezer_folder
from oomtop.host.root import parse_counters, read_optional
from oomtop.units import printable

ACTION = "freeze"
_PATIENCE = 3.0
_LOOK_SECONDS = 0.02


def prepare_freeze(request: FreezeRequest, context: ActionContext) -> PreparedAction:
    """Open every target and plan to stop or resume it."""
    number = signals.SIGCONT if request.thaw else signals.SIGSTOP
    prepared = prepare_kill(KillRequest(request.targets, number, override=request.override), context)
    prepared.plan = replace(prepared.plan, action=ACTION)
    return prepared


def prepare_freeze_cgroup(request: FreezeCgroupRequest, context: ActionContext) -> PreparedAction:
    """Open the group's freezer and plan to freeze or thaw it."""
    title = f"{'Thaw' if request.thaw else 'Freeze'} {printable(request.path)}"
    try:
        group = _find(request.path, context)
        count = len(require_allowed(group, context, request.override or request.thaw))
        elsewhere = _elsewhere(group, context)
        name = "cgroup.freeze" if group.version == 2 else "freezer.state"
        file = KernelFile(group.file(name), "root, or the group delegated to you")
    except ActionRefused as refusal:
        return refused(ACTION, title, refusal)
    text = _text(group.version, request.thaw)
    plan = Plan(
        action=ACTION,
        title=title,
        steps=(f"write {text} to {printable(group.file(name))}",),
        effect=f"{count} processes {'resume' if request.thaw else 'stop; their memory stays as it is'}",
        risk="" if request.thaw else "connections may time out; locks stay held until it is thawed",
        warnings=(f"{elsewhere} of its processes are in another freezer group: they are not frozen",)
        if elsewhere
        else (),
        undo="freeze it again" if request.thaw else "thaw it",
        recovery=None if request.thaw else FreezeCgroupRequest(request.path, thaw=True, override=request.override),
    )
    again = partial(require_allowed, group, context, request.override or request.thaw)
    return PreparedAction(plan, partial(_freeze_now, request, group, text, file), [file], again)


def _find(path: str, context: ActionContext) -> CgroupTarget:
    """Return the group with the freezer: the v2 group, or that of the same path in v1's freezer hierarchy."""
    layout = context.layout
    if layout is None or layout.version == 2:
        return find_group(context, path)
    mount = freezer_folder(layout)
    if os.path.isdir(layout.memory_mount + path) and not os.path.isdir(mount + path):
        raise NothingLeft(f"{path} is no group of the freezer (cgroup v1): stop its processes by pid")
    return find_group(context, path, mount)


def _elsewhere(group: CgroupTarget, context: ActionContext) -> int:
    """Return how many processes of the memory group are not in the freezer group of that path (v1).

    Raises:
        ActionRefused: none of them is.
    """
    if group.version == 2 or not os.path.isdir(context.layout.memory_mount + group.path if context.layout else ""):
        return 0
    inside = {process.id for process in members(group, context.root)}
    wanted = {process.id for process in members(find_group(context, group.path), context.root)}
    if wanted and not wanted & inside:
        raise ActionRefused(f"the freezer group of that path has none of its {len(wanted)} processes")
    return len(wanted - inside)


def _text(version: int, thaw: bool) -> str:
    if version == 2:
        return "0" if thaw else "1"
    return "THAWED" if thaw else "FROZEN"


def is_frozen(group: CgroupTarget) -> bool:
    """Whether the whole group is frozen: `frozen 1` in `cgroup.events`, `FROZEN` in `freezer.state`."""
    if group.version == 2:
        events = parse_counters(read_optional(group.file("cgroup.events")) or "", "cgroup.events")
        return events.get("frozen") == 1
    return (read_optional(group.file("freezer.state")) or "").strip() == "FROZEN"


def _freeze_now(
    request: FreezeCgroupRequest, group: CgroupTarget, text: str, file: KernelFile, report: Callable[[str], None]
) -> Outcome:
    """Freeze or thaw, and wait for the kernel; processes in uninterruptible I/O delay a freeze."""
    thaw, was = request.thaw, is_frozen(group)
    file.write(text)
    report("waiting for all processes to stop" if not thaw else "waiting for them to resume")
    reached = _wait(group, not thaw)
    word = "thawed" if thaw else "frozen"
    return Outcome(
        action=ACTION,
        status=Status.DONE if reached else Status.PARTLY,
        summary=f"{printable(group.path)} is {'' if reached else 'not yet '}{word}",
        before="frozen" if was else "running",
        after=word if reached else "in progress",
        undo=None if was != thaw else FreezeCgroupRequest(group.path, not thaw, request.override),
    )


def _wait(group: CgroupTarget, frozen: bool) -> bool:
    """Wait; v1 has no event, and only reading `freezer.state` turns FREEZING into FROZEN."""
    deadline = time.monotonic() + _PATIENCE
    while is_frozen(group) is not frozen:
        if time.monotonic() > deadline:
            return False
        time.sleep(_LOOK_SECONDS)
    return True
