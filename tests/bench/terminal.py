"""A program on a terminal of its own, measured from outside: CPU, resident size, bytes, time to a picture or a key."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

Size = tuple[int, int]
"""(columns, lines)."""


@dataclass(slots=True)
class Terminal:
    """The master side of a terminal and who runs on the other."""

    pid: int
    master: int
    started: float

    def drain(self, seconds: float) -> int:
        """Read what the program writes for `seconds`, as a terminal does, and return how many bytes it was.

        Raises:
            OSError: the program ended.
        """
        end, count = time.monotonic() + seconds, 0
        while (left := end - time.monotonic()) > 0:
            if select.select([self.master], [], [], left)[0]:
                count += len(os.read(self.master, 1 << 16))
        return count

    def wait_for(self, marks: Sequence[bytes], seconds: float) -> float | None:
        """Return the seconds from the start until all `marks` were written, None if they never were."""
        seen = b""
        while time.monotonic() - self.started < seconds:
            if select.select([self.master], [], [], 0.1)[0]:
                seen += os.read(self.master, 1 << 16)
                if all(mark in seen for mark in marks):
                    return time.monotonic() - self.started
        return None

    def answer_to(self, key: bytes, seconds: float = 5.0) -> float | None:
        """Press a key and return the seconds until something was painted, None if nothing was."""
        pressed = time.monotonic()
        os.write(self.master, key)
        if not select.select([self.master], [], [], seconds)[0]:
            return None
        answer = time.monotonic() - pressed
        self.drain(0.05)
        return answer

    def pressed(self, key: bytes, mark: bytes, seconds: float = 5.0) -> float | None:
        """Press a key and return the seconds until `mark` was written, None if it was not in time."""
        pressed, seen = time.monotonic(), b""
        os.write(self.master, key)
        while (left := pressed + seconds - time.monotonic()) > 0:
            if select.select([self.master], [], [], left)[0]:
                seen += os.read(self.master, 1 << 16)
                if mark in seen:
                    return time.monotonic() - pressed
        return None

    def cpu_seconds(self) -> float:
        """Return utime + stime of all threads so far."""
        with open(f"/proc/{self.pid}/stat") as file:
            words = file.read().rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def ran_seconds(self) -> float:
        """Return how long the main thread was on a CPU so far, to the nanosecond."""
        with open(f"/proc/{self.pid}/schedstat") as file:
            return int(file.read().split()[0]) / 1e9

    def resident(self) -> int:
        """Return VmRSS in bytes."""
        with open(f"/proc/{self.pid}/status") as file:
            return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmRSS:"))


@contextmanager
def terminal(argv: Sequence[str], size: Size = (120, 40)) -> Iterator[Terminal]:
    """Run `argv` on a terminal of this size, and kill it at the end."""
    started = time.monotonic()
    pid, master = pty.fork()
    if pid == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        os.environ.update(TERM="xterm-256color", LANG="C.UTF-8", PYTHONDONTWRITEBYTECODE="")
        with suppress(OSError):
            os.execvp(argv[0], list(argv))
        os._exit(127)
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
    try:
        yield Terminal(pid, master, started)
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(master)


@contextmanager
def processes(count: int, work: Callable[[], None] = signal.pause) -> Iterator[None]:
    """Hold `count` processes that each do `work`, in a process group that is killed at the end."""
    reader, writer = os.pipe()
    parent = os.fork()
    if parent == 0:
        os.setpgid(0, 0)
        for _ in range(count):
            if os.fork() == 0:
                work()
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
        # Whoever is measured next is not to meet those that still die.
        with suppress(ProcessLookupError):
            while True:
                os.killpg(parent, 0)
                time.sleep(0.05)
        os.close(reader)
        os.close(writer)


@dataclass(frozen=True, slots=True)
class Victim:
    """A child that tells when SIGTERM arrives, and ends."""

    pid: int
    told: int

    def arrival(self, seconds: float = 5.0) -> float | None:
        """Return the instant (CLOCK_MONOTONIC) of the signal, None if none came in time."""
        if not select.select([self.told], [], [], seconds)[0]:
            return None
        return float(struct.unpack("d", os.read(self.told, 8))[0])


@contextmanager
def victims(count: int) -> Iterator[list[Victim]]:
    """Hold `count` children that wait for SIGTERM; whoever is left is killed at the end."""
    held: list[Victim] = []
    try:
        for _ in range(count):
            reader, writer = os.pipe()
            # Blocked before the fork: a signal that comes early waits.
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
            pid = os.fork()
            if pid == 0:
                signal.sigwait([signal.SIGTERM])
                os.write(writer, struct.pack("d", time.monotonic()))
                os._exit(0)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
            os.close(writer)
            held.append(Victim(pid, reader))
        yield held
    finally:
        for victim in held:
            os.kill(victim.pid, signal.SIGKILL)
            os.waitpid(victim.pid, 0)
            os.close(victim.told)


def saw_tooth() -> None:
    """Take and give back memory ten times a second, without an end."""
    kept: list[bytearray] = []
    while True:
        kept = [*kept[-50:], bytearray(1 << 16)]
        time.sleep(0.1)


def births() -> None:
    """Bear a process after the other, as fast as a shell can."""
    os.execv("/bin/sh", ["sh", "-c", "while :; do x=$(:); done"])


def burn() -> None:
    """Take all the CPU that there is."""
    while True:
        pass
