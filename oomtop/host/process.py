"""One process as the kernel accounts for it: `/proc/PID/stat`, `status`, `cgroup`, `oom_score`, `oom_score_adj`.

Documentation/filesystems/proc.rst, table 1-4 (stat) and 1-2 (status).  None of these files takes the
target's mmap lock, so none can hang on a stuck process.
"""

from __future__ import annotations

from typing import NamedTuple

from oomtop.frozen import frozen


class ProcessId(NamedTuple):
    """A process for as long as it lives: its pid and its start time, which no later process shares.

    `start_time` is field 22 of `/proc/PID/stat`, in clock ticks after boot, as the kernel gives it.
    A named tuple and not a dataclass, because it is hashed several times per process and tick.
    """

    pid: int
    start_time: int


@frozen
class Process:
    """The facts of one process at one instant; sizes in bytes, times in seconds, None where unknown."""

    id: ProcessId
    ppid: int
    comm: str
    state: str
    started: float
    """Seconds after boot at which it started."""
    flags: int
    """`PF_*` of include/linux/sched.h, field 9 of stat."""
    session: int
    tty: int
    nice: int
    threads: int
    cpu_seconds: float
    """utime + stime since its start."""
    minor_faults: int
    major_faults: int
    virtual_size: int
    rss: int
    rss_anon: int | None
    rss_file: int | None
    rss_shmem: int | None
    swap: int | None
    page_tables: int | None
    locked: int | None
    hugetlb: int | None
    uid: int | None
    """Real uid, which is what the kernel's OOM report prints."""
    euid: int | None
    """Effective uid, which is what `ps` and `htop` show as the user."""
    oom_score: int | None
    oom_score_adj: int | None
    cgroup: str | None
    """Path in the memory hierarchy (v1) or in the unified one (v2), `/` for the root."""
    command: str | None
    """Command line with blanks between arguments; None until it arrived or where there is none."""
    thread: int | None = None
    """The thread whose state and memory these are, where the main thread has ended and others live on."""
    is_spared: bool | None = None
    """Whether the OOM killer passes it over: the global init, a vfork child before its exec, one already reaped."""
    nodes: int | None = None
    """The NUMA nodes of its cpuset, a set of bits; None where there is one node or it is not known."""
    memory_owner: int | None = None
    """The lowest pid of those that share its memory map (CLONE_VM), where that was looked at and there are others."""

    @property
    def pid(self) -> int:
        """Its number, for display; nothing signals a bare pid."""
        return self.id.pid

    @property
    def is_kernel_thread(self) -> bool:
        """Whether `PF_KTHREAD` (0x00200000) is set."""
        return bool(self.flags & 0x00200000)

    @property
    def is_exiting(self) -> bool:
        """Whether it is a zombie, dead, or has `PF_EXITING` (0x4) set."""
        return self.state in "ZX" or bool(self.flags & 0x4)

    @property
    def rss_and_swap(self) -> int:
        """The most its death can free: resident plus swapped-out bytes."""
        return self.rss + (self.swap or 0)
