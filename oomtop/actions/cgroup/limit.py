"""Limits of a cgroup: `memory.high`, `memory.max`, `memory.low` (v2), `memory.limit_in_bytes` (v1).

Documentation/admin-guide/cgroup-v2.rst ("Memory Interface Files"), Documentation/admin-guide/cgroup-v1/memory.rst.
Groups of systemd, docker or podman are limited through those tools, so that they keep the value.
`high` throttles and reclaims.  `max` below the current use reclaims first, then kills in the group at once; v1
returns EBUSY instead of killing.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial

from oomtop.actions.base.cgroup_target import CgroupTarget, find_group, require_allowed
from oomtop.actions.base.context import ActionContext
from oomtop.actions.base.kernel_file import KernelFile
from oomtop.actions.base.plan import Outcome, Plan, Status
from oomtop.actions.base.prepared import PreparedAction, refused
from oomtop.actions.base.requests import Limit, LimitRequest
from oomtop.actions.base.run_program import run_tool
from oomtop.actions.cgroup.owner import Owner, command_of, owner_of
from oomtop.errors import ActionRefused
from oomtop.frozen import replace
from oomtop.history import held_by
from oomtop.host.cgroup import read_folder
from oomtop.host.containers import unit_at
from oomtop.units import format_bytes, printable

ACTION = "limit"
_V2 = {Limit.HIGH: "memory.high", Limit.MAX: "memory.max", Limit.LOW: "memory.low"}
_V1 = {Limit.MAX: "memory.limit_in_bytes"}
_EFFECT = {
    Limit.HIGH: "above it the group is throttled and its memory reclaimed; nothing is killed",
    Limit.MAX: "at the limit the kernel reclaims, and kills in the group if that is not enough",
    Limit.LOW: "below it the group's memory is reclaimed last",
}
_RISK = {
    Limit.HIGH: "the group's programs may slow down",
    Limit.MAX: "the group's programs may slow down, or be killed at the limit",
    Limit.LOW: "memory protected here is reclaimed from others first",
}
# v1 shows "no limit" as LONG_MAX rounded down to a page; any value above 2^62 means that.
_NO_LIMIT = 1 << 62


def prepare_limit(request: LimitRequest, context: ActionContext) -> PreparedAction:
    """Open the limit's file and plan the change, given what the group holds now."""
    title = f"Set memory.{request.limit.value} of {printable(request.path)} to {_size(request.size)}"
    try:
        group = find_group(context, request.path)
        require_allowed(group, context, request.override)
        name = _file_name(group, request.limit)
        reason = _value_refusal(request, group)
        if reason is not None:
            raise ActionRefused(reason)
        owner = owner_of(request.path, context.root)
        command = None if owner is None else command_of(owner, request, group)
        if request.lasting and (owner is None or owner.tool != "systemctl"):
            raise ActionRefused("only a systemd unit can keep a limit after its restart")
        file = KernelFile(group.file(name), "root, or the group delegated to you")
    except ActionRefused as refusal:
        return refused(ACTION, title, refusal)
    plan = _plan(title, request, group, name, owner, command, context.meminfo.mem_available)
    again = partial(require_allowed, group, context, request.override)
    return PreparedAction(plan, partial(_set_limit, request, group, name, file, command), [file], again)


def _file_name(group: CgroupTarget, limit: Limit) -> str:
    name = (_V2 if group.version == 2 else _V1).get(limit)
    if name is None:
        raise ActionRefused(f"cgroup v1 has no memory.{limit.value}: use `max`")
    return name


def _value_refusal(request: LimitRequest, group: CgroupTarget) -> str | None:
    if request.size is None or request.override:
        return None
    if request.size < 0:
        return "a limit cannot be negative"
    must_stay = _held(group)
    if request.limit is Limit.MAX and must_stay is not None and request.size < must_stay:
        return (
            f"the group holds {format_bytes(must_stay)} that cannot be dropped: this limit kills in it at once; "
            "use `high`, or override"
        )
    return None


def _held(group: CgroupTarget) -> int | None:
    """Return the memory left in the group once all its file pages are dropped."""
    facts = read_folder(group.folder, group.path, group.version)
    return None if facts.current is None else held_by(facts)


def _plan(
    title: str,
    request: LimitRequest,
    group: CgroupTarget,
    name: str,
    owner: Owner | None,
    command: tuple[str, ...] | None,
    available: int | None,
) -> Plan:
    before = _read(group, name)
    written = f"write {_text(request.size, group)} to {printable(group.file(name))}"
    return Plan(
        action=ACTION,
        title=title,
        steps=(f"{written if command is None else printable(' '.join(command))} (now {_size(before)})",),
        effect=_effect(request, group),
        risk=_risk(request, before, available),
        warnings=tuple(_warnings(request, group, owner, command)),
        undo="restore the previous value",
        recovery=replace(request, size=before),
    )


