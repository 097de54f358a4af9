"""`History`: the recent past that trends need, bounded by number of points.

A process that does not change costs nothing: a point is kept only when its value changes.
"""

from __future__ import annotations

import heapq
from array import array
from collections import defaultdict, deque
from collections.abc import Container, Iterable
from math import isnan

from oomtop.frozen import frozen
from oomtop.host.cgroup import Cgroup
from oomtop.host.meminfo import Meminfo
from oomtop.host.node_domains import node_domains, use_of
from oomtop.host.process import Process, ProcessId
from oomtop.oomlog.event import OomEvent
from oomtop.part_history import PartHistory
from oomtop.snapshot import Snapshot, Tick
from oomtop.use_history import Use, UseHistory

MACHINE_POINTS = 1200
THIN_POINTS = 1440
THIN_SECONDS = 60.0
PROCESS_POINTS = 61
# Half an hour of the largest processes: 200 x 120 points are at most 3 MB.
LASTING_POINTS = 120
LASTING_SECONDS = 15.0
LASTING_PROCESSES = 200
LASTING_LEAST = 16 << 20
SUMS = 200
EVENTS = 2000
MARKS = 500
GONE_SECONDS = 300.0
KILLS = 20


@frozen
class MachinePoint:
    """The machine's figures at one instant, in bytes and per cent."""

    time: float
    monotonic: float
    available: int | None
    free: int | None
    swap_used: int | None
    some_avg10: float | None
    full_avg10: float | None


RAM, COMMIT = "RAM", "commit"
"""The subjects that are not cgroups."""
Points = deque[tuple[float, int]]
_OF_A_DAY = ("time", "available", "swap_used", "some_avg10", "full_avg10")


class Minutes:
    """A point a minute for a day, in preallocated columns: 60 kB, where objects would take 400 kB."""

    def __init__(self) -> None:
        self._columns = {name: array("d", bytes(8 * THIN_POINTS)) for name in _OF_A_DAY}
        self.clear()

    def clear(self) -> None:
        """Forget all points."""
        self._added = 0
        self.newest = float("-inf")
        """The Unix time of the newest point."""

    def add(self, point: MachinePoint) -> None:
        """Keep a point unless the last is less than a minute old; a clock set back further clears all points."""
        if abs(point.time - self.newest) < THIN_SECONDS:
            return
        if point.time < self.newest:
            self.clear()
        for name, column in self._columns.items():
            value = getattr(point, name)
            column[self._added % THIN_POINTS] = float("nan") if value is None else value
        self._added += 1
        self.newest = point.time

    def column(self, name: str) -> tuple[float | None, ...]:
        """Return a figure of every point, oldest first."""
        column, at = self._columns[name], self._added % THIN_POINTS
        ordered = column[:at] if self._added < THIN_POINTS else column[at:] + column[:at]
        return tuple(None if isnan(value) else value for value in ordered)


