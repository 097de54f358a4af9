"""`Snapshot`: all facts of one instant, immutable; `Tick`: a snapshot and the OOM events that came with it."""

from __future__ import annotations

from oomtop.frozen import frozen, replace
from oomtop.host.cgroup import Cgroup, CgroupLayout
from oomtop.host.kernel_facts import KernelFacts
from oomtop.host.killer_settings import KillerSettings
from oomtop.host.meminfo import Meminfo
from oomtop.host.pressure import Pressure
from oomtop.host.process import Process, ProcessId
from oomtop.host.swaps import SwapDevice, Zram, Zswap
from oomtop.host.visibility import Visibility
from oomtop.host.vmstat import Vmstat
from oomtop.host.zoneinfo import Zone
from oomtop.oomlog.event import OomEvent
from oomtop.use_history import Use


@frozen
class Machine:
    """What does not change while the program runs."""

    hostname: str
    kernel: str
    boot_id: str | None
    boot_time: float | None
    """Unix time of the boot."""
    page_size: int
    clock_ticks: int
    """Clock ticks per second, the unit of `ProcessId.start_time`."""
    cpu_count: int


@frozen
class Problem:
    """Something that could not be read, with the reason in words; `what` is the figure or file."""

    what: str
    why: str


@frozen
class Snapshot:
    """All facts of one instant.  `time` is Unix time, `monotonic` is CLOCK_BOOTTIME, both in seconds."""

    time: float
    monotonic: float
    machine: Machine
    meminfo: Meminfo
    vmstat: Vmstat | None = None
    pressure_memory: Pressure | None = None
    pressure_io: Pressure | None = None
    zones: tuple[Zone, ...] = ()
    swaps: tuple[SwapDevice, ...] = ()
    zram: tuple[Zram, ...] = ()
    zswap: Zswap | None = None
    arc_size: int | None = None
    """ZFS ARC bytes in use (`/proc/spl/kstat/zfs/arcstats size`)."""
    arc_min: int | None = None
    """ZFS ARC bytes it will not shrink below (`c_min`)."""
    processes: tuple[Process, ...] = ()
    users: tuple[tuple[int, str], ...] = ()
    """(uid, login name) of every user seen."""
    cgroup_layout: CgroupLayout | None = None
    cgroups: tuple[Cgroup, ...] = ()
    visibility: Visibility = Visibility()
    threads: int | None = None
    """All threads that the kernel counts, seen or not; asked for only where some may be hidden."""
    killers: tuple[KillerSettings, ...] = ()
    """The daemons that kill before the kernel does."""
    pss: tuple[tuple[ProcessId, int], ...] = ()
    """(process, PSS and its share of swap) of the larger processes; read only where somebody asks for it."""
    unwatched_limits: int = 0
    """How many groups that have a limit, or may have one, are not among `cgroups`."""
    own_cgroup: str | None = None
    """The cgroup oomtop itself runs in; inside a container its limit is the machine's."""
    is_container: bool = False
    kernel: KernelFacts | None = None
    """Settings, free lists, slab caches: read twice a minute, the same object in between."""
    containers: tuple[tuple[str, str], ...] = ()
    """(id or uid, name) of containers and pods, as local state files know them."""
    sample_seconds: float = 0.0
    """CPU time that taking this snapshot cost."""
    problems: tuple[Problem, ...] = ()
    uses: tuple[Use, ...] = ()
    """What was read of the limits between the tick before and this one, oldest first."""

    def with_problem(self, problem: Problem) -> Snapshot:
        """Return the same snapshot with one more problem."""
        return replace(self, problems=(*self.problems, problem))


@frozen
class Tick:
    """A snapshot and the OOM events that became known since the one before."""

    snapshot: Snapshot
    events: tuple[OomEvent, ...] = ()
    log_read: bool = True
    """False on a first tick that comes before the kernel log was read."""
    watched: frozenset[ProcessId] = frozenset()
    """Processes that somebody looks at: what is remembered of them goes into the assessment."""
