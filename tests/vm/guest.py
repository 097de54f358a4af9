"""What scenarios use inside the machine: a monitor on a pty, load, groups, swap, the prediction and what was logged."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import io
import json
import os
import pty
import re
import select
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.present import present

if TYPE_CHECKING:
    from oomtop.analysis.model.assessment import Assessment, Victims
    from tests.vm.services import ServiceLoad

GROUPS = Path("/sys/fs/cgroup")
OOMTOP = (sys.executable, "-m", "oomtop")
MONITOR = (*OOMTOP, "--interval", "1")
# Nobody, but for reading files: the interpreter may lie in a folder of root's.
_CAPS = ("--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search")
NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *_CAPS, "--bounding-set=-all,+dac_read_search")
_CSI = re.compile(rb"\x1b\[[0-9;]*H|\r?\n")
_OTHER = re.compile(
    rb"\x1b\[[0-9;?<>=]*[a-zA-Z]|\x1b[()][A-Z0-9]|\x1b[=>78]|\x1bP.*?\x1b\\|\x1b\].*?(?:\x07|\x1b\\)", re.S
)
FULL_SCREEN = b"\x1b[?1000h"
"""What its driver begins with: it wants the mouse."""
KEYS = (b"\x1b[B", b"\x1b[A")
# htop switches the keypad to application mode (smkx) and would take the others as `[`, which raises the nice value of
# the process under its cursor.
HTOP_KEYS = (b"\x1bOB", b"\x1bOA")

_SET_MEMPOLICY, _MPOL_BIND = 238, 2
LOAD = r"""
import mmap, os, sys, time
kind, mib, rate, step = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
sys.stdin.readline()
begun, held = time.monotonic(), []
if kind == "anon":
    # MAP_NORESERVE: a mapping bigger than RAM and swap together is refused at once otherwise.
    area = mmap.mmap(-1, mib << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x4000)
elif kind == "tmpfs":
    file = open(sys.argv[5], "wb", buffering=0)
# Random, so that zram gains little from it.
chunk = os.urandom(1 << 20)
for i in range(mib):
    if step and i and i % step == 0:
        sys.stdin.readline()
    if kind == "anon":
        area[i << 20:(i + 1) << 20] = chunk
    else:
        file.write(chunk)
    ahead = (i + 1) / rate - (time.monotonic() - begun) if rate else 0
    if ahead > 0:
        time.sleep(ahead)
while True:
    time.sleep(60)
"""


def shield() -> None:
    """Put this process out of the OOM killer's reach and lock what it has."""
    Path("/proc/self/oom_score_adj").write_text("-1000")
    ctypes.CDLL(None).mlockall(1 | 2 | 4)


