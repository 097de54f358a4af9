"""The live kernel log (`/dev/kmsg`, else `dmesg`) and the OOM events in it.

Documentation/ABI/testing/dev-kmsg: one `read()` is one record; EPIPE says that records were overwritten
before they were read, EAGAIN that there is nothing new.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator

from oomtop.frozen import replace
from oomtop.host.root import Root, read_optional
from oomtop.oomlog.event import OomEvent
from oomtop.oomlog.killers.reader import KillerReader
from oomtop.oomlog.records import Record, parse_kmsg, parse_line
from oomtop.oomlog.reports import ReportReader

_RECORD_BYTES = 8192
_MAX_A_POLL = 50_000


class KernelLog:
    """The kernel log of this machine, polled without ever waiting."""

    def __init__(self, descriptor: int | None, backlog: tuple[Record, ...], source: str, problem: str | None) -> None:
        self._descriptor = descriptor
        self._backlog = backlog
        self._reader = ReportReader(source)
        self._killers = KillerReader(source)
        self._told: dict[tuple[object, ...], OomEvent] = {}
        self.problem = problem
        """Why no live kernel log can be read, None if it can."""
        self.lost = 0
        """How often the kernel overwrote records before they were read."""

    def poll(self) -> tuple[OomEvent, ...]:
        """Return the events that are new or became fuller since the last call."""
        ended: list[OomEvent] = []
        for record in self._records():
            ended.extend(self._reader.feed(record))
            ended.extend(self._killers.feed(record))
        ended.extend((*self._reader.flush(), *self._killers.flush()))
        return tuple(event for event in map(_dated, ended) if self._is_news(event))

    def _is_news(self, event: OomEvent) -> bool:
        if self._told.get(event.key) == event:
            return False
        self._told[event.key] = event
        return True

    def _records(self) -> Iterator[Record]:
        backlog, self._backlog = self._backlog, ()
        yield from backlog
        for _ in range(_MAX_A_POLL):
            raw = self._read()
            if raw is None:
                return
            yield from parse_kmsg(raw)

    def _read(self) -> bytes | None:
        while self._descriptor is not None:
            try:
                return os.read(self._descriptor, _RECORD_BYTES)
            except BlockingIOError:
                return None
            except BrokenPipeError:
                self.lost += 1
        return None

    def close(self) -> None:
        """Give the descriptor back."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _dated(event: OomEvent) -> OomEvent:
    """Give an event its Unix time; printk's clock does not run during suspend, which this ignores."""
    if event.time is not None or event.kernel_time is None:
        return event
    boot = time.time() - time.clock_gettime(time.CLOCK_MONOTONIC)
    return replace(event, time=round(boot + event.kernel_time, 1))


def open_kernel_log(root: Root) -> KernelLog:
    """Open `/dev/kmsg` with its backlog, fall back to one reading of `dmesg`, or say why neither works."""
    path = root.at("/dev/kmsg")
    try:
        return KernelLog(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), (), "/dev/kmsg", None)
    except OSError as error:
        reason = _why_unreadable(root, error)
    if root.path == "/":
        backlog = _read_dmesg()
        if backlog:
            return KernelLog(None, backlog, "dmesg", f"read once through dmesg, not followed; {reason}")
    return KernelLog(None, (), path, reason)


def _why_unreadable(root: Root, error: OSError) -> str:
    restricted = (read_optional(root.at("/proc/sys/kernel/dmesg_restrict")) or "").strip() == "1"
    if isinstance(error, PermissionError) and restricted:
        return "kernel.dmesg_restrict=1: needs root or CAP_SYSLOG"
    return f"{root.at('/dev/kmsg')}: {os.strerror(error.errno or 0)}"


def _read_dmesg() -> tuple[Record, ...]:
    try:
        done = subprocess.run(["dmesg"], capture_output=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ()
    text = done.stdout.decode("utf-8", "backslashreplace")
    return tuple(record for line in text.splitlines() for record in parse_line(line))
