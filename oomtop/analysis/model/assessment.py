"""`Assessment` and its parts: every figure shown on a screen, in `--json` or `/metrics`.

Bytes and seconds; shares are 0.0 to 1.0; None means unknown, shown as a dash.
"""

from __future__ import annotations

from enum import Enum

from oomtop.analysis.model.danger import Danger
from oomtop.frozen import frozen
from oomtop.host.cgroup import Cgroup
from oomtop.host.kernel_facts import KernelFacts
from oomtop.host.meminfo import Meminfo
from oomtop.host.pressure import Pressure
from oomtop.host.process import Process, ProcessId
from oomtop.host.swaps import SwapDevice, Zram, Zswap
from oomtop.host.zoneinfo import Zone
from oomtop.oomlog.event import OomEvent
from oomtop.snapshot import Machine, Problem


@frozen
class MemoryAccount:
    """The memory account; the parts add up to `total` if `free` is known, unknown parts counting as 0."""

    total: int
    anon: int | None
    shmem: int | None
    page_cache: int
    slab_reclaimable: int
    kernel: int | None
    """Unreclaimable slab, page tables, kernel stacks, percpu."""
    hugetlb: int
    arc: int
    other: int | None
    """Memory without a counter (drivers, network buffers), or whose counter is implausible."""
    free: int | None
    available: int | None
    """MemAvailable plus reclaimable ZFS ARC."""
    min_watermark: int | None
    """The sum of all zones' `min`: below it most requests wait for reclaim, and those that may not wait fail
    or take from the reserve."""
    dirty: int | None
    writeback: int | None
    mlocked: int | None
    committed: int | None
    commit_limit: int | None
    balloon: int = 0
    """Memory taken by the hypervisor and not counted in another part."""
    hugetlb_unused: int = 0
    """The part of `hugetlb` that is reserved and unused."""
    compressed: int = 0
    """RAM that holds compressed swapped pages: zswap pool and zram."""
    available_estimated: bool = False
    """Whether `available` was estimated because the kernel's value is missing or implausible."""


@frozen
class SwapAccount:
    """Swap space and its traffic."""

    total: int | None
    used: int | None
    free: int | None
    cached: int | None
    in_rate: float | None
    """Bytes per second read back from swap."""
    out_rate: float | None
    devices: tuple[SwapDevice, ...] = ()
    zram: tuple[Zram, ...] = ()
    zswap: Zswap | None = None
    zswap_pool: int | None = None
    zswapped: int | None = None


@frozen
class SinceBoot:
    """Kernel counters since boot (`/proc/vmstat`); None if the kernel lacks the counter."""

    major_faults: int | None
    """Page faults that read from disk."""
    swapped_in: int | None
    """Bytes read back from swap."""
    swapped_out: int | None
    refaulted: int | None
    """Bytes of evicted pages that were read back."""
    direct_reclaims: int | None
    """Allocations that entered direct reclaim."""


@frozen
class PressureFigures:
    """Memory pressure of the machine; rates are events per second."""

    memory: Pressure | None
    io: Pressure | None
    major_fault_rate: float | None
    refault_rate: float | None
    """Bytes per second of evicted pages that were read back."""
    direct_reclaim_rate: float | None
    oom_kills: int | None
    """`oom_kill` of `/proc/vmstat`, since boot."""
    last_kill_age: float | None
    """Seconds since that counter rose or an event arrived, None if neither did."""
    since_boot: SinceBoot = SinceBoot(None, None, None, None, None)


@frozen
class Candidate:
    """A process that the OOM killer could choose, in kernel order."""

    id: ProcessId
    name: str
    uid: int | None
    badness: int
    """`oom_badness` in pages (may be negative)."""
    share: float
    """badness / total pages."""
    frees: int
    """Bytes its death frees: anonymous, swap and page tables (shared and file pages may stay)."""
    held: int = 0
    """RSS and swap, in bytes."""
    swap: int = 0