class History:
    """The last minutes in full, and the last day at a point a minute."""

    def __init__(self) -> None:
        self.machine: deque[MachinePoint] = deque(maxlen=MACHINE_POINTS)
        self.day = Minutes()
        self.parts = PartHistory()
        self.uses: dict[str, UseHistory] = {}
        """The use of every limit: the machine's (`RAM`, `commit`) and those of cgroups, by path."""
        self.events: list[OomEvent] = []
        """Newest first."""
        self.marks: deque[tuple[float, str]] = deque(maxlen=MARKS)
        self.ticks = 0
        self.log_read = False
        """Whether the kernel log has been read completely."""
        self.kill_counted: float | None = None
        """When the kernel's OOM kill count last rose: all that is known of a kill without a log."""
        self.previous: Snapshot | None = None
        self.current: Snapshot | None = None
        self.counted_kills: dict[str, deque[float]] = {}
        """Unix times at which `oom_kill` of a limited cgroup rose: all that is known without a log."""
        self.lasting: dict[ProcessId, Points] = {}
        """(monotonic, anonymous memory and swap) of the largest processes, four points a minute."""
        self.sums: dict[tuple[str, str], Points] = {}
        """The same of programs (by comm), users (by number) and units (by cgroup): ("user", "1000") and so on."""
        self.lasting_at = float("-inf")
        """The monotonic time of their newest point."""
        self._processes: dict[ProcessId, Points] = {}
        self._seen: dict[ProcessId, Process] = {}

    def add(self, tick: Tick) -> None:
        """Add one tick."""
        snapshot = tick.snapshot
        self.previous, self.current = self.current, snapshot
        self.ticks += 1
        self.log_read = tick.log_read
        counted, before = _kills(snapshot), _kills(self.previous)
        if counted is not None and before is not None and counted > before:
            self.kill_counted = snapshot.time
        self.parts.add(snapshot)
        self._add_machine(snapshot)
        self._add_processes(snapshot.monotonic, snapshot.processes)
        self._add_uses(tick)
        self._count_kills(snapshot)
        self._add_lasting(snapshot)
        for event in tick.events:
            self._add_event(event)
        self.marks.extend(tick.deeds)

    def add_mark(self, time: float, label: str) -> None:
        """Remember an action for the chart's time axis."""
        self.marks.append((time, label))

    def recall(self, points: Iterable[MachinePoint], events: Iterable[OomEvent]) -> None:
        """Load the machine's figures and events from a recording, oldest first."""
        self.machine.clear()
        self.day.clear()
        for point in points:
            self._add_point(point)
        for event in events:
            self._add_event(event)

    def process_points(self, identity: ProcessId) -> Points | None:
        """Return (monotonic, RSS+swap) of a process, oldest first; None if it never changed."""
        return self._processes.get(identity)

    def _add_machine(self, snapshot: Snapshot) -> None:
        memory, pressure = snapshot.meminfo, snapshot.pressure_memory
        used = None if memory.swap_total is None or memory.swap_free is None else memory.swap_total - memory.swap_free
        point = MachinePoint(
            snapshot.time,
            snapshot.monotonic,
            memory.mem_available,
            memory.mem_free,
            used,
            pressure.some.avg10 if pressure else None,
            pressure.full.avg10 if pressure and pressure.full else None,
        )
        self._add_point(point)

    def _add_point(self, point: MachinePoint) -> None:
        self.machine.append(point)
        self.day.add(point)

    def _add_processes(self, now: float, processes: Iterable[Process]) -> None:
        """Add a point for each process whose value changed, and one for each that stopped changing."""
        seen = self._seen
        fresh: dict[ProcessId, Process] = {}
        for process in processes:
            identity = process.id
            fresh[identity] = process
            before = seen.get(identity)
            if before is process:
                continue
            if before is None:
                continue
            size = process.rss_and_swap
            points = self._processes.get(identity)
            if points is None:
                if size == before.rss_and_swap:
                    continue
                points = self._processes[identity] = deque(maxlen=PROCESS_POINTS)
                if self.previous is not None:
                    points.append((self.previous.monotonic, before.rss_and_swap))
            points.append((now, size))
        self._seen = fresh
        for identity in self._processes.keys() - fresh.keys():
            del self._processes[identity]

    def _add_uses(self, tick: Tick) -> None:
        """Add the reads since the previous tick, then the tick itself; drop limits that are gone."""
        snapshot, between = tick.snapshot, {use.subject for use in tick.snapshot.uses}
        before = {} if self.previous is None else {group.path: group for group in self.previous.cgroups}
        still = {
            group.path
            for group in snapshot.cgroups
            if before.get(group.path) is group and group.path in self.uses and group.path not in between
        }
        for subject in still:
            self.uses[subject].repeat(snapshot.monotonic)
        now = uses_of(snapshot, still)
        limits = {*still, *(use.subject for use in now)}
        for use in (*snapshot.uses, *now):
            if use.subject in limits:
                self.uses.setdefault(use.subject, UseHistory()).add(use)
        for subject in self.uses.keys() - limits:
            # A restarted unit has a new cgroup at the same path: keep the history of the old one.
            if snapshot.monotonic - self.uses[subject].dense.times[-1] > GONE_SECONDS:
                del self.uses[subject]

    def _count_kills(self, snapshot: Snapshot) -> None:
        """Record which limits killed since the previous tick; of nested limits, the inner one."""
        before = {} if self.previous is None else {group.path: group for group in self.previous.cgroups if group.max}
        risen = [
            group.path
            for group in snapshot.cgroups
            if group.max and (known := before.get(group.path)) is not None and known is not group
            and (group.events.oom_kill or 0) > (known.events.oom_kill or 0)
        ]  # fmt: skip
        for path in risen:
            if not any(other.startswith(f"{path.rstrip('/')}/") for other in risen if other != path):
                self.counted_kills.setdefault(path, deque(maxlen=KILLS)).appendleft(snapshot.time)

    def _add_lasting(self, snapshot: Snapshot) -> None:
        """Add a point for each of the largest processes, four times a minute, and drop the others."""
        now = snapshot.monotonic
        if 0 <= now - self.lasting_at < LASTING_SECONDS:
            return
        self.lasting_at = now
        self._add_sums(now, snapshot.processes)
        sizes = ((_own_memory(process), process.id) for process in snapshot.processes)
        largest = heapq.nlargest(LASTING_PROCESSES, (item for item in sizes if item[0] >= LASTING_LEAST))
        before, self.lasting = self.lasting, {}
        for size, identity in largest:
            points = self.lasting[identity] = before.get(identity) or deque(maxlen=LASTING_POINTS)
            points.append((now, size))

    def _add_sums(self, now: float, processes: Iterable[Process]) -> None:
        """Add a point for each group of processes, 0 for an empty one; drop groups that were empty throughout."""
        sizes: dict[tuple[str, str], int] = defaultdict(int)
        for process in processes:
            size = _own_memory(process)
            if not size:
                continue
            sizes["program", process.comm] += size
            sizes["user", str(process.euid)] += size
            if process.cgroup is not None:
                sizes["unit", process.cgroup] += size
        known = {key: points for key, points in self.sums.items() if key in sizes or any(size for _, size in points)}
        kept = heapq.nlargest(SUMS, known.keys() | sizes.keys(), key=lambda key: (sizes.get(key, 0), key))
        self.sums = {key: known.get(key) or deque(maxlen=LASTING_POINTS) for key in kept}
        for key, points in self.sums.items():
            points.append((now, sizes.get(key, 0)))

    def _add_event(self, event: OomEvent) -> None:
        # A fuller telling of one that is known takes its place; its time may be another.
        self.events = [event, *(known for known in self.events if known.key != event.key)]
        self.events.sort(key=lambda known: known.time or 0.0, reverse=True)
        del self.events[EVENTS:]


