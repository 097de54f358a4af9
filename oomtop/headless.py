"""Actions from the command line: show the plan, ask, perform, print the outcome.

The plan and the outcome go to stdout, the question and progress to stderr.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TextIO

from oomtop.actions.base.context import context_of
from oomtop.actions.base.guard import Guard
from oomtop.actions.base.plan import Outcome, Plan, Prepared, Status
from oomtop.actions.base.requests import Request
from oomtop.actions.dispatch import carry_out, prepare
from oomtop.actions.journal.audit_log import Audit, boot_id, read_entries
from oomtop.actions.recovery import NOTHING_LEFT, Leftover, cut_off, undoable
from oomtop.errors import ActionRefused, OomtopError
from oomtop.frozen import frozen
from oomtop.host.containers import container_at, name_of, unit_at
from oomtop.host.process import ProcessId
from oomtop.host.root import Root
from oomtop.render.answers.action_json import actions_to_json
from oomtop.render.json_text import json_text
from oomtop.render.plan import describe, describe_outcome
from oomtop.snapshot import Snapshot
from oomtop.sources.sampler import Sampler
from oomtop.threads import use_one_heap
from oomtop.units import printable

EXIT_CODES: Mapping[Status, int] = {Status.DONE: 0, Status.FAILED: 1, Status.REFUSED: 4, Status.PARTLY: 5}


@frozen
class Consent:
    """Whether to only show the plan, or to perform it without asking."""

    dry_run: bool
    yes: bool
    json: bool = False
    """Whether stdout gets one JSON object, and everything for people goes to stderr."""

    @property
    def narration(self) -> TextIO:
        """Where plans go."""
        return sys.stderr if self.json else sys.stdout


def act(
    make: Callable[[Snapshot], Request],
    consent: Consent,
    guard: Guard,
    render: Callable[[Plan, Outcome], str] = lambda plan, outcome: describe_outcome(outcome),
    narrate_plan: bool = False,
) -> int:
    """Plan an action on the current state of the machine, perform it with consent, and return the exit code.

    `render` formats the outcome; `narrate_plan` sends the plan to stderr.

    Raises:
        OomtopError: no such process or cgroup.
        ActionRefused: stdin is not a terminal and `--yes` is missing.
    """
    return act_all(lambda snapshot: (make(snapshot),), consent, guard, render, narrate_plan)


def act_all(
    make: Callable[[Snapshot], Sequence[Request]],
    consent: Consent,
    guard: Guard,
    render: Callable[[Plan, Outcome], str] = lambda plan, outcome: describe_outcome(outcome),
    narrate_plan: bool = False,
) -> int:
    """Plan several actions as `act` plans one: all are performed, in order, or none where one is refused."""
    snapshot = take_snapshot()
    context = context_of(snapshot, guard, Root())
    prepared = [prepare(request, context) for request in make(snapshot)]
    return _perform(prepared, consent, None, render, narrate_plan)


def arm(prepared: Prepared, condition: str, consent: Consent, wait: Callable[[], str | None]) -> int:
    """Show the plan, ask, wait until it is due, carry it out once; return the exit code.

    `wait` returns None when the action is due, or why it is disarmed; Ctrl-C and SIGTERM disarm it.

    Raises:
        ActionRefused: stdin is not a terminal and `--yes` is missing.
    """
    print(f"{describe(prepared.plan)}\nwhen: {printable(condition)}", file=consent.narration, flush=True)
    code, outcome, reason = _when_due(prepared, consent, wait)
    if consent.json:
        outcomes = [outcome] if outcome is not None else []
        print(json_text(actions_to_json([prepared.plan], outcomes, condition=condition, disarmed=reason)))
    elif outcome is not None:
        print(describe_outcome(outcome))
    elif reason is not None:
        print(f"disarmed, nothing was done: {printable(reason)}")
    return code


def _when_due(
    prepared: Prepared, consent: Consent, wait: Callable[[], str | None]
) -> tuple[int, Outcome | None, str | None]:
    """Return the exit code, the outcome if it was carried out, and why it was disarmed if it was."""
    code = _refused([prepared], consent)
    if code is not None:
        return code, None, None
    # Before the trouble: with memory short nothing more can be loaded.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    from oomtop.selfguard import guard_self

    audit, guarded = Audit(), guard_self()
    try:
        _narrate(f"armed; {guarded.describe()}")
        reason = wait()
    except KeyboardInterrupt:
        reason = "told to end"
    if reason is not None:
        return 0, None, reason
    outcome = carry_out(prepared, audit, _narrate)
    return EXIT_CODES[outcome.status], outcome, None


def undo_first(leftovers: Sequence[Leftover], consent: Consent, guard: Guard) -> int | None:
    """Undo the first action that can be undone and return the exit code; None if there is nothing to undo.

    An action with nothing left to undo is settled and not offered again; one that is refused for now is skipped.
    """
    context = context_of(take_snapshot(), guard, Root())
    code: int | None = None
    for leftover in leftovers:
        prepared = None if leftover.request is None else prepare(leftover.request, context)
        if prepared is not None and prepared.plan.refusal is None:
            print(f"Undo: {leftover.title}", file=consent.narration)
            return _perform([prepared], consent, leftover.entry)
        code = _pass_over(leftover, prepared, consent, guard) or code
    return code


def _pass_over(leftover: Leftover, prepared: Prepared | None, consent: Consent, guard: Guard) -> int | None:
    """Print why it is not undone; return the exit code if a later try may succeed."""
    refusal = NOTHING_LEFT if prepared is None else prepared.plan.refusal or ""
    if prepared is not None:
        prepared.close()
    print(f"cannot be undone: {leftover.title}: {refusal}", file=consent.narration)
    if prepared is not None and not prepared.plan.is_moot:
        return EXIT_CODES[Status.REFUSED]
    if not consent.dry_run and guard.mode_refusal() is None:
        problem = Audit().settle(leftover.entry, refusal)
        if problem is not None:
            print(problem, file=sys.stderr)
    return None


def _perform(
    prepared: Sequence[Prepared],
    consent: Consent,
    undoes: str | None,
    render: Callable[[Plan, Outcome], str] = lambda plan, outcome: describe_outcome(outcome),
    narrate_plan: bool = False,
) -> int:
    try:
        for one in prepared:
            print(describe(one.plan), file=sys.stderr if narrate_plan else consent.narration, flush=True)
        code, outcomes = _go_on(prepared, consent, undoes, None if consent.json else render)
        if consent.json:
            print(json_text(actions_to_json([one.plan for one in prepared], outcomes, undoes)))
        return code
    finally:
        for one in prepared:
            one.close()


def find_processes(snapshot: Snapshot, pids: Sequence[int]) -> tuple[ProcessId, ...]:
    """Return the processes that have these pids now, identified by pid and start time from here on.

    Raises:
        OomtopError: one of them does not exist.
    """
    known = {process.pid: process.id for process in snapshot.processes}
    for pid in pids:
        if pid not in known:
            raise OomtopError(f"no process {pid}")
    return tuple(known[pid] for pid in pids)


def find_group(snapshot: Snapshot, name: str) -> str:
    """Return the path of a group given by path, folder, unit, or the start of a container id.

    Only system units are found by name; one inside another unit or a container needs its path.

    Raises:
        OomtopError: no match, or more than one.
    """
    if not name:
        raise OomtopError("the name of the cgroup is empty; the root is /")
    paths = [group.path for group in snapshot.cgroups]
    layout = snapshot.cgroup_layout
    inside = name.removeprefix(layout.memory_mount) if layout is not None else name
    wanted = "/" + inside.strip("/")
    if wanted in paths:
        return wanted
    found = [path for path in paths if _is_called(path, name)]
    if not found:
        raise OomtopError(f"no cgroup {printable(name)}")
    if len(found) > 1:
        raise OomtopError(f"{printable(name)} matches {len(found)} cgroups: give a path, such as {found[0]}")
    return found[0]


def _is_called(path: str, name: str) -> bool:
    container = container_at(path)
    if container is not None and len(name) >= 6 and container[1].startswith(name):
        return True
    return unit_at(path) in (name, f"{name}.service") or name_of(path) == name


def leftovers() -> tuple[tuple[Leftover, ...], tuple[Leftover, ...]]:
    """Return the interrupted actions and those that can be undone, oldest first."""
    entries = read_entries(Audit().path)
    return cut_off(entries, boot_id()), undoable(entries, boot_id())


def take_snapshot() -> Snapshot:
    """Return the current state of the machine."""
    use_one_heap()
    sampler = Sampler()
    try:
        return sampler.sample()
    finally:
        sampler.close()


def _go_on(
    prepared: Sequence[Prepared], consent: Consent, undoes: str | None, render: Callable[[Plan, Outcome], str] | None
) -> tuple[int, list[Outcome]]:
    """Perform one after the other while all goes well; without `render` nothing is printed."""
    code = _refused(prepared, consent)
    if code is not None:
        return code, []
    outcomes: list[Outcome] = []
    for one in prepared:
        outcomes.append(carry_out(one, Audit(), _narrate, undoes))
        if render is not None:
            print(render(one.plan, outcomes[-1]))
        if outcomes[-1].status is not Status.DONE:
            break
    return EXIT_CODES[outcomes[-1].status], outcomes


def _refused(prepared: Sequence[Prepared], consent: Consent) -> int | None:
    """Return the exit code where nothing is to be performed: refused by the guard, a plan only, or not confirmed."""
    if any(one.plan.refusal is not None for one in prepared):
        return EXIT_CODES[Status.REFUSED]
    if consent.dry_run:
        return 0
    if consent.yes or _confirmed():
        return None
    print("nothing was done", file=sys.stderr)
    return EXIT_CODES[Status.REFUSED]


def _confirmed() -> bool:
    if not sys.stdin.isatty():
        raise ActionRefused("stdin is not a terminal: use --yes to run, --dry-run to preview")
    print("Proceed? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _narrate(text: str) -> None:
    # An action that has begun is carried out to its end, whether anybody reads of it or not.
    with suppress(OSError):
        print(printable(text), file=sys.stderr, flush=True)
