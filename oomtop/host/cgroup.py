"""Memory cgroups, v1, v2 and hybrid: where they are mounted, and the memory facts of each group.

Documentation/admin-guide/cgroup-v2.rst ("Memory"), Documentation/admin-guide/cgroup-v1/memory.rst.
Sample lines: `memory.events`: `oom_kill 2`; `/proc/PID/cgroup`: `0::/user.slice/session-2.scope`
"""

from __future__ import annotations

import os

from oomtop.frozen import frozen
from oomtop.host.pressure import Pressure, read_pressure
from oomtop.host.root import Root, parse_counters, read_int, read_optional, whole


@frozen
class CgroupLayout:
    """Where the memory controller lives.  `version` is 1 or 2; hybrid machines have 1 with `unified` set too."""

    version: int
    memory_mount: str
    """The folder of the memory hierarchy, under the injected root, e.g. `/sys/fs/cgroup/memory`."""
    unified_mount: str | None


@frozen
class CgroupEvents:
    """`memory.events` (v2) or `memory.oom_control` and `memory.failcnt` (v1); counts since the group was made."""

    low: int | None = None
    high: int | None = None
    max: int | None = None
    oom_kill: int | None = None


@frozen
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
    active_file: int | None = None
    inactive_file: int | None = None
    oom_group: bool = False
    oom_kill_disable: bool = False
    frozen: bool | None = None
    pids_current: int | None = None
    events: CgroupEvents = CgroupEvents()
    pressure: Pressure | None = None


# What v1 prints for "no limit": LONG_MAX rounded down to a page; anything above 2^62 can only be that.
_NO_LIMIT = 1 << 62
_SEARCHED = 2000


def find_layout(root: Root) -> CgroupLayout | None:
    """Return where the memory controller is mounted, None where there is none.

    On a hybrid machine the controller is either in v1 or in the unified hierarchy; what is mounted decides.
    """
    memory, unified = None, None
    for line in (read_optional(root.at("/proc/self/mounts")) or "").splitlines():
        words = line.split()
        if len(words) < 4:
            continue
        if words[2] == "cgroup" and "memory" in words[3].split(","):
            memory = memory or root.at(words[1])
        elif words[2] == "cgroup2":
            unified = unified or root.at(words[1])
    if memory is not None:
        return CgroupLayout(1, memory, unified)
    if unified is not None and "memory" in (read_optional(f"{unified}/cgroup.controllers") or "").split():
        return CgroupLayout(2, unified, unified)
    return None


def list_cgroups(layout: CgroupLayout, most: int) -> tuple[str, ...]:
    """Return the paths of all groups below the mount, parents first, at most `most`."""
    paths: list[str] = ["/"]
    for path in paths:
        if len(paths) >= most:
            break
        folder = layout.memory_mount + path
        try:
            with os.scandir(folder) as entries:
                names = sorted(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))
        except OSError:
            continue
        paths.extend(f"{path.rstrip('/')}/{name}" for name in names)
    return tuple(paths[:most])


def namespace_root(root: Root, layout: CgroupLayout, own: str | None) -> str:
    """Return the path of this cgroup namespace's root below the mount, empty if the mount is that root.

    A mount made outside of the namespace shows the groups above it too, while `/proc/PID/cgroup` begins at its root
    (cgroup_namespaces(7)).  Where that is no file tells: it is found by this process, whose path there is `own`.
    """
    lines = (line.split() for line in (read_optional(root.at("/proc/self/mountinfo")) or "").splitlines())
    roots = [words[3] for words in lines if len(words) > 4 and root.at(words[4]) == layout.memory_mount]
    if not roots or not roots[-1].startswith("/.."):
        return ""
    pid, inner = str(os.getpid()), (own or "/").rstrip("/")
    for path in list_cgroups(layout, _SEARCHED):
        if pid in (read_optional(f"{folder_of(layout, path)}/cgroup.procs") or "").split():
            return path.rstrip("/").removesuffix(inner)
    return ""


def count_cgroups(root: Root, layout: CgroupLayout) -> int | None:
    """Return the number of groups with one read; None if the kernel does not count them (v2 before 4.14).

    `num_cgroups` of /proc/cgroups (v1), `nr_descendants` of the root's cgroup.stat (v2).
    """
    if layout.version == 2:
        text = read_optional(f"{layout.memory_mount}/cgroup.stat") or ""
        counts = (line.split()[1] for line in text.splitlines() if line.startswith("nr_descendants "))
        return next(map(_count, counts), None)
    for line in (read_optional(root.at("/proc/cgroups")) or "").splitlines():
        words = line.split()
        if len(words) == 4 and words[0] == "memory":
            return _count(words[2])
    return None