def uses_of(snapshot: Snapshot, known: Container[str]) -> list[Use]:
    """Return the use of every limit in a snapshot: the machine's and those of the cgroups that are not known."""
    now, memory = snapshot.monotonic, snapshot.meminfo
    found = [
        Use(group.path, now, held_by(group), group.current, group.swap_current or 0)
        for group in snapshot.cgroups
        if group.max is not None and group.current is not None and group.path not in known
    ]
    machine = machine_use(memory, now, arc_surplus(snapshot))
    if machine is not None:
        found.append(machine)
    found += _node_uses(snapshot)
    kernel = snapshot.kernel
    if kernel is not None and kernel.number("overcommit_memory") == 2 and memory.committed_as is not None:
        found.append(Use(COMMIT, now, memory.committed_as, memory.committed_as))
    return found


def _node_uses(snapshot: Snapshot) -> list[Use]:
    """Return the use of the NUMA nodes that processes are confined to."""
    info, found = snapshot.meminfo, []
    swapped = 0 if info.swap_free is None else max(0, (info.swap_total or 0) - info.swap_free)
    for domain in node_domains(snapshot.nodes, snapshot.processes, dict(snapshot.bound)):
        held, used = use_of(domain, snapshot.nodes, snapshot.zones)
        found.append(Use(domain.subject, snapshot.monotonic, held, used, swapped))
    return found


def machine_use(memory: Meminfo, now: float, arc: int) -> Use | None:
    """Return the machine's use: everything that is not available, and used swap.

    `arc` is the part of the ZFS ARC that can be reclaimed.  None without MemAvailable.
    """
    if memory.mem_available is None:
        return None
    held = max(0, memory.mem_total - memory.mem_available - arc)
    swapped = 0 if memory.swap_free is None else max(0, (memory.swap_total or 0) - memory.swap_free)
    used = held if memory.mem_free is None else max(held, memory.mem_total - memory.mem_free)
    return Use(RAM, now, held, used, swapped)


def held_by(group: Cgroup) -> int:
    """Return what reclaim cannot take from a cgroup: its usage without file cache and reclaimable slab."""
    cache = (group.active_file or 0) + (group.inactive_file or 0) + (group.slab_reclaimable or 0)
    return max(0, (group.current or 0) - cache)


def arc_surplus(snapshot: Snapshot) -> int:
    """Return the ZFS ARC above its minimum, which is reclaimable but not counted in MemAvailable."""
    return 0 if snapshot.arc_size is None else max(0, snapshot.arc_size - (snapshot.arc_min or 0))


def _own_memory(process: Process) -> int:
    """Return memory that only this process can leak; file pages come and go with the page cache."""
    return (process.rss if process.rss_anon is None else process.rss_anon) + (process.swap or 0)


def _kills(snapshot: Snapshot | None) -> int | None:
    """Return the kernel's count of OOM kills since boot."""
    return snapshot.vmstat.oom_kill if snapshot is not None and snapshot.vmstat is not None else None
