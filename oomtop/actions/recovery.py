"""What an earlier run left behind: actions that were cut off in the middle, and those that can still be undone.

Read from the audit log: a `start` without an `end` whose process is gone was cut off by a kill, a lost terminal or a
power failure.  What does not outlive a reboot (a limit, a frozen group, an `oom_score_adj`) is left out after one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from oomtop.actions.base.context import ActionContext
from oomtop.actions.base.plan import Status
from oomtop.actions.base.requests import Request, outlives_reboot
from oomtop.actions.dispatch import prepare
from oomtop.actions.journal.audit_log import Audit, boot_id, read_entries, start_time_of
from oomtop.actions.journal.request_json import request_from_json, request_to_json
from oomtop.errors import OomtopError
from oomtop.frozen import frozen
from oomtop.units import finite, printable

TAKEN_BACK = (Status.DONE, Status.PARTLY)
_TAKEN_BACK = tuple(status.value for status in TAKEN_BACK)


@frozen
class Leftover:
    """One entry of the audit log that can be taken back, or that at least has to be told."""

    entry: str
    title: str
    time: float
    request: Request | None
    """What takes it back; None where nothing is left to take back."""


def cut_off(
    entries: Iterable[Mapping[str, object]],
    boot: str | None,
    start_time: Callable[[int], int | None] = start_time_of,
) -> tuple[Leftover, ...]:
    """Return the actions that were started, never ended, and are not under way now, oldest first."""
    found: dict[str, Leftover] = {}
    for entry in entries:
        name = str(entry.get("id"))
        if entry.get("phase") != "start":
            found.pop(name, None)
            if entry.get("status") in _TAKEN_BACK:
                found.pop(str(entry.get("undoes")), None)
        elif not _is_running(entry, boot, start_time):
            found[name] = _leftover(entry, "recovery", boot)
    return tuple(found.values())


def undoable(entries: Iterable[Mapping[str, object]], boot: str | None) -> tuple[Leftover, ...]:
    """Return the actions that ended and can be taken back and were not, oldest first."""
    found: dict[str, Leftover] = {}
    for entry in entries:
        if entry.get("phase") != "end":
            continue
        if entry.get("undoes") is not None:
            if entry.get("status") in _TAKEN_BACK:
                found.pop(str(entry["undoes"]), None)
            continue
        leftover = _leftover(entry, "undo", boot)
        if leftover.request is not None:
            found[leftover.entry] = leftover
    return tuple(found.values())


def _is_running(entry: Mapping[str, object], boot: str | None, start_time: Callable[[int], int | None]) -> bool:
    pid, started = entry.get("pid"), entry.get("start_time")
    if not isinstance(pid, int) or started is None or entry.get("boot_id") != boot:
        return False
    return start_time(pid) == started


def _leftover(entry: Mapping[str, object], key: str, boot: str | None) -> Leftover:
    request = request_from_json(entry.get(key))
    if request is not None and entry.get("boot_id") != boot and not outlives_reboot(request):
        request = None
    time = finite(entry.get("time"))
    return Leftover(
        entry=str(entry.get("id")),
        title=printable(str(entry.get("title"))),
        time=0.0 if time is None else time,
        request=request,
    )


@frozen
class Findings:
    """What a start has to say about the runs before it."""

    lines: tuple[str, ...]
    undo: tuple[Leftover, ...]
    """What is half done and can be taken back, oldest first."""


def check(audit: Audit, context: ActionContext) -> Findings:
    """Name every action that was cut off; what has nothing left to undo is named once and settled.

    What is refused for now, such as swap whose contents do not fit into memory, stays to be undone.
    """
    lines: list[str] = []
    undo: list[Leftover] = []
    try:
        entries = read_entries(audit.path)
    except OomtopError as error:
        return Findings((str(error),), ())
    for leftover in cut_off(entries, boot_id()):
        refusal = _refusal(leftover, context)
        if refusal is None:
            undo.append(leftover)
            lines.append(f"cut off in the middle: {leftover.title}; it can be undone")
            continue
        if _is_there(leftover, context):
            undo.append(leftover)
            lines.append(f"cut off in the middle: {leftover.title}; it cannot be undone now: {refusal}")
            continue
        lines.append(f"cut off in the middle: {leftover.title}; {refusal}")
        if context.guard.mode_refusal() is None:
            problem = audit.settle(leftover.entry, refusal)
            lines.extend([problem] if problem else [])
    return Findings(tuple(lines), tuple(undo))


def _refusal(leftover: Leftover, context: ActionContext) -> str | None:
    return "nothing of it is left to undo" if leftover.request is None else _refusal_of(leftover.request, context)


def _is_there(leftover: Leftover, context: ActionContext) -> bool:
    """Whether only a guard stands before it: an override does not bring back what is gone."""
    if leftover.request is None:
        return False
    lifted = request_from_json({**request_to_json(leftover.request), "override": True})
    return lifted is not None and _refusal_of(lifted, context) is None


def _refusal_of(request: Request, context: ActionContext) -> str | None:
    prepared = prepare(request, context)
    prepared.close()
    return prepared.plan.refusal
