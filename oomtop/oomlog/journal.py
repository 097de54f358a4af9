"""What daemons that kill write into the systemd journal, followed live by one journalctl that sleeps between lines.

journald hands nothing on to the kernel log unless `ForwardToKMsg=yes`, so a kill by systemd-oomd is in no `/dev/kmsg`.
journalctl(1), systemd.journal-fields(7); a journalctl whose reader is gone ends by itself.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress

from oomtop.host.root import Root, read_int
from oomtop.oomlog.event import OomEvent
from oomtop.oomlog.killers import KillerReader
from oomtop.oomlog.log_files import FIELDS
from oomtop.oomlog.records import parse_line

DAEMONS = frozenset({"systemd-oomd", "earlyoom", "nohang", "oomd"})
"""The names (comm) of daemons that kill by themselves."""
_FOLDERS = ("/run/log/journal", "/var/log/journal")
_AGAIN = 60.0
"""Seconds before a journalctl that ended is started again."""
_MAX_A_POLL = 1 << 20


def journalctl() -> tuple[str, ...]:
    """Return the command that prints what the daemons said since boot, and goes on."""
    units = [word for name in sorted(DAEMONS) for word in ("+", f"SYSLOG_IDENTIFIER={name}")][1:]
    return ("journalctl", "-o", "json", "-q", "--boot", "--no-tail", "--follow", f"--output-fields={FIELDS}", *units)


class KillerJournal:
    """The kills that daemons tell in the journal, polled without ever waiting."""

    def __init__(self, argv: Sequence[str], root: Root) -> None:
        self._argv = tuple(argv)
        # oomtop protects itself later on; the follower is a program like any other.
        self._adj = read_int(root.at("/proc/self/oom_score_adj")) or 0
        self._nice = os.getpriority(os.PRIO_PROCESS, 0)
        self._killers = KillerReader("journal")
        self._told: set[tuple[object, ...]] = set()
        self._process: subprocess.Popen[bytes] | None = None
        self._rest = b""
        self._root = root
        self._not_before = float("-inf")
        self.problem: str | None = None
        """Why the journal cannot be followed, None if it can."""

    def poll(self) -> tuple[OomEvent, ...]:
        """Return the kills that are new since the last call."""
        if self._process is None and time.monotonic() >= self._not_before:
            self._start()
        found = [event for line in self._lines() for record in parse_line(line) for event in self._killers.feed(record)]
        news = [event for event in found if event.key not in self._told]
        self._told.update(event.key for event in news)
        return tuple(news)

    def close(self) -> None:
        """End the follower."""
        process, self._process = self._process, None
        if process is not None and process.stdout is not None:
            process.stdout.close()
            process.kill()
            process.wait()

    def _start(self) -> None:
        journals = list(_journals(self._root))
        if not any(os.access(path, os.R_OK) for path in journals):
            # Without a journal nothing is withheld: the daemons write elsewhere.
            self._give_up("what daemons kill is written there: group systemd-journal may read it" if journals else None)
            return
        try:
            process = subprocess.Popen(
                self._argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0
            )
        except OSError as error:
            self._give_up(f"{self._argv[0]}: {os.strerror(error.errno or 0)}")
            return
        assert process.stdout is not None
        os.set_blocking(process.stdout.fileno(), False)
        self._process, self._rest, self.problem = process, b"", None
        with suppress(OSError):
            # Both only ever rise back to what they were, which needs no right; it may have ended already.
            os.setpriority(os.PRIO_PROCESS, process.pid, self._nice)
            with open(f"/proc/{process.pid}/oom_score_adj", "wb", buffering=0) as file:
                file.write(str(self._adj).encode())

    def _give_up(self, why: str | None) -> None:
        self.problem, self._not_before = why, time.monotonic() + _AGAIN

    def _lines(self) -> Iterator[str]:
        if self._process is None or self._process.stdout is None:
            return
        data, end = self._rest, b""
        while len(data) < _MAX_A_POLL:
            read = self._process.stdout.read(1 << 16)
            if read is None:
                break
            if not read:
                code = self._process.wait()
                self.close()
                self._give_up(f"journalctl ended with {code}; the kills that daemons make are not seen")
                break
            data += read
        data, end, self._rest = data.rpartition(b"\n")
        if end:
            yield from data.decode("utf-8", "backslashreplace").split("\n")


def _journals(root: Root) -> Iterator[str]:
    """Yield the system's journals that are being written."""
    for folder in map(root.at, _FOLDERS):
        with suppress(OSError):
            yield from (path for each in os.scandir(folder) if os.path.exists(path := f"{each.path}/system.journal"))
