"""What the figures cover and what is hidden, as sentences and as a mark for the header."""

from __future__ import annotations

from collections.abc import Iterable

from oomtop.analysis.model.assessment import Scope
from oomtop.host.visibility import Visibility
from oomtop.snapshot import Problem, Snapshot

# Threads start and exit between the two counts.
_LEAST_HIDDEN = 5


def scope_of(snapshot: Snapshot) -> Scope:
    """Return what a snapshot covers."""
    found = snapshot.visibility
    hidden = None
    if found.hides_processes and not found.gvisor and snapshot.threads is not None:
        hidden = max(0, snapshot.threads - sum(process.threads for process in snapshot.processes))
    return Scope(
        memory="gVisor" if found.gvisor else "container" if found.lxcfs else "machine",
        processes=_whose(found),
        sees_all=not found.hides_processes or _shows_all(found, hidden),
        hidden_threads=hidden,
        user_namespace=found.user_namespace,
    )


def _shows_all(found: Visibility, hidden: int | None) -> bool:
    """Whether `hidepid` hides nothing: all threads in the kernel's count are visible (lxcfs counts the container's)."""
    return not found.pid_namespace and not found.lxcfs and hidden is not None and hidden < _LEAST_HIDDEN


def _whose(found: Visibility) -> str:
    if found.pid_namespace or found.gvisor:
        return "container"
    return "own" if found.hidepid is not None else "machine"


def scope_problems(found: Visibility, scope: Scope) -> tuple[Problem, ...]:
    """Return caveats about the figures, most important first."""
    return tuple(Problem(what, why) for what, why in _sentences(found, scope))


def _sentences(found: Visibility, scope: Scope) -> Iterable[tuple[str, str]]:
    count = "" if scope.hidden_threads is None else f"{scope.hidden_threads} threads are hidden: "
    if found.gvisor:
        yield "scope", "gVisor: memory and processes are those of the sandbox, not the machine"
    elif found.pid_namespace and not scope.sees_all:
        memory = "the container's" if found.lxcfs else "the machine's"
        yield "processes", f"{count}only this pid namespace's; memory and pressure are {memory}"
    if found.hidepid is not None and not scope.sees_all:
        yield "processes", f"{count}hidepid={found.hidepid} hides those of other users; use sudo to see all"
    if found.lxcfs:
        yield "scope", "lxcfs: memory is the container's, pressure and paging may be the host's"
    if found.user_namespace:
        yield "rights", "in a user namespace: limits, swap and lowering oom_score_adj need root on the machine"


def scope_mark(scope: Scope) -> str:
    """Return the header's word for what hides most: `gVisor`, `container` or `hidepid`; empty if all is visible."""
    if scope.memory != "machine":
        return scope.memory
    return "" if scope.sees_all else "hidepid" if scope.processes == "own" else scope.processes