@frozen
class Victims:
    """The kill order of one OOM domain: the machine or a cgroup.  `candidates` are the first ten."""

    candidates: tuple[Candidate, ...] = ()
    near_tie: bool = False
    """Whether the next candidate that survives it is within 1 %, so that either may be chosen."""
    oom_group: str | None = None
    """The cgroup that dies as a whole with the victim (`memory.oom.group`)."""
    culprit: str | None = None
    """Set if no process is the cause: names the kernel, tmpfs or hugetlb memory that is."""
    dying: tuple[ProcessId, ...] = ()
    """Processes that die with the first: itself, those that share its memory map, all of `oom_group`."""
    dying_frees: int | None = None
    """Bytes that their death frees together."""

    @property
    def first(self) -> Candidate | None:
        """The process the kernel would kill now."""
        return self.candidates[0] if self.candidates else None


@frozen
class ProcessRow:
    """A process and its derived figures.  Unchanged processes keep their row object between ticks."""

    process: Process
    user: str
    growth: float | None
    """Bytes per second of RSS+swap, robust slope over the last minute; None until there are enough points."""
    cpu: float | None
    """Share of one CPU since the previous tick (1.0 is one busy CPU)."""
    major_fault_rate: float | None
    badness: int | None
    """`oom_badness` in pages, None for processes that cannot be killed."""
    share: float | None
    """badness / (RAM + swap)."""
    unit: str | None
    """systemd unit, container or pod name from the cgroup path, None without one."""
    headroom: int | None
    """Bytes to the nearest memory limit of its cgroups, None without a limit."""
    headroom_path: str | None
    members: int = 1
    """Number of processes in these totals."""
    is_bound: bool = False
    """Whether `rss` may count shared pages of its members more than once."""

    @property
    def is_total(self) -> bool:
        """Whether these are the totals of several processes."""
        return self.members > 1


@frozen
class PartGrowth:
    """A part of the memory account that grew in the last minute."""

    part: str
    """`anon`, `shmem`, `page tables`, `kernel stacks`, `percpu`, `slab`, `huge pages`, `balloon`, `ARC`, `zram`, ..."""
    rate: float
    """Bytes per second."""
    cgroup: str | None = None
    """For shared memory: the cgroup in which most of it grew."""


@frozen
class Together:
    """The processes of one program and their memory in RAM and swap."""

    name: str
    processes: int
    size: int
    counted_once: bool
    """Whether shared pages are counted once; if not, `size` is an upper bound."""


@frozen
class CgroupFigures:
    """A cgroup and its derived figures."""

    cgroup: Cgroup
    name: str
    effective_limit: int | None
    """The smallest `max` from this cgroup up to the root."""
    headroom: int | None
    danger: Danger | None
    """The danger of its own limit, None without one."""
    victims: Victims

    @property
    def growth(self) -> float | None:
        """Growth of its held memory in bytes per second, None without its own limit."""
        return None if self.danger is None else self.danger.rate


class Severity(Enum):
    """The severity of a finding."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def order(self) -> int:
        """Its place in a list, 0 for the most severe."""
        return _SEVERITIES.index(self)


_SEVERITIES = (Severity.CRITICAL, Severity.WARNING, Severity.INFO)


@frozen
class Finding:
    """A named cause with evidence (figures) and advice (with the key of the action)."""

    id: str
    severity: Severity
    title: str
    evidence: str
    advice: str
    target: ProcessId | None = None
    cgroup: str | None = None


@frozen
class FiringAlert:
    """A configured alert that is firing, for one subject."""

    name: str
    severity: Severity
    subject: str
    """The cgroup, process, finding or killer it is about; empty for the machine."""
    text: str
    """The condition with the current value."""
    since: float
    """Unix time."""
    value: float | None = None


@frozen
class Growth:
    """Growth of a process or group in bytes per second; None if too little of the window was seen."""

    kind: str
    """`process`, `program`, `user` or `unit` (service, container, pod)."""
    name: str
    pid: int | None
    start_time: int | None
    """For a process: clock ticks after boot; with the pid its identity."""
    size: int
    """Anonymous memory and swap, in bytes."""
    minute: float | None
    five_minutes: float | None
    half_hour: float | None
    curve: tuple[int, ...]
    """The last half hour, oldest first."""


@frozen
class PastSeries:
    """The recent past for the chart and the sparklines: parallel columns, oldest first."""

    times: tuple[float, ...] = ()
    available: tuple[int | None, ...] = ()
    swap_used: tuple[int | None, ...] = ()
    some_avg10: tuple[float | None, ...] = ()
    full_avg10: tuple[float | None, ...] = ()
    marks: tuple[tuple[float, str], ...] = ()
    """(time, label) of OOM events and actions."""


@frozen
class EarlyKiller:
    """What a userspace OOM daemon would do."""

    name: str
    id: ProcessId
    condition: str
    """The condition it acts on, with figures."""
    room: int | None
    """Bytes of available memory and free swap left until it acts, 0 if it acts now; None if it acts on pressure."""
    seconds: float | None
    """Seconds until it acts at the current rate; None without growth or if unknown."""
    victim: ProcessId | None
    victim_name: str | None
    victim_cgroup: str | None
    """The cgroup it kills, for daemons that kill cgroups."""
    signal: str
    sure: bool
    """Whether its settings were read and its rule depends only on readable data."""
    with_group: bool = False
    """Whether it kills the victim's process group too (`earlyoom -g`)."""


