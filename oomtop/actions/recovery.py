"""What earlier runs left: interrupted actions, and actions that can still be undone.

Read from the audit log: a `start` without an `end` whose process is gone was interrupted by a kill, a lost terminal or
a power failure.  Effects that a reboot removes (a limit, a frozen group, an `oom_score_adj`) are skipped after one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from oomtop.actions.base.context import ActionContext
from oomtop.actions.base.plan import Plan, Status
from oomtop.actions.base.requests import Request, outlives_reboot
from oomtop.actions.dispatch import prepare
from oomtop.actions.journal.audit_log import Actor, Audit, boot_id, read_entries, start_time_of
from oomtop.actions.journal.request_json import request_from_json
from oomtop.errors import OomtopError
from oomtop.frozen import frozen, replace
from oomtop.units import finite, printable

NOTHING_LEFT = "nothing is left to undo"
TAKEN_BACK = (Status.DONE, Status.PARTLY)
_TAKEN_BACK = tuple(status.value for status in TAKEN_BACK)


@frozen
class Leftover:
    """One audit log entry that can be undone, or at least must be reported."""

    entry: str
    title: str
    time: float
    request: Request | None
    """The request that undoes it; None if nothing is left to undo."""
    uid: int | None
    user: str
    sudo_user: str | None
    tty: str | None
    by_rule: bool
    """Whether a rule of the configuration did it, not a user."""
    has_failed: bool = False
    """Whether an attempt to undo it has failed."""

    def is_of(self, actor: Actor) -> bool:
        """Whether the same user did it, through sudo or not."""
        return not self.by_rule and (self.uid, self.sudo_user) == (actor.uid, actor.sudo_user)


def cut_off(
    entries: Iterable[Mapping[str, object]],
    boot: str | None,
    start_time: Callable[[int], int | None] = start_time_of,
) -> tuple[Leftover, ...]:
    """Return actions that started, never ended and are not running now, oldest first."""
    found: dict[str, Leftover] = {}
    for entry in entries:
        name = str(entry.get("id"))
        if entry.get("phase") != "start":
            found.pop(name, None)
            _note_attempt(found, entry)
        elif not _is_running(entry, boot, start_time):
            found[name] = _leftover(entry, "recovery", boot)
    return tuple(found.values())


def undoable(entries: Iterable[Mapping[str, object]], boot: str | None) -> tuple[Leftover, ...]:
    """Return completed actions that can be undone and were not, oldest first."""
    found: dict[str, Leftover] = {}
    for entry in entries:
        if entry.get("phase") == "settled":
            found.pop(str(entry.get("id")), None)
        if entry.get("phase") != "end" or entry.get("undoes") is not None:
            _note_attempt(found, entry)
            continue
        leftover = _leftover(entry, "undo", boot)
        if leftover.request is not None:
            found[leftover.entry] = leftover
    return tuple(found.values())


def to_undo(cut: Sequence[Leftover], done: Sequence[Leftover], actor: Actor) -> tuple[Leftover, ...]:
    """Return the actions `undo` offers this user: interrupted ones first, then the newest.

    Completed actions count only on this terminal; an interrupted action has often lost its own.  Actions whose undo
    failed before come last, so that they do not block the others.
    """
    own = [item for item in cut if item.is_of(actor)][::-1]
    own += [item for item in done if item.is_of(actor) and item.tty == actor.tty][::-1]
    return tuple(sorted(own, key=lambda item: item.has_failed))


def _note_attempt(found: dict[str, Leftover], entry: Mapping[str, object]) -> None:
    """Drop the action that `entry` undid, or mark it if that failed."""
    undone = str(entry.get("undoes"))
    if entry.get("status") in _TAKEN_BACK:
        found.pop(undone, None)
    elif entry.get("phase") == "end" and undone in found:
        found[undone] = replace(found[undone], has_failed=True)


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
        uid=uid if isinstance(uid := entry.get("uid"), int) else None,
        user=str(entry.get("user")),
        sudo_user=str(entry["sudo_user"]) if entry.get("sudo_user") is not None else None,
        tty=str(entry["tty"]) if entry.get("tty") is not None else None,
        by_rule=entry.get("by") == "rule",
    )


@frozen
class Findings:
    """What a start reports about earlier runs."""

    lines: tuple[str, ...]
    undo: tuple[Leftover, ...]
    """Interrupted actions that this user can undo, oldest first."""


def check(audit: Audit, context: ActionContext) -> Findings:
    """Report every interrupted action; one with nothing left to undo is reported once and settled.

    One that is refused for now, such as swap that does not fit into memory, is kept.
    """
    lines: list[str] = []
    undo: list[Leftover] = []
    try:
        entries = read_entries(audit.path)
    except OomtopError as error:
        return Findings((str(error),), ())
    for leftover in cut_off(entries, boot_id()):
        plan = plan_of(leftover, context)
        told = f"interrupted: {leftover.title}"
        if plan is None or plan.is_moot:
            refusal = NOTHING_LEFT if plan is None else plan.refusal or ""
            problem = None if context.guard.mode_refusal() else audit.settle(leftover.entry, refusal)
            lines += [f"{told}; {refusal}", *([problem] if problem else [])]
        elif not leftover.is_of(audit.actor):
            lines.append(f"{told}, by {printable(leftover.user)}; `oomtop undo {leftover.entry}` undoes it")
        else:
            undo.append(leftover)
            can = "press z to undo it" if plan.refusal is None else f"it cannot be undone now: {plan.refusal}"
            lines.append(f"{told}; {can}")
    return Findings(tuple(lines), tuple(undo))


def plan_of(leftover: Leftover, context: ActionContext) -> Plan | None:
    """Return the plan of the undo, None if nothing is left to undo."""
    if leftover.request is None:
        return None
    prepared = prepare(leftover.request, context)
    prepared.close()
    return prepared.plan
