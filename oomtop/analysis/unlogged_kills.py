"""Kernel kills counted against kernel kills read: what no readable log tells.

/proc/vmstat `oom_kill` (4.13+) counts every process killed since boot, in cgroups too; a cgroup's
`memory.events` counts those of its subtree.  Sample line: `oom_kill 3`
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from oomtop.frozen import frozen
from oomtop.oomlog.event import OomEvent


@frozen
class CrossCheck:
    """Kills counted by the kernel and kills found in logs; `counted` is None where the kernel does not count."""

    counted: int | None
    found: int
    cgroups: tuple[tuple[str, int], ...]
    """(path, kills not in any log) of the cgroups that lack some, most first."""
    sentence: str | None
    """None where nothing is missing or nothing can be told."""

    @property
    def missing(self) -> int | None:
        """Kills that are counted but in no log."""
        return None if self.counted is None else max(0, self.counted - self.found)


def cross_check(counted: int | None, cgroup_kills: Mapping[str, int | None], events: Iterable[OomEvent]) -> CrossCheck:
    """Compare `vmstat` and each cgroup's `oom_kill` with the kernel's kills in the events of this boot."""
    kills = [event for event in events if event.killer == "kernel" and event.victim is not None]
    found = sum(1 + len(event.other_victims) for event in kills)
    lacking = []
    for path, count in cgroup_kills.items():
        read = sum(_kills_in(event, path) for event in kills)
        if path != "/" and count is not None and count > read:
            lacking.append((path, count - read))
    lacking.sort(key=lambda item: (-item[1], item[0]))
    result = CrossCheck(counted, found, tuple(lacking), None)
    return CrossCheck(counted, found, tuple(lacking), _sentence(result))


def _kills_in(event: OomEvent, path: str) -> int:
    """Return how many of the event's victims a cgroup's counter includes."""
    where = event.oom_group or event.task_memcg or event.oom_memcg
    inside = where is not None and (where == path or where.startswith(path.rstrip("/") + "/"))
    return 1 + len(event.other_victims) if inside else 0


def _sentence(check: CrossCheck) -> str | None:
    missing = check.missing
    if not missing and not check.cgroups:
        return None
    group = f" (at least {check.cgroups[0][1]} in {check.cgroups[0][0]})" if check.cgroups else ""
    count = missing or sum(lack for _, lack in check.cgroups[:1])
    verb = "kill is" if count == 1 else "kills are"
    return f"{count} {verb} not in any log that can be read{group}"
