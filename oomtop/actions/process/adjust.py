"""Protect or sacrifice processes: write `oom_score_adj`, and restore it.

`/proc/PID/oom_score_adj`, -1000 to 1000 (Documentation/filesystems/proc.rst, 3.1).  Setting it below the lowest value
ever set with CAP_SYS_RESOURCE needs that capability; later children inherit the value.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from oomtop.actions.base.context import ActionContext
from oomtop.actions.base.errno_text import in_words
from oomtop.actions.base.plan import Outcome, Plan, Status
from oomtop.actions.base.prepared import PreparedAction, all_refused, refused
from oomtop.actions.base.requests import AdjustRequest, RestoreAdjRequest
from oomtop.actions.process.handle import ProcessHandle, open_allowed, open_each, require
from oomtop.errors import ActionRefused, NothingLeft
from oomtop.frozen import frozen
from oomtop.host.privileges import Capability, has_capability
from oomtop.host.process import Process, ProcessId
from oomtop.units import printable

ACTION = "protect"
LOWEST, HIGHEST = -1000, 1000
_FILE = "oom_score_adj"


@frozen
class _Change:
    """One process, the file opened for writing, and both values."""

    process: Process
    handle: ProcessHandle
    descriptor: int
    before: int
    value: int

    @property
    def name(self) -> str:
        return f"{self.process.pid} ({printable(self.process.comm)})"

    def close(self) -> None:
        """Close everything."""
        os.close(self.descriptor)
        self.handle.close()


def prepare_adjust(request: AdjustRequest, context: ActionContext) -> PreparedAction:
    """Open the file of every target and plan the writes."""
    wanted = tuple((identity, request.value) for identity in request.targets)
    return _prepare(wanted, request.override, context, tries=request.override)


def prepare_restore(request: RestoreAdjRequest, context: ActionContext) -> PreparedAction:
    """Open the file of every target and plan the restore."""
    # The kernel may allow the previous value without a capability.
    return _prepare(request.values, request.override, context, tries=True)


def _prepare(
    wanted: Sequence[tuple[ProcessId, int]], override: bool, context: ActionContext, tries: bool
) -> PreparedAction:
    values = sorted({value for _, value in wanted})
    title = f"Set oom_score_adj to {', '.join(map(str, values))}" if values else "Set oom_score_adj"
    reason = context.guard.mode_refusal() or _value_refusal(values)
    if reason is not None:
        return refused(ACTION, title, reason)
    changes, left_out = open_each(dict(wanted), partial(_open_change, dict(wanted), override, context, tries))
    if not changes:
        return refused(ACTION, title, all_refused(left_out))
    return PreparedAction(
        _plan(title, changes, left_out, override, context), partial(_adjust_now, changes, override), changes
    )


def _value_refusal(values: Sequence[int]) -> str | None:
    if not values:
        return "no process selected"
    if values[0] < LOWEST or values[-1] > HIGHEST:
        return f"oom_score_adj must be from {LOWEST} to {HIGHEST}"
    return None


def _open_change(
    values: Mapping[ProcessId, int], override: bool, context: ActionContext, tries: bool, identity: ProcessId
) -> _Change:
    value = values[identity]
    with open_allowed(identity, context, override) as (handle, process):
        before = int(handle.read(_FILE))
        if not tries and value < min(before, 0) and not has_capability(Capability.SYS_RESOURCE):
            require(f"not permitted: lowering {before} to {value} needs CAP_SYS_RESOURCE of the machine", process)
        return _Change(process, handle, _open_file(handle, process, context), before, value)


def _open_file(handle: ProcessHandle, process: Process, context: ActionContext) -> int:
    try:
        return handle.open(_FILE, os.O_WRONLY)
    except PermissionError:
        who = printable(context.users(process.euid))
        # For example in a unit with a capability bounding set.
        needs = "needs CAP_DAC_OVERRIDE" if os.geteuid() == 0 else "can be written only by that user or root"
        raise ActionRefused(
            f"{process.pid} ({printable(process.comm)}): not permitted: it belongs to {who}; its oom_score_adj {needs}"
        ) from None


def _plan(
    title: str, changes: Sequence[_Change], left_out: Sequence[ActionRefused], override: bool, context: ActionContext
) -> Plan:
    whom = changes[0].name if len(changes) == 1 else f"{len(changes)} processes"
    return Plan(
        action=ACTION,
        title=f"{title} for {whom}",
        steps=tuple(f"write {c.value} to /proc/{c.process.pid}/{_FILE} (now {c.before})" for c in changes),
        targets=tuple(context.target(change.process) for change in changes),
        effect=_effect(changes),
        risk="later children inherit it; a restart of the service resets it",
        warnings=(*(f"skipped: {reason}" for reason in left_out), *_warnings(changes)),
        undo="restore the previous value",
        recovery=RestoreAdjRequest(tuple((c.process.id, c.before) for c in changes), override),
    )


def _effect(changes: Sequence[_Change]) -> str:
    change = changes[0]
    points = (change.value - change.before) / 10
    direction = "more" if points > 0 else "less"
    if not points:
        return "no change: it already has this value"
    return (
        f"the kernel ranks it as if it held {abs(points):g} % {direction} of RAM and swap, or of the limit of a "
        "limited cgroup; nothing is freed"
    )


def _warnings(changes: Sequence[_Change]) -> list[str]:
    warnings: list[str] = []
    if any(change.value == LOWEST for change in changes):
        warnings.append(
            "-1000 makes it unkillable: if it leaks, everything else is killed and the machine "
            "may panic; in practice -900 protects as well"
        )
    lowers = any(change.value < change.before for change in changes)
    if lowers and not has_capability(Capability.SYS_RESOURCE):
        warnings.append("lowering needs CAP_SYS_RESOURCE, which oomtop does not have: the kernel may refuse")
    return warnings


def _adjust_now(changes: Sequence[_Change], override: bool, report: Callable[[str], None]) -> Outcome:
    """Write each value and read it back; a failure of one does not stop the others."""
    done: list[_Change] = []
    failures: list[str] = []
    refusals = 0
    for change in changes:
        try:
            reason = _write(change)
        except ActionRefused as refusal:
            reason, refusals = str(refusal), refusals + (not isinstance(refusal, NothingLeft))
        if reason is None:
            done.append(change)
            report(f"{change.name}: {change.before} -> {change.value}")
        else:
            failures.append(f"{change.name}: {reason}")
    if not done:
        status = Status.REFUSED if refusals == len(changes) else Status.FAILED
        return Outcome(ACTION, status, failures[0], tuple(failures[1:]))
    first = done[0]
    one = f"oom_score_adj of {first.name}: {first.before} -> {first.value}"
    return Outcome(
        action=ACTION,
        status=Status.PARTLY if failures else Status.DONE,
        summary=one if len(changes) == 1 else f"oom_score_adj of {len(done)} of {len(changes)} changed",
        details=tuple(failures),
        before=", ".join(str(change.before) for change in done),
        after=", ".join(str(change.value) for change in done),
        undo=RestoreAdjRequest(tuple((c.process.id, c.before) for c in done), override),
    )


def _write(change: _Change) -> str | None:
    """Return why the value was not set, None if the kernel confirms it.

    Raises:
        ActionRefused: it is gone, or the guard now forbids it.
    """
    try:
        change.handle.require_same()
        os.write(change.descriptor, str(change.value).encode())
        found = int(change.handle.read(_FILE))
    except PermissionError:
        return f"not permitted: lowering it to {change.value} needs CAP_SYS_RESOURCE"
    except OSError as error:
        return in_words(error)
    return None if found == change.value else f"the kernel shows {found} after {change.value} was written"
