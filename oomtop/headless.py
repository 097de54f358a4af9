"""The actions without a screen: `oomtop kill`, `protect`, `drop-caches`; the plan first, then a yes, then the outcome.

stdout carries the plan and the outcome, stderr the question and the progress.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from oomtop.actions.audit import Audit
from oomtop.actions.catalogue import carry_out, prepare
from oomtop.actions.context import context_of
from oomtop.actions.guard import Guard
from oomtop.actions.plan import Outcome, Prepared, Status
from oomtop.actions.plan_text import describe, describe_outcome
from oomtop.actions.requests import Request
from oomtop.errors import ActionRefused, OomtopError
from oomtop.host.process import ProcessId
from oomtop.host.root import Root
from oomtop.sampler import Sampler
from oomtop.snapshot import Snapshot

EXIT_CODES: Mapping[Status, int] = {Status.DONE: 0, Status.FAILED: 1, Status.PARTLY: 1, Status.REFUSED: 4}


@dataclass(frozen=True, slots=True)
class Consent:
    """How far to go: only show the plan, or perform it without a question."""

    dry_run: bool
    yes: bool


def act(pids: Sequence[int], make: Callable[[tuple[ProcessId, ...]], Request], consent: Consent, guard: Guard) -> int:
    """Plan an action on `pids` as they are now, perform it when consented to, and return the exit code.

    Raises:
        OomtopError: a pid that no process has.
        ActionRefused: there is nobody to ask, and no `--yes`.
    """
    snapshot = _snapshot()
    request = make(tuple(find_process(snapshot, pid) for pid in pids))
    prepared = prepare(request, context_of(snapshot, guard, Root()))
    try:
        return _go_on(prepared, consent)
    finally:
        prepared.close()


def find_process(snapshot: Snapshot, pid: int) -> ProcessId:
    """Return who has `pid` now; from here on it is held by its start time as well.

    Raises:
        OomtopError: nobody has.
    """
    for process in snapshot.processes:
        if process.pid == pid:
            return process.id
    raise OomtopError(f"there is no process {pid}")


def _snapshot() -> Snapshot:
    sampler = Sampler()
    try:
        return sampler.sample()
    finally:
        sampler.close()


def _go_on(prepared: Prepared, consent: Consent) -> int:
    print(describe(prepared.plan), flush=True)
    if prepared.plan.refusal is not None:
        return EXIT_CODES[Status.REFUSED]
    if consent.dry_run:
        return 0
    if not consent.yes and not _confirmed():
        print("nothing was done", file=sys.stderr)
        return EXIT_CODES[Status.REFUSED]
    outcome = carry_out(prepared, Audit(), _narrate)
    return _tell(outcome)


def _confirmed() -> bool:
    if not sys.stdin.isatty():
        raise ActionRefused("nobody to ask on this input; say --yes to perform the plan, --dry-run to only see it")
    print("Do this? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _narrate(text: str) -> None:
    print(text, file=sys.stderr)


def _tell(outcome: Outcome) -> int:
    print(describe_outcome(outcome))
    return EXIT_CODES[outcome.status]
