"""Figures of cgroups that nothing has changed since the tick before: of 2,000 groups few move."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import compress
from operator import attrgetter, is_not

from oomtop.analysis.cgroups.assess import chain, usable_swap
from oomtop.analysis.model.assessment import Assessment, CgroupFigures
from oomtop.host.process import Process
from oomtop.snapshot import Snapshot

_RANKED_BY = attrgetter(
    "rss", "swap", "page_tables", "oom_score_adj", "rss_anon", "virtual_size", "cgroup", "is_spared", "memory_owner",
    "comm", "euid",
)  # fmt: skip


def unchanged(now: Snapshot, before: Snapshot | None, previous: Assessment | None) -> Mapping[str, CgroupFigures]:
    """Return the figures of `previous` by path whose group, members and limits above are still the same objects."""
    if before is None or previous is None or previous.monotonic != before.monotonic or _rules(now) != _rules(before):
        return {}
    moved = _moved(now.processes, before.processes)
    groups = {group.path: group for group in now.cgroups}
    return {
        path: figures
        for figures in previous.cgroups
        if groups.get(path := figures.cgroup.path) is figures.cgroup and path not in moved
    }


def _rules(snapshot: Snapshot) -> tuple[object, ...]:
    """Return what else decides about victims and limits."""
    shape = [(group.path, group.max, group.oom_group) for group in snapshot.cgroups]
    return shape, usable_swap(snapshot.meminfo.swap_total, snapshot.kernel), snapshot.containers


def _moved(now: tuple[Process, ...], before: tuple[Process, ...]) -> set[str]:
    """Return the groups, and those above them, of processes that came, went or changed as the OOM killer sees them."""
    # Most are the same object in the same place: of 5,000 idle ones the rest of this looks at few.
    came = (*compress(now, map(is_not, now, before)), *now[len(before) :])
    went = (*compress(before, map(is_not, before, now)), *before[len(now) :])
    # Both tuples keep their objects alive, so that an id stands for one object.
    new, old = set(map(id, came)), set(map(id, went))
    gone = {process.id: process for process in went if id(process) not in new}
    paths = set()
    for process in (process for process in came if id(process) not in old):
        known = gone.get(process.id)
        if known is None or _RANKED_BY(known) != _RANKED_BY(process):
            paths.add(process.cgroup or "/")
        else:
            del gone[process.id]
    paths.update(process.cgroup or "/" for process in gone.values())
    return {above for path in paths for above in chain(path)}