def _count(text: str) -> int | None:
    try:
        return whole(text)
    except ValueError:
        return None


def folder_of(layout: CgroupLayout, path: str) -> str:
    """Return the folder of a group; `path` is the text that `Cgroup.path` carries."""
    return layout.memory_mount if path == "/" else layout.memory_mount + path


def is_inside(path: str | None, group: str) -> bool:
    """Whether the group `path` is `group` or below it, so that its memory counts against `group`."""
    return path is not None and (path == group or group == "/" or path.startswith(f"{group}/"))


def read_fill(layout: CgroupLayout, path: str) -> float | None:
    """Return the usage of a group as a share of its own limit, None without a limit; takes one or two reads."""
    usage = _FILL[layout.version][1]
    most = read_limit(layout, path)
    return None if not most else (read_int(f"{folder_of(layout, path)}/{usage}") or 0) / most


def read_limit(layout: CgroupLayout, path: str) -> int | None:
    """Return the limit of a group in bytes, None without one of its own."""
    return _limit(read_int(f"{folder_of(layout, path)}/{_FILL[layout.version][0]}"))


_FILL = {1: ("memory.limit_in_bytes", "memory.usage_in_bytes"), 2: ("memory.max", "memory.current")}


def read_cgroup(layout: CgroupLayout, path: str) -> Cgroup | None:
    """Return the facts of one group, None where it is gone.

    Raises:
        ParseError: `memory.stat` or `memory.events` hold something else than counters.
    """
    folder = folder_of(layout, path)
    return read_folder(folder, path, layout.version) if os.path.isdir(folder) else None


def read_folder(folder: str, path: str, version: int) -> Cgroup:
    """Return the facts of the group whose folder is known; see `read_cgroup`."""
    return _read_v1(folder, path) if version == 1 else _read_v2(folder, path)


def _read_v2(folder: str, path: str) -> Cgroup:
    stat = parse_counters(read_optional(f"{folder}/memory.stat") or "", f"{folder}/memory.stat")
    events = parse_counters(read_optional(f"{folder}/memory.events") or "", f"{folder}/memory.events")
    frozen = read_int(f"{folder}/cgroup.freeze")
    return Cgroup(
        path=path,
        current=read_int(f"{folder}/memory.current"),
        peak=read_int(f"{folder}/memory.peak"),
        high=read_int(f"{folder}/memory.high"),
        max=read_int(f"{folder}/memory.max"),
        low=read_int(f"{folder}/memory.low"),
        min=read_int(f"{folder}/memory.min"),
        swap_current=read_int(f"{folder}/memory.swap.current"),
        swap_max=read_int(f"{folder}/memory.swap.max"),
        anon=stat.get("anon"),
        file=stat.get("file"),
        shmem=stat.get("shmem"),
        slab_reclaimable=stat.get("slab_reclaimable"),
        active_file=stat.get("active_file"),
        inactive_file=stat.get("inactive_file"),
        oom_group=read_int(f"{folder}/memory.oom.group") == 1,
        frozen=None if frozen is None else frozen == 1,
        pids_current=read_int(f"{folder}/pids.current"),
        events=CgroupEvents(**{key: events.get(key) for key in _EVENTS}),
        pressure=read_pressure(f"{folder}/memory.pressure"),
    )


_EVENTS = ("low", "high", "max", "oom_kill")


def _read_v1(folder: str, path: str) -> Cgroup:
    stat = parse_counters(read_optional(f"{folder}/memory.stat") or "", f"{folder}/memory.stat")
    control = parse_counters(read_optional(f"{folder}/memory.oom_control") or "", f"{folder}/memory.oom_control")
    usage = read_int(f"{folder}/memory.usage_in_bytes")
    with_swap = read_int(f"{folder}/memory.memsw.usage_in_bytes")
    return Cgroup(
        path=path,
        current=usage,
        peak=read_int(f"{folder}/memory.max_usage_in_bytes"),
        max=_limit(read_int(f"{folder}/memory.limit_in_bytes")),
        swap_current=None if usage is None or with_swap is None else max(0, with_swap - usage),
        memsw_max=_limit(read_int(f"{folder}/memory.memsw.limit_in_bytes")),
        anon=stat.get("total_rss"),
        file=stat.get("total_cache"),
        shmem=stat.get("total_shmem"),
        active_file=stat.get("total_active_file"),
        inactive_file=stat.get("total_inactive_file"),
        oom_kill_disable=control.get("oom_kill_disable") == 1,
        events=CgroupEvents(max=read_int(f"{folder}/memory.failcnt"), oom_kill=control.get("oom_kill")),
    )


def _limit(value: int | None) -> int | None:
    return None if value is None or value >= _NO_LIMIT else value
