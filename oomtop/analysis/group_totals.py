"""Processes added up by what they have in common: program, user, unit or container."""

from __future__ import annotations

from collections import defaultdict

from oomtop.analysis.model.assessment import Assessment, ProcessRow
from oomtop.analysis.shared_memory import Ceiling, held_together, sum_known, sum_sizes
from oomtop.frozen import frozen
from oomtop.host.containers import container_at


@frozen
class GroupTotal:
    """What the processes of one group have together; bytes, bytes a second, CPUs."""

    name: str
    processes: int
    size: int
    """RSS and swap, shared pages counted once where `counted_once`."""
    counted_once: bool
    rss: int
    swap: int | None
    growth: float | None
    cpu: float | None


def group_totals(assessment: Assessment, grouping: str) -> tuple[GroupTotal, ...]:
    """Return the totals of every group, the largest first; processes outside of any container are in none."""
    named: dict[str, list[ProcessRow]] = defaultdict(list)
    for row in assessment.rows:
        name = _name(row, grouping)
        if name is not None and not row.process.is_kernel_thread:
            named[name].append(row)
    grown = {item.name: item.minute for item in assessment.growths if item.kind == grouping}
    pss, ceiling = dict(assessment.pss), Ceiling.of(assessment.memory, assessment.swap)
    totals = []
    for name, rows in named.items():
        members = [row.process for row in rows]
        size, once = held_together(members, pss, ceiling)
        total = sum_sizes(members[0], members, ceiling)
        growth = grown.get(name)
        totals.append(
            GroupTotal(
                name, len(rows), size, once, total.rss, total.swap,
                growth if growth is not None else sum_known(row.growth for row in rows),
                sum_known(row.cpu for row in rows),
            )
        )  # fmt: skip
    return tuple(sorted(totals, key=lambda total: -total.size))


def _name(row: ProcessRow, grouping: str) -> str | None:
    process = row.process
    if grouping == "user":
        return row.user
    if grouping == "program":
        return process.comm
    if grouping == "container" and container_at(process.cgroup or "/") is None:
        return None
    return row.unit or process.cgroup or "/"
