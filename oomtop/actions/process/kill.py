"""Kill: send a signal to processes or trees through pidfds opened when the plan is made.

pidfd_send_signal(2), poll(2) on a pidfd, process_mrelease(2).  The start time is checked when the plan is made and
again just before the signal; waiting for the exit is a poll, not a sleep.
"""

from __future__ import annotations

import signal as signals
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

from oomtop.actions.base.context import ActionContext
from oomtop.actions.base.plan import Plan, Target
from oomtop.actions.base.prepared import PreparedAction, all_refused, refused
from oomtop.actions.base.requests import FreezeRequest, KillRequest
from oomtop.actions.base.restarts import Restarts
from oomtop.actions.process.handle import ProcessHandle, open_allowed, open_each, require
from oomtop.actions.process.kill_case import KillTarget
from oomtop.actions.process.kill_run import KillRun, Newcomers, is_ending
from oomtop.actions.process.kill_words import dropped, signal_name
from oomtop.actions.process.meter import Meter
from oomtop.actions.process.strays import count_runaways, find_strays
from oomtop.errors import ActionRefused
from oomtop.frozen import frozen
from oomtop.host.process import Process, ProcessId
from oomtop.units import format_bytes, printable

ACTION = "kill"
_SHOWN = 12
_CORE_SIGNALS = (signals.SIGQUIT, signals.SIGABRT, signals.SIGSEGV, signals.SIGTRAP, signals.SIGBUS, signals.SIGFPE)

_EFFECTS: Mapping[int, str] = {
    signals.SIGSTOP: "stops and keeps its memory: nothing is freed",
    signals.SIGCONT: "resumes where it was stopped",
}
_ITS_OWN = "the process decides what the signal does"


@frozen
class KillChoice:
    """The processes to signal, and those skipped with the reason."""

    victims: tuple[KillTarget, ...]
    left_out: tuple[ActionRefused, ...]


Find = Callable[[Iterable[ProcessId]], Iterable[Process]]
"""Returns the current members of the targets, possibly with the targets themselves."""


def prepare_kill(request: KillRequest, context: ActionContext, find: Find | None = None) -> PreparedAction:
    """Open every target and plan the signal; `find` looks for processes started meanwhile."""
    title = f"Send {signal_name(request.signal)}"
    mode = context.guard.mode_refusal()
    if mode is not None:
        return refused(ACTION, title, mode)
    if not request.targets:
        return refused(ACTION, title, "no process selected")
    choice = _choose(request, context)
    if not choice.victims:
        return refused(ACTION, _title(request, _named(request.targets, context)), all_refused(choice.left_out))
    if request.tree and find is None:
        seen = frozenset(process.id for process in context.processes)
        find = partial(find_strays, seen=seen, root=context.root)
    follows = find is not None and is_ending(request.signal)
    newcomers = None
    if find is not None and follows:
        count = partial(count_runaways, [victim.process for victim in choice.victims], root=context.root)
        newcomers = Newcomers(find, partial(_open_victim, request, context), count)
    meter = Meter([victim.process for victim in choice.victims], context)
    run = KillRun(request, choice.victims, Restarts(context), meter, newcomers)
    return PreparedAction(_plan(request, context, choice, follows), run, [victim.handle for victim in choice.victims])


def tree_of(roots: Iterable[ProcessId], processes: Sequence[Process]) -> tuple[ProcessId, ...]:
    """Return the roots and all their descendants, parents before children."""
    children: dict[int, list[Process]] = {}
    for process in processes:
        children.setdefault(process.ppid, []).append(process)
    found = list(dict.fromkeys(roots))
    seen = set(found)
    for identity in found:
        for child in children.get(identity.pid, ()):
            # A child is younger than its parent; an older one belongs to an earlier owner of the pid.
            if child.id not in seen and child.id.start_time >= identity.start_time:
                seen.add(child.id)
                found.append(child.id)
    return tuple(found)


def _choose(request: KillRequest, context: ActionContext) -> KillChoice:
    """Open the processes that the guard allows; a tree with a refused root is refused as a whole."""
    left_out: list[ActionRefused] = []
    wanted = _wanted(request, context, left_out)
    victims, failed = open_each(wanted, partial(_open_victim, request, context))
    return KillChoice(tuple(victims), (*left_out, *failed))


def _wanted(request: KillRequest, context: ActionContext, left_out: list[ActionRefused]) -> tuple[ProcessId, ...]:
    if not request.tree:
        return tuple(dict.fromkeys(request.targets))
    roots: list[ProcessId] = []
    for identity in request.targets:
        process = context.find(identity)
        reason = None if process is None else context.guard.refusal(process, request.override)
        if process is not None and reason is not None:
            left_out.append(ActionRefused(f"{identity.pid} ({printable(process.comm)}) and its tree: {reason}"))
        else:
            roots.append(identity)
    return tree_of(roots, context.processes)


