"""`Snapshot`: all facts of one instant, immutable; `Tick`: a snapshot and the OOM events that came with it."""

from __future__ import annotations

from oomtop.frozen import frozen, replace
from oomtop.host.cgroup import Cgroup, CgroupLayout
from oomtop.host.kernel_facts import KernelFacts
from oomtop.host.killer_settings import KillerSettings
from oomtop.host.meminfo import Meminfo
from oomtop.host.numa import NumaNode
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
    """Facts that do not change while the program runs."""

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
    """Something that could not be read, with the reason; `what` is the figure or file."""

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
    nodes: tuple[NumaNode, ...] = ()
    """The NUMA nodes with memory, where there is more than one."""
    bound: tuple[tuple[ProcessId, int], ...] = ()
    """(process, nodes as a set of bits) of the larger processes that MPOL_BIND confines."""
    swaps: tuple[SwapDevice, ...] = ()
    zram: tuple[Zram, ...] = ()
    zswap: Zswap | None = None
    arc_size: int | None = None
    """ZFS ARC bytes in use (`/proc/spl/kstat/zfs/arcstats size`)."""
    arc_min: int | None = None
    """Size below which the ZFS ARC does not shrink, in bytes (`c_min`)."""
    processes: tuple[Process, ...] = ()
    users: tuple[tuple[int, str], ...] = ()
    """(uid, login name) of every user seen."""
    cgroup_layout: CgroupLayout | None = None
    cgroups: tuple[Cgroup, ...] = ()
    visibility: Visibility = Visibility()
    threads: int | None = None
    """The kernel's thread count; read only if some processes may be hidden."""
    killers: tuple[KillerSettings, ...] = ()
    """The userspace OOM daemons."""
    pss: tuple[tuple[ProcessId, int], ...] = ()
    """(process, PSS and its share of swap) of the larger processes; read only on request."""
    unwatched_limits: int = 0
    """Number of groups that have, or may have, a limit and are not in `cgroups`."""
    own_cgroup: str | None = None
    """The cgroup of oomtop itself; inside a container its limit is that of the machine."""
    is_container: bool = False
    kernel: KernelFacts | None = None
    """Settings, free lists, slab caches: read twice a minute; the same object in between."""
    containers: tuple[tuple[str, str], ...] = ()
    """(id or uid, name) of containers and pods, from local state files."""
    sample_seconds: float = 0.0
    """CPU seconds spent on this snapshot."""
    problems: tuple[Problem, ...] = ()
    uses: tuple[Use, ...] = ()
    """Reads of the limits between the previous tick and this one, oldest first."""

    def with_problem(self, problem: Problem) -> Snapshot:
        """Return the snapshot with one more problem."""
        return replace(self, problems=(*self.problems, problem))


@frozen
class Ahead:
    """What a recording holds of the seconds after a tick."""

    uses: tuple[Use, ...] = ()
    """The use of every limit, oldest first."""
    events: tuple[OomEvent, ...] = ()


@frozen
class Tick:
    """A snapshot and the OOM events found since the previous one."""

    snapshot: Snapshot
    events: tuple[OomEvent, ...] = ()
    log_read: bool = True
    """False on a first tick taken before the kernel log is read."""
    watched: frozenset[ProcessId] = frozenset()
    """Processes open on a screen: their history goes into the assessment."""
    deeds: tuple[tuple[float, str], ...] = ()
    """(Unix time, title) of the actions that ended since the previous tick."""
    ahead: Ahead = Ahead()
    """What happened next, known of a recorded tick only: nothing is concluded from it."""
