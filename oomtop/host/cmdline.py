"""`/proc/PID/cmdline`, read away from the tick: it takes the target's mmap lock and can hang for minutes.

A read that does not come back holds one of up to four threads; when all are held, nothing more is queued, and
the name that the kernel keeps (`comm`) stays on the screen.  Documentation/filesystems/proc.rst.
"""

from __future__ import annotations

import os
import queue
import threading
import time
from collections import deque
from collections.abc import Iterable

from oomtop.host.process import Process, ProcessId
from oomtop.host.root import Root
from oomtop.threads import begin

MAX_BYTES = 4096
_WORKERS = 4
_WAITING = 20_000


class CommandLines:
    """Fetches each command line once per process and name, in threads of its own."""

    def __init__(self, root: Root) -> None:
        self._proc = root.at("/proc")
        self._overflow: deque[tuple[ProcessId, int]] = deque()
        self._work: queue.Queue[tuple[ProcessId, int]] = queue.Queue(_WAITING)
        self._done: queue.SimpleQueue[tuple[ProcessId, str]] = queue.SimpleQueue()
        self._pending = 0
        self._threads: list[threading.Thread] = []

    def ask(self, processes: Iterable[Process]) -> None:
        """Queue these processes and those left over before; a kernel thread has no arguments."""
        # A main thread that has ended shows no arguments; another thread of the process does.
        self._overflow.extend((p.id, p.thread or p.pid) for p in processes if not p.is_kernel_thread)
        while self._overflow and self._queue(self._overflow[0]):
            self._overflow.popleft()

    def _queue(self, asked: tuple[ProcessId, int]) -> bool:
        try:
            self._work.put_nowait(asked)
        except queue.Full:
            return False
        self._pending += 1
        if not self._threads:
            self._add_worker()
        return True

    def _add_worker(self) -> None:
        if len(self._threads) >= _WORKERS:
            return
        thread = threading.Thread(target=self._run, name="oomtop-cmdline", daemon=True)
        try:
            begin(thread)
        except RuntimeError:
            # No thread can be started now: `comm` stays, and the next request tries again.
            return
        self._threads.append(thread)

    def collect(self, seconds: float = 0.02) -> list[tuple[ProcessId, str]]:
        """Return what has arrived, after waiting at most `seconds` for what was asked."""
        found: list[tuple[ProcessId, str]] = []
        deadline = time.monotonic() + seconds
        while self._pending:
            try:
                found.append(self._done.get(timeout=max(0.0, deadline - time.monotonic())))
            except queue.Empty:
                # The reading thread is slow or hangs: start another.
                self._add_worker()
                break
            self._pending -= 1
        return found

    def _run(self) -> None:
        while True:
            identity, thread = self._work.get()
            self._done.put((identity, self._read(identity, thread)))

    def _read(self, identity: ProcessId, thread: int) -> str:
        """Return the command line, empty if there is none or the pid now belongs to another process."""
        try:
            folder = os.open(f"{self._proc}/{identity.pid}", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except (OSError, MemoryError):
            return ""
        try:
            raw = _read_at(folder, f"task/{thread}/cmdline")
            start = _read_at(folder, "stat").rpartition(b")")[2].split()[19:20]
            return parse_cmdline(raw) if start == [str(identity.start_time).encode()] else ""
        except (OSError, MemoryError):
            return ""
        finally:
            os.close(folder)


def parse_cmdline(raw: bytes) -> str:
    """Return the arguments separated by blanks; a process that rewrote its title has only one."""
    return raw.rstrip(b"\0").replace(b"\0", b" ").decode("utf-8", "backslashreplace")


def _read_at(folder: int, name: str) -> bytes:
    descriptor = os.open(name, os.O_RDONLY | os.O_CLOEXEC, dir_fd=folder)
    try:
        return os.read(descriptor, MAX_BYTES)
    finally:
        os.close(descriptor)