def _open_victim(request: KillRequest, context: ActionContext, identity: ProcessId) -> KillTarget:
    with open_allowed(identity, context, request.override) as (handle, process):
        require(_state_refusal(process, handle) or _permission_refusal(handle, context.users(process.euid)), process)
        return KillTarget(process, handle, context.victim(process), context.layout)


def _state_refusal(process: Process, handle: ProcessHandle) -> str | None:
    """Return why no signal helps: it is dead, or a SIGKILL is pending."""
    if process.state in "ZX":
        return f"zombie: waiting for parent {process.ppid} to reap it; it holds no memory"
    if handle.is_kill_pending() or process.is_exiting:
        return f"already being killed (state {process.state}); a second SIGKILL has no effect"
    return None


def _permission_refusal(handle: ProcessHandle, user: str) -> str | None:
    """Ask the kernel, with signal 0, whether the signal is permitted."""
    try:
        handle.send(0)
    except PermissionError:
        return f"not permitted: it belongs to {printable(user)}; signalling it needs that user or CAP_KILL"
    except ProcessLookupError:
        return "already exited"
    return None


def _named(targets: Sequence[ProcessId], context: ActionContext) -> str:
    if len(targets) != 1:
        return f"{len(targets)} processes"
    process = context.find(targets[0])
    return f"{targets[0].pid} ({printable(process.comm)})" if process else str(targets[0].pid)


def _title(request: KillRequest, whom: str) -> str:
    return f"Send {signal_name(request.signal)} to {whom}"


def _plan(request: KillRequest, context: ActionContext, choice: KillChoice, follows: bool) -> Plan:
    ends = is_ending(request.signal)
    target = context.victim if ends else context.target
    targets = tuple(target(context.as_shown(victim.process)) for victim in choice.victims)
    whom = f"{targets[0].id.pid} ({printable(targets[0].name)})" if len(targets) == 1 else f"{len(targets)} processes"
    frees = sum(target.frees or 0 for target in targets) if ends else None
    return Plan(
        action=ACTION,
        title=_title(request, whom),
        steps=_steps(request, targets, follows),
        targets=targets,
        effect=f"frees up to {format_bytes(frees)}" if ends else _EFFECTS.get(request.signal, _ITS_OWN),
        frees=frees,
        risk=_risk(request.signal),
        warnings=tuple(_warnings(request, choice)),
        undo="SIGCONT" if request.signal == signals.SIGSTOP else None,
        recovery=_recovery(request, targets, follows),
    )


def _recovery(request: KillRequest, targets: Sequence[Target], follows: bool) -> FreezeRequest | None:
    """Return the recovery: a stopped process or tree can be resumed."""
    if request.signal != signals.SIGSTOP and not follows:
        return None
    return FreezeRequest(tuple(target.id for target in targets), thaw=True, override=request.override)


def _steps(request: KillRequest, targets: Sequence[Target], follows: bool) -> tuple[str, ...]:
    name = signal_name(request.signal)
    steps = ["SIGSTOP to all, then to processes started meanwhile, until no new one is found"] * follows
    steps += [f"pidfd_send_signal({name}) to {t.id.pid} {printable(t.name)}" for t in targets[:_SHOWN]]
    if len(targets) > _SHOWN:
        steps.append(f"and to {len(targets) - _SHOWN} more")
    if request.grace is not None and request.signal != signals.SIGKILL:
        steps.append(f"after {request.grace:g} s: SIGKILL to survivors")
    if request.signal == signals.SIGKILL or request.grace is not None:
        steps.append("process_mrelease: free the memory before the process exits")
    return tuple(steps)


def _risk(number: int) -> str:
    if number == signals.SIGKILL:
        return "immediate: no data is saved, no cleanup runs"
    if number == signals.SIGSTOP:
        return "stops until SIGCONT; its locks and connections stay held"
    if number in _CORE_SIGNALS:
        return "may write a core dump as large as the process before its memory is freed"
    return "asks the process to exit; it may save its work or ignore the signal" if is_ending(number) else ""


def _warnings(request: KillRequest, choice: KillChoice) -> Iterable[str]:
    yield from (f"skipped: {reason}" for reason in choice.left_out)
    for victim in choice.victims:
        process = victim.process
        who = f"{process.pid} ({printable(process.comm)})"
        if victim.drops(request.signal):
            yield f"{who} {dropped(request.signal)}"
        group = victim.frozen_group
        if group is not None:
            yield f"{who} is frozen with its group {printable(group)}: it receives the signal only once thawed"
        elif process.state == "D":
            yield f"{who} is in D state: a signal may not reach it before its I/O ends"
        elif process.state in "Tt" and request.signal not in (signals.SIGKILL, signals.SIGCONT):
            yield f"{who} is stopped: it receives the signal only after SIGCONT; SIGKILL works at once"
