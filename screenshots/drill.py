"""What the pictures show: steady processes in cgroups of their own, and one that grows in one limited to 300 MB."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from oomtop.host.cgroup import find_layout, is_inside
from oomtop.host.root import Root
from oomtop.snapshot import Tick
from oomtop.sources.live import LiveSource

LIMIT = 300
"""MB."""
GROUPS: list[Path] = []
"""The cgroups that were made, each after the one it is in."""
KILLED: list[int] = []
"""The exit status of each that its limit killed."""
STARTED = time.time()
SLICE = "shop.slice"
# Takes a name, a user, a size in MB to hold and a growth in MB/s.
WORKER = """
import ctypes, mmap, os, sys, time
name, user, size, rate = NAME, USER, SIZE, RATE
if os.geteuid() == 0:
    os.setuid(user)
ctypes.CDLL(None).prctl(15, name.encode(), 0, 0, 0)
memory = mmap.mmap(-1, 1 << 32, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
for i in range(4096):
    memory[i << 20:(i + 1) << 20] = b"x" * (1 << 20)
    if i > size:
        time.sleep(1 / rate if rate else 1e6)
"""
ROOT, WEB, DATABASE = 0, 33, 999
STEADY = (
    ("postgres", DATABASE, 180, "postgresql.service", 1024),
    ("node", WEB, 130, "checkout.service", 512),
    ("redis-server", DATABASE, 90, "redis.service", 256),
    ("gunicorn", WEB, 44, "api.service", 384),
    ("gunicorn", WEB, 41, "api.service", 384),
    ("celery", WEB, 36, "celery.service", None),
    ("nginx", WEB, 12, "nginx.service", None),
    ("nginx", WEB, 11, "nginx.service", None),
    ("sshd", ROOT, 6, "ssh.service", None),
)
"""(name, uid, MB, cgroup, its limit in MB) of those that do not grow."""


class DrillSource(LiveSource):
    """The machine, without what is not of the drill: the kills of others, their count, other cgroups."""

    def ticks(self) -> Iterator[Tick]:
        """Yield ticks until `close`."""
        for tick in super().ticks():
            ours = (event for event in tick.events if is_inside(event.oom_memcg, f"/{SLICE}"))
            events = tuple(event for event in ours if (event.time or 0.0) >= STARTED)
            vmstat = tick.snapshot.vmstat
            if vmstat is not None and vmstat.oom_kill is not None:
                vmstat = replace(vmstat, oom_kill=len(KILLED))
            groups = tuple(g for g in tick.snapshot.cgroups if g.path == "/" or g.path.startswith(f"/{SLICE}"))
            yield Tick(replace(tick.snapshot, vmstat=vmstat, cgroups=groups), events)


@contextmanager
def drill() -> Iterator[None]:
    """Hold the steady processes."""
    workers = []
    try:
        for name, user, size, unit, limit in STEADY:
            workers.append(start(name, user, size, 0, group(unit, limit)))
        yield
    finally:
        for worker in workers:
            end(worker)
        for path in sorted(GROUPS, reverse=True):
            path.rmdir()


def overrun() -> None:
    """Let one be killed by the limit of its cgroup."""
    with growing_worker(rate=300) as victim:
        if victim is not None:
            KILLED.append(victim.wait(20))


@contextmanager
def growing_worker(rate: float = 12) -> Iterator[subprocess.Popen[bytes] | None]:
    """Hold a process that grows by `rate` MB/s inside a limited cgroup, nothing where that may not be made."""
    path = group("image-resizer.service", LIMIT)
    if path is None:
        yield None
        return
    worker = start("image-resizer", WEB, 40, rate, path)
    try:
        yield worker
    finally:
        end(worker)


def group(unit: str, limit: int | None) -> Path | None:
    """Return the cgroup of a unit, made when it is first asked for; None where that may not be made."""
    layout = find_layout(Root())
    if layout is None or os.geteuid() != 0:
        return None
    top = Path(layout.memory_mount)
    for path in (top / SLICE, top / SLICE / unit):
        if path not in GROUPS:
            path.mkdir()
            GROUPS.append(path)
    if layout.version == 2:
        for above in (top, top / SLICE):
            (above / "cgroup.subtree_control").write_text("+memory")
    if limit is not None:
        (path / ("memory.limit_in_bytes" if layout.version == 1 else "memory.max")).write_text(str(limit << 20))
    return path


def start(name: str, user: int, size: int, rate: float, group: Path | None = None) -> subprocess.Popen[bytes]:
    """Start a process called `name` that holds `size` MB and then grows by `rate` MB/s."""
    code = (
        WORKER.replace("NAME", repr(name))
        .replace("USER", str(user))
        .replace("SIZE", str(size))
        .replace("RATE", str(rate))
    )
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
