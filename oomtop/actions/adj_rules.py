"""`[[adjust]]` rules, which set `oom_score_adj` of new processes by command, unit or user.

They apply while the monitor or the recorder runs, once per process; later manual changes are kept.
Sample: `[[adjust]]`, `command = "postgres*"`, `adj = -900`
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from oomtop.actions.base.context import context_of, users_of
from oomtop.actions.base.guard import Guard, read_names
from oomtop.actions.base.requests import RestoreAdjRequest
from oomtop.actions.dispatch import carry_out, prepare
from oomtop.actions.journal.audit_log import Audit
from oomtop.analysis.oom_score.badness import is_passed_over
from oomtop.analysis.process_patterns import fits
from oomtop.config.load import AdjustRule
from oomtop.host.process import Process, ProcessId
from oomtop.host.root import Root
from oomtop.snapshot import Snapshot


def fitting(
    rules: Sequence[AdjustRule],
    snapshot: Snapshot,
    settled: frozenset[ProcessId] = frozenset(),
    root: Root | None = None,
) -> tuple[tuple[Process, int], ...]:
    """Return the processes that a rule matches, and its value; the first matching rule applies.

    `settled` are those that a rule was already applied to.
    """
    user = users_of(snapshot)
    found: list[tuple[Process, int]] = []
    for process in snapshot.processes:
        if process.id in settled or is_passed_over(process) or process.is_kernel_thread or process.is_exiting:
            continue
        names = read_names(process, user, root or Root())
        rule = next((rule for rule in rules if fits(rule, names)), None)
        if rule is not None:
            found.append((process, rule.adj))
    return tuple(found)


def rules_for(found: Sequence[tuple[Process, int]]) -> RestoreAdjRequest | None:
    """Return the request that sets the value, None if it is already set."""
    values = tuple((process.id, adj) for process, adj in found if process.oom_score_adj not in (None, adj))
    # A rule names its processes explicitly, so it overrides the guard.
    return RestoreAdjRequest(values, override=True) if values else None


class RuleKeeper:
    """Applies the rules on each tick; called from the sampling thread."""

    def __init__(self, rules: Sequence[AdjustRule], guard: Guard, audit: Audit, root: Root | None = None) -> None:
        self._rules = tuple(rules)
        self._guard = guard
        self._audit = Audit(audit.path, by="rule")
        self._root = root or Root()
        self._settled: frozenset[ProcessId] = frozenset()
        self._marks: Mapping[ProcessId, tuple[str | None, ...]] = {}

    def take(self, snapshot: Snapshot) -> RestoreAdjRequest | None:
        """Return the requests for processes that are new since the last tick, each one once."""
        if not self._rules or self._guard.mode_refusal() is not None:
            return None
        alive = frozenset(process.id for process in snapshot.processes)
        users = dict(snapshot.users)
        marks = {p.id: (p.comm, p.command, p.cgroup, users.get(p.euid or 0)) for p in snapshot.processes}
        # A process without a matching rule is checked again when its name, group or user changes.
        unchanged = frozenset(identity for identity, mark in marks.items() if self._marks.get(identity) == mark)
        self._marks = marks
        found = fitting(self._rules, snapshot, self._settled | unchanged, self._root)
        self._settled = (self._settled & alive) | frozenset(process.id for process, _ in found)
        return rules_for(found)

    def apply(self, request: RestoreAdjRequest, snapshot: Snapshot, tell: Callable[[str], None]) -> None:
        """Perform the request; `tell` gets a line with the outcome."""
        prepared = prepare(request, context_of(snapshot, self._guard, self._root))
        outcome = carry_out(prepared, self._audit, lambda text: None)
        tell(f"rule: {prepared.plan.title}: {outcome.status.value}: {outcome.summary}")
        for detail in outcome.details[:3]:
            tell(f"rule: {detail}")
