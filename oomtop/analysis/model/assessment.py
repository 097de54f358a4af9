"""`Assessment` and its parts: every figure that a screen, `--json` or `/metrics` shows.

Bytes and seconds; shares are 0.0 to 1.0; None is "not known", shown as a dash.
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
    """Where MemTotal went; all parts add up to `total` exactly where `free` is known, an unknown one taken as 0."""

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
    """What no counter names (drivers, network buffers), and what counters that cannot be would have named."""
    free: int | None
    available: int | None
    """MemAvailable, plus what ZFS ARC would give back."""
    min_watermark: int | None
    """The sum of all zones' `min`: at this much free memory requests start to fail."""
    dirty: int | None
    writeback: int | None
    mlocked: int | None
    committed: int | None
    commit_limit: int | None
    balloon: int = 0
    """What the hypervisor took back, as far as no other part has it."""
    hugetlb_unused: int = 0
    """Of `hugetlb`, what is reserved and nobody uses."""
    compressed: int = 0
    """RAM that holds swapped pages in compressed form: zswap's pool and zram."""
    available_estimated: bool = False
    """Whether `available` was computed because the kernel gives none that can be."""


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
    """What the kernel counted since boot (`/proc/vmstat`); None where it counts no such thing."""

    major_faults: int | None = None
    """Page faults that waited for a disk."""
    swapped_in: int | None = None
    """Bytes read back from swap."""
    swapped_out: int | None = None
    refaulted: int | None = None
    """Bytes of evicted pages that had to come back."""
    direct_reclaims: int | None = None
    """Allocations that had to reclaim."""


@frozen
class PressureFigures:
    """How much the machine waits for memory; rates are events per second."""

    memory: Pressure | None
    io: Pressure | None
    major_fault_rate: float | None
    refault_rate: float | None
    """Bytes per second of evicted pages that had to come back."""
    direct_reclaim_rate: float | None
    oom_kills: int | None
    """`oom_kill` of `/proc/vmstat`, since boot."""
    last_kill_age: float | None
    """Seconds since that counter rose or an event came, None if it did not."""
    since_boot: SinceBoot = SinceBoot()


@frozen
class Candidate:
    """A process the OOM killer could choose, ranked as the kernel ranks it."""

    id: ProcessId
    name: str
    uid: int | None
    badness: int
    """`oom_badness` in pages (may be negative)."""
    share: float
    """badness / total pages."""
    frees: int
    """Bytes its death gives back: anonymous, swap and page tables (shared and file pages may stay)."""
    held: int = 0
    """RSS and swap, in bytes."""
    swap: int = 0


@frozen
class Victims:
    """The kill order of one OOM domain: the machine or a cgroup.  `candidates` are the ten first."""

    candidates: tuple[Candidate, ...] = ()
    near_tie: bool = False
    """Whether the first that does not die with it is within 1 %, so that the choice may fall either way."""
    oom_group: str | None = None
    """The cgroup that dies as a whole with the victim (`memory.oom.group`)."""
    culprit: str | None = None
    """Set when no process is guilty: says which kernel, tmpfs or hugetlb memory is."""
    dying: tuple[ProcessId, ...] = ()
    """Who dies when the first is chosen: itself, who shares its memory map, all of `oom_group`."""
    dying_frees: int | None = None
    """Bytes that their death gives back together."""

    @property
    def first(self) -> Candidate | None:
        """The process the kernel would kill now."""
        return self.candidates[0] if self.candidates else None


@frozen
class ProcessRow:
    """A process and what was concluded about it.  Unchanged processes keep their row object between ticks."""

    process: Process
    user: str
    growth: float | None
    """Bytes per second of RSS+swap, robust slope over the last minute; None until there are enough points."""
    cpu: float | None
    """Share of one CPU since the tick before (1.0 is one CPU busy)."""
    major_fault_rate: float | None
    badness: int | None
    """`oom_badness` in pages, None for processes that cannot be killed."""
    share: float | None
    """badness / (RAM + swap)."""
    unit: str | None
    """systemd unit, container or pod name from the cgroup path; None where there is none."""
    headroom: int | None
    """Bytes to the nearest memory limit of its cgroups, None without a limit."""
    headroom_path: str | None
    members: int = 1
    """Of how many processes these are the totals."""
    is_bound: bool = False
    """Whether `rss` may count pages that its members share more than once."""

    @property
    def is_total(self) -> bool:
        """Whether these are the totals of several processes."""
        return self.members > 1


@frozen
class PartGrowth:
    """A part of memory that grew in the last minute."""

    part: str
    """`anon`, `shmem`, `page tables`, `kernel stacks`, `percpu`, `slab`, `huge pages`, `balloon`, `ARC`, `zram`, ..."""
    rate: float
    """Bytes per second."""
    cgroup: str | None = None
    """Of shared memory: the cgroup in which most of it grew."""


