"""Compares two moments: the memory account, processes, groups.  Pure."""

from __future__ import annotations

from collections.abc import Iterable

from oomtop.analysis.model.assessment import Assessment, ProcessRow
from oomtop.frozen import frozen
from oomtop.host.process import ProcessId


@frozen
class Change:
    """A quantity at both moments in bytes; None if unknown or absent."""

    name: str
    before: int | None
    after: int | None

    @property
    def delta(self) -> int:
        """The change to the later moment; absent counts as 0."""
        return (self.after or 0) - (self.before or 0)


@frozen
class ProcessChange(Change):
    """RSS+swap of a process, None before its start or after its exit."""

    id: ProcessId
    user: str


@frozen
class Comparison:
    """The changes from the earlier to the later moment, the largest first."""

    start: float
    end: float
    memory: tuple[Change, ...]
    processes: tuple[ProcessChange, ...]
    """Processes that changed, started or exited."""
    cgroups: tuple[Change, ...]
    events: int
    """OOM events in between."""


_ACCOUNT = (
    "anon", "shmem", "page_cache", "slab_reclaimable", "kernel", "hugetlb", "arc", "other", "free", "available",
)  # fmt: skip


def compare(one: Assessment, other: Assessment) -> Comparison:
    """Return what changed from the earlier to the later of two assessments."""
    before, after = sorted((one, other), key=lambda assessment: assessment.time)
    memory = [
        Change(name.replace("_", " "), getattr(before.memory, name), getattr(after.memory, name)) for name in _ACCOUNT
    ]
    memory.append(Change("swap used", before.swap.used, after.swap.used))
    return Comparison(
        start=before.time,
        end=after.time,
        memory=_largest(change for change in memory if change.delta),
        processes=_processes(before.rows, after.rows),
        cgroups=_cgroups(before, after),
        events=sum(1 for event in after.events if before.time < (event.time or 0.0) <= after.time),
    )


def _largest(changes: Iterable[Change]) -> tuple[Change, ...]:
    return tuple(sorted(changes, key=lambda change: -abs(change.delta)))


def _processes(before: Iterable[ProcessRow], after: Iterable[ProcessRow]) -> tuple[ProcessChange, ...]:
    old = {row.process.id: row for row in before}
    new = {row.process.id: row for row in after}
    found = []
    for identity, row in {**old, **new}.items():
        was, now = old.get(identity), new.get(identity)
        size = None if was is None else was.process.rss_and_swap
        name = row.process.command or row.process.comm
        change = ProcessChange(name, size, None if now is None else now.process.rss_and_swap, identity, row.user)
        if change.delta or was is None or now is None:
            found.append(change)
    return tuple(sorted(found, key=lambda change: -abs(change.delta)))


def _cgroups(before: Assessment, after: Assessment) -> tuple[Change, ...]:
    old = {group.cgroup.path: group.cgroup.current for group in before.cgroups}
    new = {group.cgroup.path: group.cgroup.current for group in after.cgroups}
    changes = (Change(path, old.get(path), new.get(path)) for path in {**old, **new})
    return _largest(change for change in changes if change.delta)
