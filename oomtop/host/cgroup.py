"""Memory cgroups, v1, v2 and hybrid: where they are mounted, and the memory facts of each group.

Documentation/admin-guide/cgroup-v2.rst ("Memory"), Documentation/admin-guide/cgroup-v1/memory.rst.
Sample lines: `memory.events`: `oom_kill 2`; `/proc/PID/cgroup`: `0::/user.slice/session-2.scope`
"""

from __future__ import annotations

from dataclasses import dataclass

from oomtop.host.pressure import Pressure


@dataclass(frozen=True, slots=True)
class CgroupLayout:
    """Where the memory controller lives.  `version` is 1 or 2; hybrid machines have 1 with `unified` set too."""

    version: int
    memory_mount: str
    """The folder of the memory hierarchy, under the injected root, e.g. `/sys/fs/cgroup/memory`."""
    unified_mount: str | None


@dataclass(frozen=True, slots=True)
class CgroupEvents:
    """`memory.events` (v2) or `memory.oom_control` and `memory.failcnt` (v1); counts since the group was made."""

    low: int | None = None
    high: int | None = None
    max: int | None = None
    oom: int | None = None
    oom_kill: int | None = None
    oom_group_kill: int | None = None


@dataclass(frozen=True, slots=True)
class Cgroup:
    """The facts of one memory cgroup; sizes in bytes; None where unknown, and for a limit: no limit."""

    path: str
    """Path below the mount, `/` for the root; the same text that `Process.cgroup` carries."""
    current: int | None
    peak: int | None = None
    high: int | None = None
    max: int | None = None
    low: int | None = None
    min: int | None = None
    swap_current: int | None = None
    swap_max: int | None = None
    memsw_max: int | None = None
    """v1 only: `memory.memsw.limit_in_bytes`, memory and swap together."""
    anon: int | None = None
    file: int | None = None
    shmem: int | None = None
    slab_reclaimable: int | None = None
    slab_unreclaimable: int | None = None
    active_file: int | None = None
    inactive_file: int | None = None
    unevictable: int | None = None
    hierarchy: bool = True
    """Whether limits and usage include the groups below (v1 `use_hierarchy`; always so in v2)."""
    oom_group: bool = False
    oom_kill_disable: bool = False
    frozen: bool | None = None
    pids_current: int | None = None
    pids_max: int | None = None
    events: CgroupEvents = CgroupEvents()
    pressure: Pressure | None = None