def swap_on() -> None:
    """Use the swap disk of the machine, unless the scenario before left it in use."""
    device = next(path for path in ("/dev/vda", "/dev/sda") if os.path.exists(path))
    if device in Path("/proc/swaps").read_text():
        return
    subprocess.run(["mkswap", device], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    subprocess.run(["swapon", device], check=True)


def zram_on(mib: int) -> None:
    """Use a compressed swap device of `mib` MiB."""
    Path("/sys/block/zram0/disksize").write_text(str(mib << 20))
    subprocess.run(["mkswap", "/dev/zram0"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["swapon", "-p", "100", "/dev/zram0"], check=True)


def zram_off() -> None:
    """Give it back."""
    subprocess.run(["swapoff", "/dev/zram0"], check=True)
    Path("/sys/block/zram0/reset").write_text("1")


def group(path: str, **limits: str | int) -> Path:
    """Make a cgroup; `memory_max="64M"` writes memory.max."""
    folder = GROUPS
    for part in path.strip("/").split("/"):
        (folder / "cgroup.subtree_control").write_text("+memory +pids")
        folder /= part
        folder.mkdir(exist_ok=True)
    for name, value in limits.items():
        head, _, rest = name.partition("_")
        (folder / f"{head}.{rest.replace('_', '.')}").write_text(str(value))
    return folder


class Load:
    """A process that takes memory once `go` is called: `rate` MiB a second, or `step` MiB and as much with each `more`."""

    def __init__(
        self,
        name: str,
        mib: int,
        rate: float = 0,
        kind: str = "anon",
        folder: Path | None = None,
        adj: int = 0,
        path: str = "",
        step: int = 0,
        node: int | None = None,
    ) -> None:
        """`node`: what it is bound to by set_mempolicy(2)."""
        self.name, self.mib, self.step = name, mib, step

        def prepare() -> None:
            Path("/proc/self/oom_score_adj").write_text(str(adj))
            if folder is not None:
                (Path(folder) / "cgroup.procs").write_text(str(os.getpid()))
            if node is not None:
                ctypes.CDLL(None).syscall(_SET_MEMPOLICY, _MPOL_BIND, ctypes.byref(ctypes.c_ulong(1 << node)), 64)
            os.setpriority(os.PRIO_PROCESS, 0, 0)

        # A name of its own, as `ps` and the kernel's report show it.
        script = f"open('/proc/self/comm', 'w').write({name!r})\n" + LOAD
        self.process = subprocess.Popen(
            [sys.executable, "-S", "-c", script, kind, str(mib), str(rate), str(step), path],
            stdin=subprocess.PIPE,
            bufsize=0,
            preexec_fn=prepare,
        )

    @property
    def pid(self) -> int:
        return self.process.pid

    def go(self) -> Load:
        # Who is dead needs no leave.
        with contextlib.suppress(BrokenPipeError):
            present(self.process.stdin).write(b"\n")
        return self

    def more(self) -> None:
        if self.step:
            self.go()

    def settle(self, seconds: float = 60) -> Load:
        """Wait until it holds what it was asked to, or is dead."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.process.poll() is None:
            if rss_and_swap(self.pid) >= self.mib << 20:
                return self
            time.sleep(0.05)
        return self

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        present(self.process.stdin).close()
        self.process.wait()


def oom_kills() -> int:
    return int(present(re.search(r"^oom_kill (\d+)", Path("/proc/vmstat").read_text(), re.M))[1])


def rss_and_swap(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return sum(int(line.split()[1]) << 10 for line in status.splitlines() if line.startswith(("RssAnon", "VmSwap")))


class Monitor:
    """A full-screen program on a pty, its answers to keys timed."""

    def __init__(
        self,
        command: tuple[str, ...] = MONITOR,
        size: tuple[int, int] = (100, 30),
        ready: bytes = b"PSI",
        settle: float = 6,
        keys: Sequence[bytes] = KEYS,
    ) -> None:
        self.keys = keys
        self.said, self.alive, self.missed = b"", True, 0
        self.latencies: list[float] = []
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            Path("/proc/self/oom_score_adj").write_text("0")
            os.environ.update(TERM="xterm-256color", LANG="C.UTF-8", HOME="/tmp", NO_COLOR="1")
            os.execvp(command[0], command)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        end = time.monotonic() + 240
        while ready not in self.said and time.monotonic() < end and self.alive:
            self.drain(0.5)
        self.drain(settle)

    def load(self, seconds: float = 240) -> None:
        """Wait until the full screen stands and has loaded all that keys need: until then it never rests."""
        end, spent = time.monotonic() + seconds, 0.0
        while self.alive and time.monotonic() < end:
            before, spent = spent, self.status()["cpu"]
            if FULL_SCREEN in self.said and spent - before < 1.5:
                return
            self.drain(3)

    def drain(self, seconds: float, until_output: bool = False) -> float | None:
        """Read what it writes for `seconds`; return the time of the first bytes."""
        end, first = time.monotonic() + seconds, None
        while (left := end - time.monotonic()) > 0 and self.alive:
            if select.select([self.fd], [], [], left)[0]:
                try:
                    data = os.read(self.fd, 1 << 16)
                except OSError:
                    data = b""
                if not data:
                    self.alive = False
                    break
                first = first or time.monotonic()
                self.said = (self.said + data)[-400_000:]
                if until_output:
                    break
        return first

    def press(self, key: bytes | None = None, patience: float = 60) -> None:
        """Press a key and time the answer; None: down and up in turn."""
        self.drain(0.03)
        key = key or self.keys[len(self.latencies) % 2]
        pressed = time.monotonic()
        try:
            os.write(self.fd, key)
        except OSError:
            self.alive = False
            return
        answered = self.drain(patience, until_output=True)
        if answered is None:
            self.missed += 1
        else:
            self.latencies.append(answered - pressed)

    def screen(self, quiet: float = 1.5) -> str:
        """Have it all painted anew, and return the text row by row."""
        self.drain(0.1)
        self.said = b""
        os.write(self.fd, b"\x0c")
        end = time.monotonic() + 30
        while self.alive and time.monotonic() < end and self.drain(quiet) is not None and self.said.count(b"H") < 10:
            pass
        self.drain(quiet)
        text = _OTHER.sub(b"", _CSI.sub(b"\n", self.said))
        return text.decode("utf-8", "replace")

    def wait_for(self, text: str, seconds: float = 120) -> str:
        """Return a screen that has `text`, or the last one seen."""
        end = time.monotonic() + seconds
        while True:
            seen = self.screen()
            if text in seen or not self.alive or time.monotonic() > end:
                return seen

    def status(self) -> dict[str, float]:
        """Return major faults, resident and locked bytes, score."""
        stat = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        lines = dict(line.split(":", 1) for line in Path(f"/proc/{self.pid}/status").read_text().splitlines())
        kib = {name: int(lines[name].split()[0]) for name in ("VmRSS", "VmLck", "VmHWM")}
        adj = int(Path(f"/proc/{self.pid}/oom_score_adj").read_text())
        return {"majflt": int(stat[9]), "cpu": (int(stat[11]) + int(stat[12])) / 100, "adj": adj, **kib}

    def files(self) -> dict[str, int]:
        """Return the resident KiB of each file that it has mapped."""
        found: dict[str, int] = {}
        name = None
        for line in Path(f"/proc/{self.pid}/smaps").read_text().splitlines():
            words = line.split(maxsplit=5)
            if line.startswith("Rss:") and name:
                found[name] = found.get(name, 0) + int(words[1])
            elif "-" in words[0]:
                name = words[5] if len(words) > 5 and words[5].startswith("/") else None
        return found

    def figures(self) -> dict[str, Any]:
        """Return how it answered."""
        ordered = sorted(self.latencies)

        def at(share: float) -> float | None:
            return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 3) if ordered else None

        middle = round(statistics.median(ordered), 3) if ordered else None
        return {
            "alive": self.alive, "answers": len(ordered), "missed": self.missed,
            "median": middle, "p95": at(0.95), "worst": at(1.0),
        }  # fmt: skip

    def close(self) -> None:
        if self.alive:
            os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.fd)


class Foresight:
    """oomtop's own sampler and assessment, asked for the next victim without a screen."""

    def __init__(self) -> None:
        from oomtop.analysis.assessment import assess
        from oomtop.history import History
        from oomtop.snapshot import Tick
        from oomtop.sources.sampler import Sampler

        self._assess, self._tick = assess, Tick
        self._sampler, self._history = Sampler(), History()
        self._last: Assessment | None = None

    def look(self, path: str | None = None) -> dict[str, Any] | None:
        """Return the next victim of the machine, or of the group `path`: pid, whether it is a near tie, candidates."""
        tick = self._tick(self._sampler.sample(), ())
        self._history.add(tick)
        self._last = self._assess(tick, self._history, self._last)
        victims: Victims | None = self._last.victims
        if path is not None:
            found = [figures for figures in self._last.cgroups if figures.cgroup.path == path]
            victims = found[0].victims if found else None
        if victims is None or victims.first is None:
            return None
        ranked = [[one.id.pid, one.name, one.badness] for one in victims.candidates]
        return {"pid": victims.first.id.pid, "name": victims.first.name, "tie": victims.near_tie, "ranked": ranked}

    def findings(self) -> list[str]:
        """Return the ids of the last look's findings."""
        return [finding.id for finding in present(self._last).findings]

    def close(self) -> None:
        self._sampler.close()


def events() -> list[dict[str, Any]]:
    """Return what `oomtop events --json` tells of this machine, oldest first, without the bulk.

    Called here: an interpreter of its own takes some ten seconds to come so far.
    """
    from oomtop.cli import run

    said, complaints = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(complaints):
        code = run(["events", "--json"])
    assert code == 0, complaints.getvalue()[-2000:]
    kept = (
        "killer",
        "type",
        "victim",
        "oom_memcg",
        "task_memcg",
        "oom_group",
        "cgroup",
        "reason",
        "complete",
        "other_victims",
        "kernel_time",
    )
    return [{name: event[name] for name in kept} for event in json.loads(said.getvalue())["events"]]


class Watch:
    """A monitor that records, and oomtop's own foresight beside it, through several kills in a row."""

    def __init__(self, before: tuple[str, ...] = (), patience: float = 120) -> None:
        """`before` is what the monitor is started with, such as `NOBODY`."""
        shield()
        self.path = tempfile.mktemp(prefix="recording-", suffix=".db", dir="/tmp")
        self.monitor = Monitor((*before, *MONITOR, "record", "--with-monitor", "--file", self.path), settle=0)
        self.foresight = Foresight()
        self.foresight.look()
        self.monitor.load(patience)
        self.monitor.drain(3)
        if not self.monitor.alive:
            raise RuntimeError(f"the monitor did not come up: {self.monitor.said[-3000:]!r}")
        self.since = time.clock_gettime(time.CLOCK_BOOTTIME)
        """Events after this moment belong to the next answer."""

    def follow(
        self,
        loads: Sequence[Load | ServiceLoad],
        path: str | None = None,
        seconds: float = 300,
        killed: Collection[str] | None = None,
        keys: int = 2,
        shown: str | None = None,
    ) -> dict[str, Any]:
        """Set the loads going and press keys until one is killed; return who, the last prediction, log and screen.

        `killed` are the names of those whose death is waited for; None is any.  `shown` is the text the screen has to
        show then, unless it is that the first of them was killed.
        """
        monitor, foresight = self.monitor, self.foresight
        monitor.latencies, monitor.missed, before, files = [], 0, monitor.status(), monitor.files()
        seen, found = [], set()
        for load in loads:
            load.go()
        end = time.monotonic() + seconds
        awaited = [load for load in loads if killed is None or load.name in killed]

        kills = oom_kills()

        def someone_died() -> bool:
            # The kernel counts before it signals, and a process gives its memory back before its parent is told: a victim
            # that is still on its way out is no prediction any more.
            dead = (load.process.poll() is not None or rss_and_swap(present(load.pid)) == 0 for load in awaited)
            return any(dead) or oom_kills() > kills

        while all(load.process.poll() is None for load in awaited) and time.monotonic() < end and monitor.alive:
            for _ in range(keys):
                monitor.press()
            looked = foresight.look(path)
            # A look that began before the kill and ended after it is no prediction.
            if looked and not someone_died():
                seen.append(looked)
                found.update(foresight.findings())
            # However slow the host is, there is a look at each step.
            for load in loads:
                load.more()
        time.sleep(1)
        dead = [load for load in loads if load.process.poll() in (-9, -15)]
        first = next((load for load in awaited if load in dead), None)
        screen = monitor.wait_for(shown or (f"killed {first.name} {first.pid}" if first else "killed"))
        # Two: of who was dead before the first look, no key has been timed yet.
        for _ in range(2):
            monitor.press()
        answer = {
            "killed": [load.name for load in dead],
            "pids": [load.pid for load in dead],
            "all": {load.name: load.pid for load in loads},
            "predicted": seen[-1] if seen else None,
            "findings": sorted(found),
            "monitor": monitor.figures(),
            "warm": before,
            "after": monitor.status() if monitor.alive else {},
            "read": {
                name: kib for name, kib in (monitor.files() if monitor.alive else {}).items() if kib != files.get(name)
            },
            "screen": screen,
            "events": self.news(),
        }
        for load in loads:
            load.end()
        return answer

    def news(self) -> list[dict[str, Any]]:
        """Return the events since the last answer."""
        since, self.since = self.since, time.clock_gettime(time.CLOCK_BOOTTIME)
        return [event for event in events() if event["kernel_time"] is None or event["kernel_time"] >= since]

    def observe(self, seconds: float) -> dict[str, Any]:
        """Press keys for `seconds` and return how it answered, what it found."""
        monitor = self.monitor
        monitor.latencies, monitor.missed, before, found = [], 0, monitor.status(), set()
        end = time.monotonic() + seconds
        while monitor.alive and (time.monotonic() < end or len(monitor.latencies) < 2):
            monitor.press()
            self.foresight.look()
            found.update(self.foresight.findings())
        return {
            "findings": sorted(found),
            "monitor": monitor.figures(),
            "warm": before,
            "after": monitor.status() if monitor.alive else {},
            "screen": monitor.screen(),
        }

    def close(self) -> dict[str, Any]:
        """Kill the monitor from one moment to the next, and return what its recording holds."""
        self.monitor.drain(1)
        alive = self.monitor.alive
        self.monitor.close()
        ended = time.time()
        self.foresight.close()
        return {"alive": alive, "ended": ended, **recorded(self.path)}


def recorded(path: str) -> dict[str, Any]:
    """Return what a recording holds, read as `oomtop replay` reads it."""
    from itertools import pairwise

    from oomtop.recording.reader import Recording

    recording = Recording(path)
    times = [moment.time for moment in recording.moments]
    victims = [incident.event.victim for incident in recording.incidents]
    said = {
        "check": recording._db.execute("PRAGMA quick_check").fetchone()[0],
        "ticks": len(times),
        "readable": sum(1 for _ in recording.read(0, len(times))),
        "last": times[-1],
        "longest": max((later - earlier for earlier, later in pairwise(times)), default=0.0),
        "victims": [victim.pid for victim in victims if victim is not None],
        "problems": recording.problems,
    }
    recording.close()
    return said


class Grouped:
    """A command in a group, all of which is killed at the end."""

    def __init__(self, folder: Path | None, command: Sequence[str]) -> None:
        self._folder, self._command = folder, command

    def __enter__(self) -> subprocess.Popen[bytes]:
        def prepare() -> None:
            Path("/proc/self/oom_score_adj").write_text("0")
            (present(self._folder) / "cgroup.procs").write_text(str(os.getpid()))

        self._process = subprocess.Popen(self._command, preexec_fn=prepare, stderr=subprocess.DEVNULL)
        return self._process

    def __exit__(self, *_: object) -> None:
        (present(self._folder) / "cgroup.kill").write_text("1")
        self._process.wait()


CROWD = r"""
import json, mmap, os, signal, sys
held = []
for name, mib, adj, tables in json.loads(sys.argv[1]):
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        open("/proc/self/comm", "w").write(name)
        open("/proc/self/oom_score_adj", "w").write(str(adj))
        area = mmap.mmap(-1, max(1, mib) << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        area.madvise(15)
        for start in range(0, mib << 20, 4096):
            area[start:start + 8] = os.urandom(8)
        # One page in each 2 MiB: page tables without much memory.
        sparse = mmap.mmap(-1, max(1, tables) << 21, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        sparse.madvise(15)
        for i in range(tables):
            sparse[i << 21] = 1
        os.write(writer, b".")
        signal.pause()
    os.read(reader, 1)
    os.close(reader)
    os.close(writer)
    held.append(pid)
print(json.dumps(held), flush=True)
# Dead ones are reaped, so that they are not seen as zombies.
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
sys.stdin.read()
for pid in held:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
"""


class Crowd:
    """Many processes of given name, MiB, adj and page tables, all in place when this returns."""

    def __init__(self, members: Sequence[Sequence[object]], folder: Path | None = None) -> None:
        def prepare() -> None:
            Path("/proc/self/oom_score_adj").write_text("0")
            if folder is not None:
                (Path(folder) / "cgroup.procs").write_text(str(os.getpid()))

        self.process = subprocess.Popen(
            [sys.executable, "-S", "-c", CROWD, json.dumps(members)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, preexec_fn=prepare,
        )  # fmt: skip
        # The parent of the crowd is no candidate: its death would take the trial with it.
        Path(f"/proc/{self.process.pid}/oom_score_adj").write_text("-1000")
        self.pids = json.loads(present(self.process.stdout).readline())

    def end(self) -> None:
        present(self.process.stdin).close()
        self.process.wait()
        present(self.process.stdout).close()


class KernelKills:
    """The pids of the kernel's `Killed process` lines, from now on."""

    def __init__(self) -> None:
        self._descriptor = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
        os.lseek(self._descriptor, 0, os.SEEK_END)

    def next(self, seconds: float = 20) -> int | None:
        """Return the next pid killed, None if nobody was."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                record = os.read(self._descriptor, 8192)
            except BlockingIOError:
                time.sleep(0.05)
                continue
            found = re.search(rb"Killed process (\d+) ", record)
            if found:
                return int(found[1])
        return None

    def all_of(self, tasks: Collection[int]) -> list[int]:
        """Return those of `tasks` that are killed, up to a second after the last."""
        killed = [self.next()]
        while killed[-1] is not None:
            killed.append(self.next(1))
        return [pid for pid in killed if pid is not None and pid in tasks]
