"""Move processes into a new cgroup with its own limit, and back.

`cgroup.procs`, `cgroup.subtree_control` (Documentation/admin-guide/cgroup-v2.rst).  Memory that a process holds stays
charged to its old group; only later allocations are charged to the new one.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from functools import partial

from oomtop.actions.base.cgroup_target import CgroupTarget, find_group, members
from oomtop.actions.base.context import ActionContext
from oomtop.actions.base.errno_text import in_words
from oomtop.actions.base.kernel_file import write_file
from oomtop.actions.base.plan import Outcome, Plan, Status
from oomtop.actions.base.prepared import PreparedAction, all_refused, refused
from oomtop.actions.base.requests import ConfineRequest, ReleaseRequest
from oomtop.actions.process.handle import ProcessHandle, open_allowed, open_each, open_process
from oomtop.errors import ActionRefused
from oomtop.frozen import frozen
from oomtop.host.cgroup import CgroupLayout
from oomtop.host.process import Process, ProcessId
from oomtop.host.root import Root, read_optional
from oomtop.units import format_bytes, printable

ACTION = "limit"
PREFIX = "/oomtop-"
"""The path prefix of groups made by oomtop."""
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,60}")
# A smaller limit is used up by the first page tables and stacks and kills at once.
_SMALLEST = 1 << 20
_ROUNDS = 5


@frozen
class _Mover:
    """One open process and its original group."""

    process: Process
    handle: ProcessHandle
    home: str

    @property
    def name(self) -> str:
        return f"{self.process.pid} ({printable(self.process.comm)})"


def prepare_confine(request: ConfineRequest, context: ActionContext) -> PreparedAction:
    """Open every process and plan the group to make for them."""
    whom = f"{len(request.targets)} process" + "es" * (len(request.targets) != 1)
    title = f"Move {whom} into a new group {printable(request.name)}"
    try:
        layout = _checked(request, context)
    except ActionRefused as refusal:
        return refused(ACTION, title, refusal)
    movers, left_out = open_each(request.targets, partial(_open_mover, request, context))
    if not movers:
        return refused(ACTION, title, all_refused(left_out))
    plan = _plan(request, movers, left_out, layout, context)
    return PreparedAction(plan, partial(_confine_now, request, movers, layout), [mover.handle for mover in movers])


def _checked(request: ConfineRequest, context: ActionContext) -> CgroupLayout:
    context.guard.check_mode()
    layout = context.require_layout()
    if not request.targets:
        raise ActionRefused("no process selected")
    if not _NAME.fullmatch(request.name) or request.name in (".", ".."):
        raise ActionRefused("a group name may have letters, digits, dots, dashes and underscores, at most 60")
    if request.high is None and request.max is None:
        raise ActionRefused("give --high or --max")
    if any(size is not None and size < _SMALLEST for size in (request.high, request.max)):
        raise ActionRefused(f"the limit must be at least {format_bytes(_SMALLEST)}")
    if layout.version == 1 and request.high is not None:
        raise ActionRefused("cgroup v1 has no memory.high: use `max`")
    if os.path.exists(_folder(request, layout)):
        raise ActionRefused(f"{_folder(request, layout)} already exists")
    if not os.access(layout.memory_mount, os.W_OK):
        raise ActionRefused("not permitted: creating a cgroup needs root")
    return layout


def _folder(request: ConfineRequest, layout: CgroupLayout) -> str:
    return f"{layout.memory_mount}{PREFIX}{request.name}"


def _open_mover(request: ConfineRequest, context: ActionContext, identity: ProcessId) -> _Mover:
    with open_allowed(identity, context, request.override) as (handle, process):
        return _Mover(process, handle, process.cgroup or "/")


def _limits(request: ConfineRequest, layout: CgroupLayout) -> tuple[tuple[str, int], ...]:
    if layout.version == 1:
        return (("memory.limit_in_bytes", request.max or 0),)
    both = (("memory.high", request.high), ("memory.max", request.max))
    return tuple((name, size) for name, size in both if size is not None)


def _plan(
    request: ConfineRequest,
    movers: Sequence[_Mover],
    left_out: Sequence[ActionRefused],
    layout: CgroupLayout,
    context: ActionContext,
) -> Plan:
    path = PREFIX + request.name
    whom = movers[0].name if len(movers) == 1 else f"{len(movers)} processes"
    limits = _limits(request, layout)
    return Plan(
        action=ACTION,
        title=f"Move {whom} into {path}",
        steps=(
            *_delegation(layout),
            f"mkdir {_folder(request, layout)}",
            *(f"write {size} to {name}" for name, size in limits),
            *(f"write {mover.process.pid} to cgroup.procs" for mover in movers[:12]),
        ),
        targets=tuple(context.target(mover.process) for mover in movers),
        effect=" and ".join(f"{name} {format_bytes(size)}" for name, size in limits)
        + " for new allocations; memory they already hold stays charged to their old group",
        risk="they leave the group of their service: systemd no longer stops or limits them",
        warnings=tuple(f"skipped: {reason}" for reason in left_out),
        undo="move them back and remove the group",
        recovery=_release(path, movers),
    )


def _release(path: str, movers: Sequence[_Mover]) -> ReleaseRequest:
    return ReleaseRequest(path, tuple((mover.process.id, mover.home) for mover in movers))


def _confine_now(
    request: ConfineRequest, movers: Sequence[_Mover], layout: CgroupLayout, report: Callable[[str], None]
) -> Outcome:
    """Make, limit, move."""
    folder, path = _folder(request, layout), PREFIX + request.name
    if _delegation(layout):
        write_file(f"{layout.memory_mount}/cgroup.subtree_control", "+memory")
    os.mkdir(folder)
    try:
        for name, size in _limits(request, layout):
            write_file(f"{folder}/{name}", str(size))
    except OSError:
        os.rmdir(folder)
        raise
    failures = [reason for mover in movers if (reason := _move(mover, folder)) is not None]
    moved = len(movers) - len(failures)
    report(f"{moved} moved into {path}")
    if not moved:
        os.rmdir(folder)
        return Outcome(ACTION, Status.FAILED, failures[0], tuple(failures[1:]))
    return Outcome(
        action=ACTION,
        status=Status.PARTLY if failures else Status.DONE,
        summary=f"{path} has {moved} of {len(movers)} processes, and its limit",
        details=tuple(failures),
        before=", ".join(sorted({mover.home for mover in movers})),
        after=path,
        undo=_release(path, movers),
    )


def _delegation(layout: CgroupLayout) -> tuple[str, ...]:
    """The new group has memory files only if the parent delegates the controller, as under systemd."""
    file = f"{layout.memory_mount}/cgroup.subtree_control"
    if layout.version == 1 or "memory" in (read_optional(file) or "").split():
        return ()
    return (f"write +memory to {file} (not undone)",)


def _move(mover: _Mover, folder: str) -> str | None:
    """Return why it could not be moved, or None."""
    try:
        mover.handle.require_same()
        write_file(f"{folder}/cgroup.procs", str(mover.process.pid))
    except ActionRefused as refusal:
        return str(refusal)
    except OSError as error:
        return f"{mover.name}: {in_words(error)}"
    return None


def prepare_release(request: ReleaseRequest, context: ActionContext) -> PreparedAction:
    """Find the members of the group and plan where each goes."""
    title = f"Dissolve {printable(request.path)}"
    try:
        if not request.path.startswith(PREFIX):
            raise ActionRefused("only groups made by oomtop can be dissolved")
        group = find_group(context, request.path)
        if not os.access(os.path.dirname(group.folder), os.W_OK):
            raise ActionRefused("not permitted: removing a cgroup needs root")
        found = members(group, context.root)
    except ActionRefused as refusal:
        return refused(ACTION, title, refusal)
    plan = Plan(
        action=ACTION,
        title=title,
        steps=(
            *(f"write {p.pid} to cgroup.procs of {printable(_home(p.id, request, group))}" for p in found[:12]),
            f"rmdir {printable(group.folder)}",
        ),
        effect="the limits are removed",
        recovery=request,
    )
    return PreparedAction(plan, partial(_release_now, request, group, context.root))


def _home(identity: ProcessId, request: ReleaseRequest, group: CgroupTarget) -> str:
    """Return the group for a process: its original one, else that of the first process, else the root."""
    fallback = request.homes[0][1] if request.homes else "/"
    home = dict(request.homes).get(identity, fallback)
    return home if os.path.isdir(_folder_of(home, group)) else "/"


def _folder_of(home: str, group: CgroupTarget) -> str:
    """Groups made by oomtop are directly below the mount."""
    return f"{os.path.dirname(group.folder)}/{home.strip('/')}".rstrip("/")


def _release_now(request: ReleaseRequest, group: CgroupTarget, root: Root, report: Callable[[str], None]) -> Outcome:
    """Move processes out until the group is empty, as they may fork meanwhile; then remove it."""
    moved, failures = 0, {}
    for _ in range(_ROUNDS):
        left = [process for process in members(group, root) if process.id not in failures]
        if not left:
            break
        for process in left:
            reason = _move_home(process, request, group, root)
            if reason is None:
                moved += 1
            else:
                failures[process.id] = reason
    details = tuple(failures.values())
    try:
        os.rmdir(group.folder)
    except OSError as error:
        stays = f"{group.path} could not be removed: {in_words(error)}"
        return Outcome(ACTION, Status.PARTLY if moved else Status.FAILED, stays, details)
    report(f"{group.folder} no longer exists")
    return Outcome(ACTION, Status.DONE, f"{group.path} removed, {moved} moved back", details)


def _move_home(process: Process, request: ReleaseRequest, group: CgroupTarget, root: Root) -> str | None:
    """Return why it could not be moved, or None; a process that exited counts as moved."""
    home = _folder_of(_home(process.id, request, group), group)
    try:
        handle = open_process(root, process.id)
    except ActionRefused:
        return None
    except OSError as error:
        return f"{process.pid} ({printable(process.comm)}): {in_words(error)}"
    try:
        return _move(_Mover(process, handle, home), home)
    finally:
        handle.close()
