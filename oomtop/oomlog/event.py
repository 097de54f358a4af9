"""`OomEvent`: one act of an OOM killer, as logged.  Everything is optional and nothing is assumed zero.

Sizes are bytes, times are seconds.  The field names are the ones `oomtop events --json` prints.
"""

from __future__ import annotations

from oomtop.frozen import frozen


@frozen
class Trigger:
    """The task whose allocation failed: `NAME invoked oom-killer` and the `CPU: n PID: n` line."""

    name: str | None = None
    pid: int | None = None
    uid: int | None = None


@frozen
class Victim:
    """A `Killed process` line."""

    pid: int
    name: str
    uid: int | None = None
    total_vm: int | None = None
    anon_rss: int | None = None
    file_rss: int | None = None
    shmem_rss: int | None = None
    pgtables: int | None = None
    oom_score_adj: int | None = None
    rss: int | None = None
    """Resident in all, for a killer that gives one figure; None where the kernel gives its parts."""


@frozen
class Selected:
    """The task the kernel chose; on kernels before 5.0 a child may have died in its place."""

    pid: int | None = None
    name: str | None = None
    uid: int | None = None
    score: int | None = None


@frozen
class Task:
    """A row of the task table; sizes in bytes (the kernel prints pages)."""

    pid: int
    name: str
    uid: int | None = None
    tgid: int | None = None
    total_vm: int | None = None
    rss: int | None = None
    rss_anon: int | None = None
    rss_file: int | None = None
    rss_shmem: int | None = None
    pgtables: int | None = None
    swap: int | None = None
    oom_adj: int | None = None
    oom_score_adj: int | None = None


@frozen
class ReportZone:
    """One zone of a report's Mem-Info; bytes.  `free_lists` is ((chunk size, count), ...)."""

    node: int | None
    name: str
    free: int | None = None
    boost: int | None = None
    min: int | None = None
    low: int | None = None
    high: int | None = None
    managed: int | None = None
    present: int | None = None
    lowmem_reserve_pages: tuple[int, ...] = ()
    free_lists: tuple[tuple[int, int], ...] = ()


@frozen
class OomEvent:
    """One OOM event: a kill, a whole report, or a report without a kill."""

    killer: str
    """`kernel`, `systemd-oomd`, `earlyoom`, `nohang`, `oomd`, `lmkd`, `lowmemorykiller`."""
    type: str
    """`global`, `memcg`, `global-cpuset`, `mempolicy`, `sysrq`, `cgroup`, `process` or `unknown`."""
    time: float | None = None
    """Unix time, None where the log has no date."""
    kernel_time: float | None = None
    """Seconds after boot, as printk stamps it."""
    host: str | None = None
    source: str | None = None
    """Which log it came from, for people: `/dev/kmsg`, `journal`, a file name."""
    time_text: str | None = None
    """The time as the log writes it, None where its lines have none."""
    unverified: str | None = None
    """Why somebody else may have written this, None where only the killer itself can."""
    complete: bool = False
    has_header: bool = False
    trigger: Trigger | None = None
    gfp_mask: str | None = None
    gfp_flags: str | None = None
    order: int | None = None
    trigger_oom_score_adj: int | None = None
    kernel: str | None = None
    constraint: str | None = None
    cpuset: str | None = None
    mems_allowed: str | None = None
    oom_memcg: str | None = None
    task_memcg: str | None = None
    memcg_usage: int | None = None
    memcg_limit: int | None = None
    memcg_swap_usage: int | None = None
    memcg_swap_limit: int | None = None
    memcg_kmem_usage: int | None = None
    memcg_stats: tuple[tuple[str, int], ...] = ()
    selected: Selected | None = None
    victim: Victim | None = None
    other_victims: tuple[Victim, ...] = ()
    oom_group: str | None = None
    allocating_task: bool = False
    reaped_pids: tuple[int, ...] = ()
    tasks: tuple[Task, ...] = ()
    table_columns: tuple[str, ...] = ()
    tasks_unparsed: int = 0
    page_size: int | None = None
    """Bytes; if None, the sizes that the report prints in pages are unknown too."""
    mem_info_pages: tuple[tuple[str, int], ...] = ()
    """The counters of `Mem-Info:` (`active_anon`, `free`, ...), in pages."""
    zones: tuple[ReportZone, ...] = ()
    swap_total: int | None = None
    swap_free: int | None = None
    ram_pages: int | None = None
    reserved_pages: int | None = None
    pagecache_pages: int | None = None
    slab: tuple[tuple[str, int, int], ...] = ()
    """`Unreclaimable slab info:` as (name, used, total) in bytes."""
    panic: str | None = None
    no_killable_processes: bool = False
    cgroup: str | None = None
    """For a daemon's kill of a cgroup: which."""
    reason: str | None = None
    processes_killed: int | None = None
    outcome: str | None = None
    """`killed`, `sent` (a signal, exit unknown), `failed`, `dry-run`; None where no victim is named."""
    attempts: int | None = None
    """The number of signals sent to the process, for killers that log each; 0 where a command was run instead."""
    notes: tuple[str, ...] = ()
    """What is damaged, missing or odd about the text, in words."""
    raw: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[object, ...]:
        """What a later, fuller version of the same event shares with this one."""
        if self.victim is not None:
            return (self.killer, self.victim.pid, self.victim.total_vm)
        return (self.killer, self.cgroup, self.time if self.kernel_time is None else self.kernel_time)

    @property
    def victim_cgroup(self) -> str | None:
        """The cgroup to name first: the one whose limit was hit, else the victim's own."""
        return self.oom_memcg or self.cgroup or self.task_memcg
