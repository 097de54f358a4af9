"""Rules of the configuration that give new processes their `oom_score_adj`: by command, unit or user.

They hold while the monitor or the recorder runs, once for each process: what is changed by hand afterwards stays.
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
    """Return the processes that a rule is for, and its value; the first rule that fits decides.

    `settled` are those that a rule was applied to already.
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
    """Return the request that makes it so, None where it is so already."""
    values = tuple((process.id, adj) for process, adj in found if process.oom_score_adj not in (None, adj))
    # A rule is the override: it names what is to be touched.
    return RestoreAdjRequest(values, override=True) if values else None


class RuleKeeper:
    """Applies the rules tick by tick; whoever samples owns one and calls it from that thread."""

    def __init__(self, rules: Sequence[AdjustRule], guard: Guard, audit: Audit, root: Root | None = None) -> None:
        self._rules = tuple(rules)
        self._guard = guard
        self._audit = Audit(audit.path, by="rule")
        self._root = root or Root()
        self._settled: frozenset[ProcessId] = frozenset()
        self._marks: Mapping[ProcessId, tuple[str | None, ...]] = {}

    def take(self, snapshot: Snapshot) -> RestoreAdjRequest | None:
        """Return what is to be done for the processes that came since the last tick; each is asked for once."""
        if not self._rules or self._guard.mode_refusal() is not None:
            return None
        alive = frozenset(process.id for process in snapshot.processes)
        users = dict(snapshot.users)
        marks = {p.id: (p.comm, p.command, p.cgroup, users.get(p.euid or 0)) for p in snapshot.processes}
        # Whom no rule fitted is looked at again when it has another name, group or user.
        unchanged = frozenset(identity for identity, mark in marks.items() if self._marks.get(identity) == mark)
        self._marks = marks
        found = fitting(self._rules, snapshot, self._settled | unchanged, self._root)
        self._settled = (self._settled & alive) | frozenset(process.id for process, _ in found)
        return rules_for(found)

    def apply(self, request: RestoreAdjRequest, snapshot: Snapshot, tell: Callable[[str], None]) -> None:
        """Carry it out; `tell` gets a line for what came of it."""
        prepared = prepare(request, context_of(snapshot, self._guard, self._root))
        outcome = carry_out(prepared, self._audit, lambda text: None)
        tell(f"rule: {prepared.plan.title}: {outcome.status.value}: {outcome.summary}")
        for detail in outcome.details[:3]:
            tell(f"rule: {detail}")
