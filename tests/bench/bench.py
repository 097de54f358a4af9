"""What one refresh costs: CPU time, resident size and bytes written, beside htop and btop on the same processes.

Every program runs on a terminal of 120x40 of its own, refreshes once a second, and is measured from outside:
utime + stime of `/proc/PID/stat`, VmRSS of `/proc/PID/status`, and what arrives at the other end of the terminal.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import select
import shutil
import signal
import struct
import sys
import termios
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

COLUMNS, LINES = 120, 40
COMMANDS = (
    ("oomtop", (sys.executable, "-m", "oomtop", "--interval", "1")),
    ("htop", ("htop", "-d", "10")),
    ("btop", ("btop",)),
)
# btop takes its interval (2 s) from its configuration only.
INTERVALS = {"btop": 2.0}
LIMITS = {500: 25.0, 5000: 100.0}


@dataclass(frozen=True, slots=True)
class Result:
    """One program on one number of processes."""

    cpu_ms: float
    """Per refresh."""
    resident: int
    bytes_per_second: float


@contextmanager
def idle_processes(count: int) -> Iterator[None]:
    """Hold `count` processes that do nothing, in a process group that is killed at the end."""
    reader, writer = os.pipe()
    parent = os.fork()
    if parent == 0:
        os.setpgid(0, 0)
        for _ in range(count - 1):
            if os.fork() == 0:
                signal.pause()
                os._exit(0)
        os.write(writer, b".")
        signal.pause()
        os._exit(0)
    os.read(reader, 1)
    try:
        yield
    finally:
        os.killpg(parent, signal.SIGKILL)
        os.waitpid(parent, 0)
        os.close(reader)
        os.close(writer)


def measure(argv: Sequence[str], interval: float, warm_up: float, seconds: float) -> Result | None:
    """Run `argv` on a terminal and return what it cost, None if it ended by itself."""
    pid, master = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm-256color", LANG="C.UTF-8")
        try:
            os.execvp(argv[0], argv)
        finally:
            os._exit(127)
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    os.kill(pid, signal.SIGWINCH)
    try:
        drain(master, warm_up)
        before = cpu_seconds(pid)
        written = drain(master, seconds)
        spent = cpu_seconds(pid) - before
        return Result(spent * 1000 / (seconds / interval), resident(pid), written / seconds)
    except (OSError, IndexError):
        return None
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(master)


def drain(master: int, seconds: float) -> int:
    """Read what the program writes for `seconds`, as a terminal does, and return how many bytes it was."""
    end, count = time.monotonic() + seconds, 0
    while (left := end - time.monotonic()) > 0:
        if select.select([master], [], [], left)[0]:
            count += len(os.read(master, 1 << 16))
    return count


def cpu_seconds(pid: int) -> float:
    """Return utime + stime of all threads so far."""
    with open(f"/proc/{pid}/stat") as file:
        words = file.read().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def resident(pid: int) -> int:
    """Return VmRSS in bytes."""
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmRSS:"))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, nargs="+", default=[500, 5000])
    parser.add_argument("--seconds", type=float, default=10.0)
    options = parser.parse_args()
    print(f"{'idle processes':>14}  {'program':8} {'CPU ms/refresh':>14} {'resident MB':>12} {'bytes/s':>9}")
    for count in options.processes:
        with idle_processes(count):
            for name, argv in COMMANDS:
                if shutil.which(argv[0]) is None:
                    print(f"{count:14}  {name:8} not installed")
                    continue
                result = measure(argv, INTERVALS.get(name, 1.0), 6.0, options.seconds)
                print(f"{count:14}  {name:8} {describe(result, LIMITS.get(count) if name == 'oomtop' else None)}")


def describe(result: Result | None, limit: float | None) -> str:
    """Return the figures of a line, with the goal where there is one."""
    if result is None:
        return "ended by itself"
    figures = f"{result.cpu_ms:14.1f} {result.resident / 1e6:12.1f} {result.bytes_per_second:9.0f}"
    return figures if limit is None else f"{figures}   goal: {limit:.0f} ms, 50 MB, 4000 bytes/s"


if __name__ == "__main__":
    main()