@frozen
class Together:
    """Processes of one program and what they hold in RAM and swap."""

    name: str
    processes: int
    size: int
    counted_once: bool
    """Whether shared pages are counted once; if not, `size` is an upper bound."""


@frozen
class CgroupFigures:
    """A cgroup and what was concluded about it."""

    cgroup: Cgroup
    name: str
    effective_limit: int | None
    """The smallest `max` from here up to the root."""
    headroom: int | None
    danger: Danger | None
    """What becomes of its own limit, None without one."""
    victims: Victims

    @property
    def growth(self) -> float | None:
        """Bytes a second by which what it holds grows, None without a limit of its own."""
        return None if self.danger is None else self.danger.rate


class Severity(Enum):
    """How loudly a finding is shown."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


@frozen
class Finding:
    """A named cause with its evidence (the figures) and the advice (with the action's key)."""

    id: str
    severity: Severity
    title: str
    evidence: str
    advice: str
    target: ProcessId | None = None
    cgroup: str | None = None


@frozen
class FiringAlert:
    """An alert of the configuration whose condition holds, for one subject."""

    name: str
    severity: Severity
    subject: str
    """The cgroup, process, finding or killer it fires for; empty for the machine."""
    text: str
    """The condition with the figure that meets it."""
    since: float
    """Unix time."""
    value: float | None = None


@frozen
class Growth:
    """How a process or a group of them grew, in bytes per second; None where too little of the window was seen."""

    kind: str
    """`process`, `program`, `user` or `unit` (service, container, pod)."""
    name: str
    pid: int | None
    start_time: int | None
    """Of a process, in clock ticks after boot: with the pid its identity."""
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
    """What a daemon that kills before the kernel does would do."""

    name: str
    id: ProcessId
    condition: str
    """What it acts on, in words with its figures."""
    room: int | None
    """Bytes of available memory and free swap until it acts, 0 where it does now; None where it acts on pressure."""
    seconds: float | None
    """Until it acts at the present rate; None where nothing grows or it is not known."""
    victim: ProcessId | None
    victim_name: str | None
    victim_cgroup: str | None
    """The group that it ends as a whole, of the daemons that end groups."""
    signal: str
    sure: bool
    """Whether its settings were read and its rule uses nothing that no file tells."""


@frozen
class Scope:
    """Whose figures these are."""

    memory: str = "machine"
    """`machine`, `container` (as lxcfs tells it) or `gVisor`."""
    processes: str = "machine"
    """`machine`, `container`, or `own`: those of this user."""
    sees_all: bool = True
    """Whether every process of the machine is among the rows; if not, the next victim may be one that is not."""
    hidden_threads: int | None = None
    """How many threads the kernel counts beside those seen; None where nothing is hidden or it does not tell."""
    user_namespace: bool = False
    """Whether root is root of a user namespace only."""


@frozen
class Assessment:
    """Everything known and concluded at one instant."""

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
    """The limit of the container oomtop runs in, where there is one."""
    zones: tuple[Zone, ...]
    events: tuple[OomEvent, ...]
    """All events known, newest first."""
    unlogged_kills: int | None
    """`oom_kill` of vmstat minus the kills found in logs since boot; None if not comparable."""
    series: PastSeries
    """The last ten minutes."""
    problems: tuple[Problem, ...]
    pss: tuple[tuple[ProcessId, int], ...] = ()
    """(process, proportional set size with its share of swap) of the larger processes, while they are asked for."""
    parts: tuple[PartGrowth, ...] = ()
    """The parts of the account that grow, the fastest first."""
    scope: Scope = Scope()
    early_killers: tuple[EarlyKiller, ...] = ()
    """The daemons that kill, the first to act first."""
    unwatched_limits: int = 0
    """How many groups that have a limit, or may have one, are not among `cgroups`."""
    sample_seconds: float = 0.0
    kernel: KernelFacts | None = None
    """Settings, free lists, huge pages, slab caches; the same object until it is read again."""
    meminfo: Meminfo | None = None
    """The kernel's own account, for the figures that `memory` sums up."""
    curves: tuple[tuple[ProcessId, tuple[tuple[float, int], ...]], ...] = ()
    """(monotonic, RSS+swap) of the last minutes of each process that is looked at, oldest first."""
    growths: tuple[Growth, ...] = ()
    """The largest processes and groups with their growth over 1, 5 and 30 minutes; renewed every 15 s."""
    growths_at: float = float("-inf")
    log_read: bool = True
    """False until the kernel log was read: `events` may still be too few."""
    alerts: tuple[FiringAlert, ...] = ()
    """The alerts of the configuration that fire, most severe first."""
    day: PastSeries = PastSeries()
    """The last day, a point a minute; the same object until there is a new one."""
    dangers: tuple[Danger, ...] = ()
    """What can run out, the nearest first: the first is the subject, unless another one was chosen."""