@frozen
class Scope:
    """What the figures cover."""

    memory: str = "machine"
    """`machine`, `container` (lxcfs) or `gVisor`."""
    processes: str = "machine"
    """`machine`, `container`, or `own` (only this user's)."""
    sees_all: bool = True
    """Whether every process of the machine is visible; if not, the next victim may be a hidden one."""
    hidden_threads: int | None = None
    """Number of hidden threads by the kernel's count; None if none are hidden or unknown."""
    user_namespace: bool = False
    """Whether root is root of a user namespace only."""


@frozen
class Assessment:
    """All facts and results at one instant."""

    time: float
    monotonic: float
    machine: Machine
    memory: MemoryAccount
    swap: SwapAccount
    pressure: PressureFigures
    victims: Victims
    growers: tuple[ProcessId, ...]
    """The fastest growing processes, fastest first, at most five."""
    findings: tuple[Finding, ...]
    """Most severe first."""
    rows: tuple[ProcessRow, ...]
    cgroups: tuple[CgroupFigures, ...]
    limit: CgroupFigures | None
    """The limit of the container oomtop runs in, if any."""
    zones: tuple[Zone, ...]
    events: tuple[OomEvent, ...]
    """All known events, newest first."""
    unlogged_kills: int | None
    """`oom_kill` of vmstat minus the kills in logs since boot; None if not comparable."""
    series: PastSeries
    """The last ten minutes."""
    problems: tuple[Problem, ...]
    pss: tuple[tuple[ProcessId, int], ...] = ()
    """(process, PSS with its share of swap) of the larger processes, while requested."""
    parts: tuple[PartGrowth, ...] = ()
    """Growing parts of the account, the fastest first."""
    scope: Scope = Scope()
    node_victims: tuple[tuple[str, Victims], ...] = ()
    """(subject, kill order) of the NUMA nodes that processes are confined to."""
    early_killers: tuple[EarlyKiller, ...] = ()
    """Userspace OOM daemons, the first to act first."""
    unwatched_limits: int = 0
    """Number of groups that have, or may have, a limit and are not in `cgroups`."""
    sample_seconds: float = 0.0
    kernel: KernelFacts | None = None
    """Settings, free lists, huge pages, slab caches; the same object until the next read."""
    meminfo: Meminfo | None = None
    """`/proc/meminfo`, for the figures that `memory` sums up."""
    curves: tuple[tuple[ProcessId, tuple[tuple[float, int], ...]], ...] = ()
    """(monotonic, RSS+swap) of the last minutes of each process open on a screen, oldest first."""
    growths: tuple[Growth, ...] = ()
    """The largest processes and groups with their growth over 1, 5 and 30 minutes; renewed every 15 s."""
    growths_at: float = float("-inf")
    log_read: bool = True
    """False until the kernel log is read: `events` may be incomplete."""
    alerts: tuple[FiringAlert, ...] = ()
    """Firing alerts, most severe first."""
    day: PastSeries = PastSeries()
    """The last day, a point a minute; the same object until there is a new point."""
    dangers: tuple[Danger, ...] = ()
    """Dangers, the nearest first; the first is the subject unless another was chosen."""