def _effect(request: LimitRequest, group: CgroupTarget) -> str:
    if request.size != request.limit.lifted:
        return f"{_use(request, group)}{_EFFECT[request.limit]}"
    return (
        "the group's memory is no longer protected from reclaim"
        if request.limit is Limit.LOW
        else "the group may use all memory of the machine"
    )


def _use(request: LimitRequest, group: CgroupTarget) -> str:
    """Return what the group holds and held at most, and what the limit leaves."""
    facts = read_folder(group.folder, group.path, group.version)
    if facts.current is None:
        return ""
    peak = "" if facts.peak is None else f", at most {format_bytes(facts.peak)} so far"
    room = "" if request.size is None else f", {format_bytes(max(0, request.size - facts.current))} below this limit"
    return f"it holds {format_bytes(facts.current)}{peak}{room if request.limit is not Limit.LOW else ''}; "


def _risk(request: LimitRequest, before: int | None, available: int | None) -> str:
    """Return what may happen; of a limit that is raised or removed, how much the machine has for it."""
    is_raised = before is not None and (request.size is None or request.size > before)
    if request.limit is Limit.LOW or not is_raised:
        return "" if request.size == request.limit.lifted else _RISK[request.limit]
    more = "more" if before is None or request.size is None else f"{format_bytes(request.size - before)} more"
    return f"the group may take {more} of the {format_bytes(available)} that the machine has available"


def _warnings(
    request: LimitRequest, group: CgroupTarget, owner: Owner | None, command: tuple[str, ...] | None
) -> list[str]:
    warnings: list[str] = []
    usage = group.usage
    if request.size is not None and request.limit is not Limit.LOW and usage is not None and request.size < usage:
        warnings.append(f"the group holds {format_bytes(usage)} now: the excess is reclaimed at once")
    warnings.extend(_pressed_by_others(request, group))
    unit = unit_at(group.path)
    if command is None and owner is not None:
        warnings.append(f"{owner.tool} has no command for this: its own value returns on its next update or start")
    elif command is None and unit is not None:
        setting = {"high": "MemoryHigh", "max": "MemoryMax", "low": "MemoryLow"}[request.limit.value]
        warnings.append(
            f"systemd manages this group and may restore its value; to keep yours: systemctl set-property --runtime "
            f"{printable(unit)} {setting}={'infinity' if request.size is None else request.size}"
        )
    return warnings


def _pressed_by_others(request: LimitRequest, group: CgroupTarget) -> list[str]:
    """Warn about a limit below the unreclaimable part: that must go to swap, or the kernel kills."""
    must_stay = _held(group)
    if request.size is None or request.limit is Limit.LOW or must_stay is None or request.size >= must_stay:
        return []
    if request.limit is Limit.MAX:
        return [f"KILLS AT ONCE: {format_bytes(must_stay)} of it cannot be dropped, and the limit is below that"]
    return [f"{format_bytes(must_stay)} of it cannot be dropped: without swap the group will nearly stall"]


def _set_limit(
    request: LimitRequest,
    group: CgroupTarget,
    name: str,
    file: KernelFile,
    command: tuple[str, ...] | None,
    report: Callable[[str], None],
) -> Outcome:
    """Set the limit and report the value the kernel shows."""
    before = _read(group, name)
    used = group.usage
    report("waiting for the kernel to reclaim down to the limit")
    if command is None:
        file.write(_text(request.size, group))
    else:
        run_tool(command)
    after = _read(group, name)
    now = group.usage
    return Outcome(
        action=ACTION,
        status=Status.DONE if _is_near(after, request.size) else Status.PARTLY,
        summary=f"{name} of {printable(group.path)}: {_size(before)} -> {_size(after)}",
        details=(f"the group holds {format_bytes(now)} (before: {format_bytes(used)})",),
        freed=None if used is None or now is None else used - now,
        before=_size(before),
        after=_size(after),
        undo=replace(request, size=before),
    )


def _is_near(found: int | None, wanted: int | None) -> bool:
    """Whether the kernel only rounded the value to pages."""
    if found is None or wanted is None:
        return found is wanted
    return abs(found - wanted) < os.sysconf("SC_PAGE_SIZE")


def _read(group: CgroupTarget, name: str) -> int | None:
    value = group.number(name)
    return None if value is None or value >= _NO_LIMIT else value


def _text(size: int | None, group: CgroupTarget) -> str:
    if size is None:
        return "max" if group.version == 2 else "-1"
    return str(size)


def _size(size: int | None) -> str:
    return "no limit" if size is None else format_bytes(size)
