"""Take the pictures of the README: the real program on a real drill, at three sizes, as SVG and PNG.

As root everything happens in PID and host-name namespaces of its own, with a leak inside a cgroup limited to 300 MB;
one process is killed by the kernel before the pictures, another grows while they are taken.
"""

from __future__ import annotations

import asyncio
import html
import os
import re
import shutil
import socket
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
from oomtop.tui.app import OomtopApp, Options

FOLDER = Path(__file__).parent
SIZES = ((80, 24), (120, 40), (200, 60))
LIMIT = 300 << 20
WATCHED_SECONDS = 12.0
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
TEXT = re.compile(
    r'<text(?P<before>[^>]*?) x="(?P<x>[^"]+)" y="(?P<y>[^"]+)" textLength="(?P<length>[^"]+)"(?P<after>[^>]*)>'
    r"(?P<text>[^<]+)</text>"
)
STEADY = (("postgres", 180), ("redis-server", 90), ("nginx", 12), ("nginx", 11), ("node", 130), ("sshd", 6))


def main() -> None:
    """Make all pictures."""
    if os.geteuid() == 0 and os.environ.get("OOMTOP_DRILL") != "1" and shutil.which("unshare"):
        os.environ["OOMTOP_DRILL"] = "1"
        os.execvp("unshare", ["unshare", "--pid", "--fork", "--mount-proc", "--uts", *sys.orig_argv])
    os.environ.pop("NO_COLOR", None)
    if os.environ.get("OOMTOP_DRILL") == "1":
        socket.sethostname("web-3")
    with drill():
        for width, height in SIZES:
            svg = asyncio.run(take(width, height))
            save(svg, FOLDER / f"oomtop-{width}x{height}.svg")


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


async def take(width: int, height: int) -> str:
    """Run the program at one size and return its screen."""
    app = OomtopApp(DrillSource(1.0), Options(interval=1.0))
    with growing_worker():
        async with app.run_test(size=(width, height)) as pilot:
            await asyncio.sleep(WATCHED_SECONDS)
            await pilot.pause()
            return app.export_screenshot(title=f"oomtop {width}x{height}")


def pinned(svg: str) -> str:
    """Return the picture with a place of its own for every word: rsvg knows no textLength and drops leading blanks."""
    return TEXT.sub(_pin, svg)


def _pin(match: re.Match[str]) -> str:
    text = html.unescape(match["text"])
    cell = float(match["length"]) / len(text)
    parts = []
    for word in re.finditer(r"[!-~]+|[^\x00-~\xa0]", text):
        x = float(match["x"]) + word.start() * cell
        parts.append(f'<text{match["before"]} x="{x:g}" y="{match["y"]}"{match["after"]}>{html.escape(word[0])}</text>')
    return "".join(parts)


def save(svg: str, path: Path) -> None:
    """Write the picture, and a PNG beside it where rsvg-convert is present."""
    path.write_text(svg)
    print(path)
    if shutil.which("rsvg-convert"):
        command = ["rsvg-convert", "-o", str(path.with_suffix(".png"))]
        subprocess.run(command, input=pinned(svg).encode(), check=True)


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
    # Python looks for its library beside argv[0], unless it is told.
    environ = {**os.environ, "PYTHONHOME": sys.base_prefix}
    python = os.path.realpath(sys.executable)
    worker = subprocess.Popen([name, "-"], executable=python, stdin=subprocess.PIPE, env=environ)
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


if __name__ == "__main__":
    main()
