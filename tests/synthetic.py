"""A machine made up: as many processes and cgroups as asked for, of which some do something on every tick."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any

from oomtop.host.buddyinfo import BuddyZone
from oomtop.host.cgroup import Cgroup, CgroupEvents, CgroupLayout
from oomtop.host.kernel_facts import KernelFacts
from oomtop.host.meminfo import Meminfo
from oomtop.host.pressure import Pressure, PressureLine
from oomtop.host.process import Process, ProcessId
from oomtop.host.swaps import SwapDevice
from oomtop.host.vmstat import Vmstat
from oomtop.host.zoneinfo import Zone
from oomtop.oomlog.event import OomEvent, Task, Victim
from oomtop.snapshot import Machine, Snapshot, Tick
from tests.present import present

PAGE = 4096
MIB = 1 << 20
START = 1_790_000_000.25
MACHINE = Machine("synth", "6.18.0-test", "0f-boot", START - 5000, PAGE, 100, 8)
_PROGRAMS = ("postgres", "nginx", "java", "python3", "redis-server", "kworker/2:1", "containerd-shim", "node", "sshd")


class SyntheticMachine:
    """Facts of a server: a share of its processes works, a few come and go, memory moves."""

    def __init__(self, processes: int = 500, cgroups: int = 60, busy: float = 0.15, seed: int = 1) -> None:
        self._random = random.Random(seed)
        self._busy = busy
        self._pid = 1000
        self._paths = ["/", "/system.slice"] + [f"/system.slice/unit-{n}.service" for n in range(cgroups - 2)]
        self.processes = [self._born(0.0) for _ in range(processes)]
        self.cgroups = [self._group(path, n) for n, path in enumerate(self._paths)]
        self.pressure = Pressure(PressureLine(0.0, 0.0, 0.0, 1000), PressureLine(0.0, 0.0, 0.0, 500))
        self.vmstat = Vmstat(
            pgmajfault=54_321,
            pswpin_pages=12,
            pswpout_pages=44,
            oom_kill=0,
        )
        names = [field.name for field in fields(Meminfo) if field.name not in ("available_estimated", "doubts")]
        figures: dict[str, Any] = {name: PAGE * self._random.randrange(4_000_000) for name in names}
        self.meminfo = Meminfo(**figures)
        self.meminfo = replace(
            self.meminfo, mem_total=16384 * MIB, mem_free=2048 * MIB, mem_available=9000 * MIB,
            swap_total=4096 * MIB, swap_free=3000 * MIB, hugetlb=0, huge_pages_total=0, s_unreclaim=200 * MIB,
        )  # fmt: skip
        self.zones = tuple(
            Zone(0, name, 100 * MIB, MIB, 2 * MIB, 3 * MIB, 2000 * MIB, 2000 * MIB, (0, MIB))
            for name in ("DMA32", "Normal")
        )
        self.kernel = self._facts()
        self.turn = 0

    def snapshot(self, seconds: float = 5.0) -> Snapshot:
        """Return the facts `seconds` later."""
        self.turn += 1
        now = 5000.0 + self.turn * seconds + self._random.random() / 100
        self._work(now)
        if self.turn % 6 == 0:
            self.kernel = self._facts()
        return Snapshot(
            time=START + now, monotonic=now, machine=MACHINE, meminfo=self.meminfo, vmstat=self.vmstat,
            pressure_memory=self.pressure, pressure_io=self.pressure, zones=self.zones,
            swaps=(SwapDevice("/swapfile", "file", 4096 * MIB, 1096 * MIB, -2),), processes=tuple(self.processes),
            users=((0, "root"), (33, "www-data"), (1000, "alice")), cgroup_layout=CgroupLayout(2, "/sys/fs/cgroup", "/sys/fs/cgroup"),
            cgroups=tuple(self.cgroups), own_cgroup="/system.slice", kernel=self.kernel,
            sample_seconds=0.015 + self._random.random() / 1000,
        )  # fmt: skip

    def ticks(self, count: int, seconds: float = 5.0, event_every: int = 0) -> Iterator[Tick]:
        """Yield `count` ticks, every `event_every`th with an OOM event."""
        for number in range(1, count + 1):
            snapshot = self.snapshot(seconds)
            has_event = event_every and number % event_every == 0
            yield Tick(snapshot, (make_event(snapshot.time, number),) if has_event else ())

    def _work(self, now: float) -> None:
        random_ = self._random
        for place in random_.sample(range(len(self.processes)), int(self._busy * len(self.processes))):
            self.processes[place] = self._worked(self.processes[place])
        if random_.random() < 0.5:
            self.processes.pop(random_.randrange(len(self.processes)))
            self.processes.append(self._born(now))
        for place in random_.sample(range(len(self.cgroups)), len(self.cgroups) // 3):
            self.cgroups[place] = self._moved(self.cgroups[place])
        step = PAGE * random_.randrange(-5000, 5000)
        memory = self.meminfo
        self.meminfo = replace(
            memory, mem_free=present(memory.mem_free) + step, mem_available=(memory.mem_available or 0) + step,
            anon_pages=(memory.anon_pages or 0) - step,
            cached=(memory.cached or 0) + 4096 * random_.randrange(100), dirty=4096 * random_.randrange(900),
            committed_as=(memory.committed_as or 0) - step, page_tables=(memory.page_tables or 0) + 4096,
            active_file=(memory.active_file or 0) + 8192, inactive_file=(memory.inactive_file or 0) - 8192,
            swap_free=(memory.swap_free or 0) - (4096 if random_.random() < 0.1 else 0),
        )  # fmt: skip
        old = self.vmstat
        self.vmstat = replace(old, pgmajfault=(old.pgmajfault or 0) + random_.randrange(9))
        self.pressure = self._pressed(self.pressure)
        self.zones = tuple(replace(zone, free=zone.free + PAGE * random_.randrange(-50, 50)) for zone in self.zones)

    def _worked(self, old: Process) -> Process:
        random_ = self._random
        kind = random_.random()
        if kind < 0.05:
            return replace(old)
        cpu = round((round(old.cpu_seconds * 100) + random_.randrange(1, 300)) / 100, 2)
        if kind < 0.4:
            return replace(old, cpu_seconds=cpu, state=random_.choice("RS"))
        grown = PAGE * random_.randrange(-40, 60)
        return replace(
            old, cpu_seconds=cpu, minor_faults=old.minor_faults + random_.randrange(400), rss=max(0, old.rss + grown),
            rss_anon=max(0, (old.rss_anon or 0) + grown), state=random_.choice("RSD"), oom_score=random_.randrange(600, 800),
        )  # fmt: skip

    def _born(self, now: float) -> Process:
        random_ = self._random
        self._pid += random_.randrange(1, 9)
        rss = PAGE * random_.randrange(200, 50_000)
        comm = random_.choice(_PROGRAMS)
        return Process(
            ProcessId(self._pid, int(now * 100)), 1, comm, "S", now, 4194560, self._pid, 0, 0, random_.randrange(1, 40),
            random_.randrange(9999) / 100, random_.randrange(10**6), random_.randrange(500), rss * 5, rss, rss - PAGE * 100,
            PAGE * 99, PAGE, 0, 65536, 0, 0, 1000, 1000, random_.randrange(600, 800), 0,
            random_.choice(self._paths), f"/usr/bin/{comm} --config /etc/{comm}/conf.d/{self._pid % 40}.conf --serve",
        )  # fmt: skip

    def _group(self, path: str, number: int) -> Cgroup:
        current = PAGE * self._random.randrange(1000, 300_000)
        limit = 4096 * MIB if number % 5 == 2 else None
        line = PressureLine(0.0, 0.0, 0.0, 10 * number)
        return Cgroup(path, current, current, None, limit, anon=current // 2, file=current // 3, shmem=0, pids_current=3,
                      events=CgroupEvents(0, 0, 0, 0), pressure=Pressure(line, line))  # fmt: skip

    def _moved(self, old: Cgroup) -> Cgroup:
        step = PAGE * self._random.randrange(-300, 330)
        pressure = self._pressed(old.pressure) if old.pressure and self._random.random() < 0.3 else old.pressure
        return replace(
            old, current=max(0, (old.current or 0) + step), anon=max(0, (old.anon or 0) + step), pressure=pressure
        )

    def _pressed(self, old: Pressure) -> Pressure:
        random_ = self._random
        line = PressureLine(
            random_.randrange(300) / 100,
            random_.randrange(200) / 100,
            0.5,
            old.some.total_us + random_.randrange(90_000),
        )
        return Pressure(line, replace(line, total_us=line.total_us // 2))

    def _facts(self) -> KernelFacts:
        buddy = tuple(
            BuddyZone(0, name, tuple(self._random.randrange(5000) for _ in range(11))) for name in ("DMA32", "Normal")
        )
        return KernelFacts((("swappiness", "60"), ("overcommit_memory", "0")), buddy)


def make_event(time: float, number: int = 1) -> OomEvent:
    """Return a kernel's report of a global kill at `time`."""
    tasks = tuple(Task(1000 + n, f"prog{n}", rss=PAGE * n) for n in range(40))
    raw = tuple(f"Out of memory: line {n} of the report, with text that logs have" for n in range(60))
    return OomEvent("kernel", "global", time, kernel_time=time - START, victim=Victim(1000 + number, "postgres", 1000, 40_960_000, 4096 * 900),
                    tasks=tasks, raw=raw, complete=True)  # fmt: skip
