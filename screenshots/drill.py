"""What the pictures show: steady processes, and one that grows inside a cgroup limited to 300 MB."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from oomtop.host.cgroup import find_layout
from oomtop.host.root import Root
from oomtop.host.vmstat import read_vmstat
from oomtop.snapshot import Tick
from oomtop.source import LiveSource

LIMIT = 300 << 20
STARTED = time.time()
_BEFORE = read_vmstat(Root())
KILLS_BEFORE = (_BEFORE.oom_kill or 0) if _BEFORE else 0
# Takes a name, a size in MB to hold and a growth in MB/s.
WORKER = """
import ctypes, mmap, sys, time
name, size, rate = NAME, SIZE, RATE
ctypes.CDLL(None).prctl(15, name.encode(), 0, 0, 0)
memory = mmap.mmap(-1, 1 << 32, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
for i in range(4096):
    memory[i << 20:(i + 1) << 20] = b"x" * (1 << 20)
    if i > size:
        time.sleep(1 / rate if rate else 1e6)
"""
STEADY = (("postgres", 180), ("redis-server", 90), ("nginx", 12), ("nginx", 11), ("node", 130), ("sshd", 6))


class DrillSource(LiveSource):
    """The machine, without the kills that are older than the drill: neither their events nor their count."""

    def ticks(self) -> Iterator[Tick]:
        """Yield ticks until `close`."""
        for tick in super().ticks():
            events = tuple(event for event in tick.events if (event.time or 0.0) >= STARTED)
            vmstat = tick.snapshot.vmstat
            if vmstat is not None and vmstat.oom_kill is not None:
                vmstat = replace(vmstat, oom_kill=vmstat.oom_kill - KILLS_BEFORE)
            yield Tick(replace(tick.snapshot, vmstat=vmstat), events)


@contextmanager
def drill() -> Iterator[None]:
    """Hold the steady processes, and let one be killed by the limit of its cgroup before the first picture."""
    workers = [start(name, size, 0) for name, size in STEADY]
    try:
        with growing_worker(rate=300) as victim:
            if victim is not None:
                victim.wait(20)
        yield
    finally:
        for worker in workers:
            end(worker)


@contextmanager
def growing_worker(rate: float = 12) -> Iterator[subprocess.Popen[bytes] | None]:
    """Hold a process that grows by `rate` MB/s inside a limited cgroup, nothing where that may not be made."""
    layout = find_layout(Root())
    if layout is None or os.geteuid() != 0:
        yield None
        return
    group = Path(layout.memory_mount, "image-resizer.service")
    group.mkdir()
    worker = None
    try:
        (group / ("memory.limit_in_bytes" if layout.version == 1 else "memory.max")).write_text(str(LIMIT))
        worker = start("image-resizer", 40, rate, group)
        yield worker
    finally:
        if worker is not None:
            end(worker)
        group.rmdir()


def start(name: str, size: int, rate: float, group: Path | None = None) -> subprocess.Popen[bytes]:
    """Start a process called `name` that holds `size` MB and then grows by `rate` MB/s."""
    code = WORKER.replace("NAME", repr(name)).replace("SIZE", str(size)).replace("RATE", str(rate))
    # The system's Python where there is one: its place is the same everywhere, and the picture of a process shows it.
    system = Path("/usr/bin/python3")
    python, home = (system, "/usr") if system.exists() else (Path(sys.executable), sys.base_prefix)
    # Python looks for its library beside argv[0], unless it is told.
    environ = {**os.environ, "PYTHONHOME": home}
    worker = subprocess.Popen([name, "-"], executable=python.resolve(), stdin=subprocess.PIPE, env=environ)
    if group is not None:
        (group / "cgroup.procs").write_text(str(worker.pid))
    assert worker.stdin is not None
    worker.stdin.write(code.encode())
    worker.stdin.close()
    return worker


def end(worker: subprocess.Popen[bytes]) -> None:
    """Kill a worker and wait until it is gone."""
    worker.kill()
    worker.wait()
