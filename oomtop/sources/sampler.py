"""`Sampler`: the only reader of files and clocks on the tick; turns the kernel's files into a `Snapshot`."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TypeVar

from oomtop.analysis.oom_score.badness import total_pages
from oomtop.errors import ParseError
from oomtop.host.arc import Arc, read_arc
from oomtop.host.cgroup import Cgroup, CgroupLayout, find_layout, namespace_root
from oomtop.host.checked_meminfo import read_meminfo
from oomtop.host.cmdline import CommandLines
from oomtop.host.container_names import ContainerNames
from oomtop.host.kernel_facts import KernelFacts, KernelWatch
from oomtop.host.meminfo import Meminfo
from oomtop.host.pressure import Pressure, read_pressure
from oomtop.host.process import Process, ProcessId
from oomtop.host.process_scan import ProcessScan, parse_cgroup
from oomtop.host.root import Root, read_optional
from oomtop.host.shared_memory_map import memory_owners
from oomtop.host.swaps import Zram, read_swaps, read_zram, read_zswap
from oomtop.host.user_names import UserNames
from oomtop.host.visibility import read_threads, read_visibility
from oomtop.host.vmstat import read_vmstat
from oomtop.host.zoneinfo import Zone, read_zoneinfo
from oomtop.snapshot import Machine, Problem, Snapshot
from oomtop.sources.candidates import first_candidates, identities
from oomtop.sources.cgroup_watch import CgroupWatch
from oomtop.sources.killer_watch import KillerWatch
from oomtop.sources.numa_watch import NumaWatch
from oomtop.sources.pss_watch import PssWatch, Sizes
from oomtop.sources.slow_reads import SlowFacts
from oomtop.units import format_bytes

T = TypeVar("T")

_CANDIDATES_EVERY = 4
# Above this share of RAM the kernel's own objects are a suspect, and which ones they are is read.
_SLAB_SUSPECT = 0.1
# While free, anonymous and swapped memory move less than this (and 0.1 % of RAM), idle processes are read in turn.
_STILL = 16 << 20
# The zones manage what MemTotal is, give or take what came or went between two reads.
_ZONES = 1.25
_ESTIMATED = "MemAvailable is missing or implausible: estimated with the kernel's formula"


class Sampler:
    """Reads one machine, or a tree of files that looks like one; keeps descriptors, so it has to be closed."""

    def __init__(self, root: Root | None = None) -> None:
        self._root = root or Root()
        self._machine = read_machine(self._root)
        self._visibility = read_visibility(self._root)
        self._is_lxcfs = self._visibility.lxcfs
        self._scan = ProcessScan(self._root, self._machine.page_size, self._machine.clock_ticks)
        self._commands = CommandLines(self._root)
        self._kernel = KernelWatch(self._root, self._machine.page_size)
        self._layout = find_layout(self._root)
        self._scan.memory_hierarchy = self._layout is None or self._layout.version == 1
        own = read_own_cgroup(self._root, self._layout)
        outer = "" if self._layout is None else namespace_root(self._root, self._layout, own)
        self._scan.cgroup_root = outer
        self._own_cgroup = own if own is None or not outer else f"{outer}{own}".rstrip("/")
        self._is_container = is_container(self._root)
        self._containers = ContainerNames(self._root)
        self._users = UserNames()
        slow = SlowFacts()
        self._killers = KillerWatch(self._root, slow)
        self._pss = PssWatch(self._root, slow)
        self._numa = NumaWatch(self._root, slow)
        self._scan.has_nodes = self._numa.has_nodes
        self._watch = CgroupWatch(self._root, self._layout) if self._layout is not None else None
        self._figures: tuple[int, int, int] | None = None
        self._turn = 0
        self._first: tuple[Process, ...] = ()
        self._problems: list[Problem] = []

    def close(self) -> None:
        """Give all descriptors back."""
        self._scan.close()

    def sample(
        self, watched: frozenset[ProcessId] = frozenset(), with_slabs: bool = False, pss_patience: float | None = None
    ) -> Snapshot:
        """Return all facts of this instant; what could not be read is in `problems`.

        `pss_patience`: have PSS read, and wait so many seconds for the first round of it.

        Raises:
            ParseError: `/proc/meminfo` itself cannot be read.
        """
        started = time.thread_time()
        self._problems = []
        root = self._root
        meminfo = read_meminfo(root, self._is_lxcfs)
        self._problems += [Problem("/proc/meminfo", why) for why in meminfo.doubts]
        if meminfo.available_estimated:
            self._problems.append(Problem("/proc/meminfo", _ESTIMATED))
        arc = self._arc(meminfo)
        groups = self._cgroups()
        processes = self._processes(watched | identities(self._first), self._has_moved(meminfo))
        processes = self._with_candidates(processes, groups, meminfo)
        self._turn += 1
        memory = self._pressure("memory")
        if memory is None:
            self._problems.append(Problem("pressure", "no PSI: the kernel was built without it or booted with psi=0"))
        return Snapshot(
            time=time.time(),
            monotonic=time.clock_gettime(time.CLOCK_BOOTTIME),
            machine=self._machine,
            meminfo=meminfo,
            vmstat=self._try("vmstat", lambda: read_vmstat(root)),
            pressure_memory=memory,
            pressure_io=self._pressure("io"),
            zones=self._zones(meminfo),
            nodes=self._numa.nodes(),
            bound=self._numa.bound(processes),
            swaps=self._try("swaps", lambda: read_swaps(root)) or (),
            zram=self._zram(meminfo),
            zswap=self._try("zswap", lambda: read_zswap(root)),
            arc_size=arc.size if arc else None,
            arc_min=arc.minimum if arc else None,
            processes=processes,
            users=self._user_names(processes),
            cgroup_layout=self._layout,
            cgroups=groups,
            visibility=self._visibility,
            threads=read_threads(root) if self._visibility.hides_processes else None,
            pss=self._sizes(processes, pss_patience),
            killers=self._killers.killers(processes),
            unwatched_limits=self._watch.unwatched_limits if self._watch is not None else 0,
            own_cgroup=self._own_cgroup,
            is_container=self._is_container,
            containers=self._containers.names(group.path for group in groups),
            kernel=self._kernel_facts(meminfo, with_slabs),
            sample_seconds=time.thread_time() - started,
            problems=tuple(self._problems),
        )

    def _try(self, what: str, read: Callable[[], T]) -> T | None:
        """Return what `read` gives; a malformed file becomes a problem, never the end of the tick."""
        try:
            return read()
        except ParseError as error:
            self._problems.append(Problem(what, str(error)))
            return None

    def _arc(self, meminfo: Meminfo) -> Arc | None:
        """Return the ZFS cache; a container sees that of its host, which is no part of its own memory."""
        arc = self._try("ZFS ARC", lambda: read_arc(self._root))
        if arc is None or (arc.size <= meminfo.mem_total and not self._is_lxcfs):
            return arc
        self._problems.append(Problem("arcstats", f"ARC {format_bytes(arc.size)} belongs to the host: ignored"))
        return None

    def _zram(self, meminfo: Meminfo) -> tuple[Zram, ...]:
        """Return the zram devices; a container sees those of its host, which may hold more than its memory."""
        devices = self._try("zram", lambda: read_zram(self._root)) or ()
        kept = tuple(device for device in devices if device.mem_used_total <= meminfo.mem_total)
        if kept != devices or (self._is_lxcfs and devices):
            self._problems.append(Problem("zram", "devices of another machine: ignored"))
            return ()
        return kept

    def _zones(self, meminfo: Meminfo) -> tuple[Zone, ...]:
        """Return the zones; those of a container's host are not of the memory that meminfo tells of."""
        zones = self._try("zoneinfo", lambda: read_zoneinfo(self._root, self._machine.page_size)) or ()
        managed = sum(zone.managed for zone in zones)
        if managed <= _ZONES * meminfo.mem_total:
            return zones
        why = f"zones of {format_bytes(managed)} beside MemTotal {format_bytes(meminfo.mem_total)}: not used"
        self._problems.append(Problem("/proc/zoneinfo", why))
        return ()

    def _kernel_facts(self, meminfo: Meminfo, with_slabs: bool) -> KernelFacts | None:
        is_suspect = (meminfo.s_unreclaim or 0) > _SLAB_SUSPECT * meminfo.mem_total
        now = time.clock_gettime(time.CLOCK_BOOTTIME)
        return self._try("kernel", lambda: self._kernel.facts(now, with_slabs or is_suspect))

    def _pressure(self, resource: str) -> Pressure | None:
        return self._try(f"pressure {resource}", lambda: read_pressure(self._root.at(f"/proc/pressure/{resource}")))

    def _has_moved(self, meminfo: Meminfo) -> bool:
        """Whether some process may have grown or shrunk since the last sample: then none of them may rest."""
        now = (meminfo.mem_free or 0, meminfo.anon_pages or 0, meminfo.swap_free or 0)
        before, self._figures = self._figures, now
        limit = max(_STILL, meminfo.mem_total // 1000)
        return before is None or any(abs(a - b) > limit for a, b in zip(now, before, strict=True))

    def _processes(self, watched: frozenset[ProcessId], thorough: bool) -> tuple[Process, ...]:
        processes = self._try("processes", lambda: self._scan.scan(watched, thorough)) or ()
        self._commands.ask(self._scan.take_nameless())
        arrived = self._commands.collect()
        if not arrived:
            return processes
        for identity, command in arrived:
            self._scan.set_command(identity, command)
        return self._scan.current()

    def _with_candidates(
        self, processes: tuple[Process, ...], groups: tuple[Cgroup, ...], meminfo: Meminfo
    ) -> tuple[Process, ...]:
        """Find out now and then whom the OOM killer may choose first, and who of them share their memory."""
        if self._turn % _CANDIDATES_EVERY:
            return processes
        page = self._machine.page_size
        pages = total_pages(meminfo.mem_total, meminfo.swap_total, page)
        self._first = first_candidates(processes, groups, pages, page)
        owners = memory_owners(self._first)
        if all(process.memory_owner == owners[process.id] for process in self._first):
            return processes
        for identity, owner in owners.items():
            self._scan.set_memory_owner(identity, owner)
        return self._scan.current()

    def _cgroups(self) -> tuple[Cgroup, ...]:
        """Return the groups that are watched; which ones are not is a problem."""
        if self._watch is None:
            self._problems.append(Problem("cgroups", "no memory controller is mounted"))
            return ()
        groups = self._watch.read(self._try)
        if left_out := self._watch.left_out:
            self._problems.append(Problem("cgroups", left_out))
        return groups

    def _sizes(self, processes: tuple[Process, ...], patience: float | None) -> Sizes:
        if patience is None:
            self._pss.forget()
            return ()
        return self._pss.sizes(processes, patience)

    def _user_names(self, processes: tuple[Process, ...]) -> tuple[tuple[int, str], ...]:
        names = self._users.names({process.euid for process in processes if process.euid is not None})
        if overdue := self._users.overdue:
            why = f"{overdue} not resolved yet (nsswitch.conf: LDAP, sssd): the uid is shown until then"
            self._problems.append(Problem("user names", why))
        return names


def read_machine(root: Root) -> Machine:
    """Return what does not change while the program runs."""
    boot_id = read_optional(root.at("/proc/sys/kernel/random/boot_id"))
    return Machine(
        hostname=(read_optional(root.at("/proc/sys/kernel/hostname")) or "").strip(),
        kernel=(read_optional(root.at("/proc/sys/kernel/osrelease")) or "").strip(),
        boot_id=boot_id.strip() if boot_id else None,
        boot_time=time.time() - time.clock_gettime(time.CLOCK_BOOTTIME),
        page_size=os.sysconf("SC_PAGE_SIZE"),
        clock_ticks=os.sysconf("SC_CLK_TCK"),
        cpu_count=os.cpu_count() or 1,
    )


def read_own_cgroup(root: Root, layout: CgroupLayout | None) -> str | None:
    """Return the group that oomtop itself runs in."""
    text = read_optional(root.at("/proc/self/cgroup"))
    if text is None:
        return None
    return parse_cgroup(text.encode(), layout is None or layout.version == 1)


def is_container(root: Root) -> bool:
    """Whether docker, podman, or systemd's own convention says that this is a container."""
    if os.path.exists(root.at("/.dockerenv")) or os.path.exists(root.at("/run/.containerenv")):
        return True
    return os.path.exists(root.at("/run/systemd/container"))
