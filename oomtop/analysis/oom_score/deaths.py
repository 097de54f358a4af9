"""Processes that die with the victim: those that share its memory map, and its `memory.oom.group`.

`__oom_kill_process` and `mem_cgroup_get_oom_group` of the kernel: the group is the uppermost one with
`memory.oom.group` set from the victim's own cgroup up to the OOM domain; members with adj -1000 are left alive.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from oomtop.analysis.oom_score.badness import OOM_SCORE_ADJ_MIN, frees
from oomtop.frozen import frozen
from oomtop.host.cgroup import Cgroup, is_inside
from oomtop.host.process import Process, ProcessId


@frozen
class Deaths:
    """The processes that die in one OOM kill."""

    oom_group: str | None
    dying: tuple[ProcessId, ...]
    frees: int
    """Bytes; memory maps they share are counted once."""


def deaths(victim: Process, processes: Iterable[Process], groups: Mapping[str, Cgroup], domain: str) -> Deaths:
    """Return which `processes` die when the kernel chooses `victim` in the OOM `domain` (a cgroup path)."""
    group = _oom_group(victim.cgroup or "/", groups, domain)
    if group is None and victim.memory_owner is None:
        return Deaths(None, (victim.id,), frees(victim))
    dying = [
        process
        for process in processes
        if _shares(process, victim) or (group is not None and is_inside(process.cgroup, group) and _can_die(process))
    ]
    maps = {process.memory_owner or process.pid: frees(process) for process in dying}
    return Deaths(group, tuple(process.id for process in dying), sum(maps.values()))


def _oom_group(path: str, groups: Mapping[str, Cgroup], domain: str) -> str | None:
    """Return the topmost group at or below the domain that is killed as a whole."""
    parts = path.strip("/").split("/")
    above = ["/" + "/".join(parts[: count + 1]) for count in range(len(parts))]
    within = (name for name in above if is_inside(name, domain))
    return next((name for name in within if name in groups and groups[name].oom_group), None)


def _shares(process: Process, victim: Process) -> bool:
    if process.id == victim.id:
        return True
    return victim.memory_owner is not None and process.memory_owner == victim.memory_owner


def _can_die(process: Process) -> bool:
    return process.oom_score_adj != OOM_SCORE_ADJ_MIN and bool(process.virtual_size)
