"""Kills that daemons write to the systemd journal, followed live by one journalctl, which sleeps between lines.

journald hands nothing on to the kernel log unless `ForwardToKMsg=yes`, so a kill by systemd-oomd is in no `/dev/kmsg`.
journalctl(1), systemd.journal-fields(7); a journalctl whose reader is gone ends by itself.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress

from oomtop.host.own_priority import OwnPriority
from oomtop.host.root import Root
from oomtop.oomlog.carriers.fields import FIELDS
from oomtop.oomlog.event import OomEvent
from oomtop.oomlog.killers.reader import DAEMONS, KillerReader
from oomtop.oomlog.records import parse_line

_FOLDERS = ("/run/log/journal", "/var/log/journal")
_AGAIN = 60.0
"""Seconds before a journalctl that ended is started again."""
_A_POLL = 1 << 18
_LONGEST_LINE = 1 << 16
_REMEMBERED = 2000


def journalctl() -> tuple[str, ...]:
    """Return the command that prints what the daemons said since boot, and goes on.

    Chosen by unit, which journald itself notes; an identifier is whatever a program calls itself.
    """
    units = [word for name in sorted(DAEMONS) for word in ("+", f"_SYSTEMD_UNIT={name}.service")][1:]
    output = ("-o", "json", "-q", f"--output-fields={FIELDS}")
    # From the boot on: journalctl 252, told to start near the end of an empty journal, never prints what comes.
    return ("journalctl", *output, "--boot", "--no-tail", "--follow", *units)


class KillerJournal:
    """The kills that daemons log in the journal; polling never waits for a line."""

    def __init__(self, argv: Sequence[str], root: Root, standing: OwnPriority) -> None:
        """`standing` is what the follower gets: that of this process before it protected itself."""
        self._argv, self._root, self._standing = tuple(argv), root, standing
        self._killers = KillerReader("journal")
        # A follower that is started again begins with the same lines.
        self._told: dict[tuple[object, ...], OomEvent] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._rest = b""
        self._not_before = float("-inf")
        self.problem: str | None = None
        """Why the journal cannot be followed, None if it can."""

    def poll(self) -> tuple[OomEvent, ...]:
        """Return the kills that are new since the last call."""
        if self._process is None and time.monotonic() >= self._not_before:
            self._start()
        found = [event for line in self._lines() for record in parse_line(line) for event in self._killers.feed(record)]
        found.extend(self._killers.flush())
        return tuple(event for event in found if self._is_news(event))

    def _is_news(self, event: OomEvent) -> bool:
        if self._told.get(event.key) == event:
            return False
        self._told.pop(event.key, None)
        self._told[event.key] = event
        if len(self._told) > _REMEMBERED:
            del self._told[next(iter(self._told))]
        return True

    def close(self) -> None:
        """End the follower."""
        process, self._process = self._process, None
        if process is not None and process.stdout is not None:
            process.stdout.close()
            process.kill()
            # One that waits for a disk is reaped when the next child is started, or by init.
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.5)

    def _start(self) -> None:
        journals = list(_journals(self._root))
        if not any(os.access(path, os.R_OK) for path in journals):
            # Without a journal nothing is withheld: the daemons write elsewhere.
            self._give_up("what daemons kill is written there: group systemd-journal may read it" if journals else None)
            return
        try:
            # In a session of its own: Ctrl-C in a tool opened from the screen is not for it.
            process = subprocess.Popen(
                self._argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0,
                start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            self._give_up(f"{self._argv[0]}: {os.strerror(error.errno or 0)}")
            return
        assert process.stdout is not None
        os.set_blocking(process.stdout.fileno(), False)
        self._process, self._rest = process, b""
        # Raising both back needs no privilege; it may have ended already.
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, process.pid, self._standing.nice)
        with suppress(OSError), open(f"/proc/{process.pid}/oom_score_adj", "wb", buffering=0) as file:
            file.write(str(self._standing.adj).encode())

    def _give_up(self, why: str | None) -> None:
        self.problem, self._not_before = why, time.monotonic() + _AGAIN

    def _lines(self) -> Iterator[str]:
        """Yield the JSON lines that are complete; one too long to be a daemon's is dropped as it comes."""
        data = self._read()
        if not data:
            return
        *lines, rest = (self._rest + data).split(b"\n")
        # The rest of a dropped line comes next; it does not begin JSON either.
        self._rest = rest if len(rest) <= _LONGEST_LINE else b"?"
        for line in lines:
            if line.startswith(b"{"):
                yield line.decode("utf-8", "backslashreplace")

    def _read(self) -> bytes:
        data = b""
        while self._process is not None and self._process.stdout is not None and len(data) < _A_POLL:
            read = self._process.stdout.read(1 << 16)
            if read is None:
                break
            if not read:
                code = self._process.poll()
                # None while it still dies.
                if code is not None:
                    self.close()
                    self._give_up(f"journalctl ended with {code}; the kills that daemons make are not seen")
                break
            data, self.problem = data + read, None
        return data


def _journals(root: Root) -> Iterator[str]:
    """Yield the system's journals that are being written."""
    for folder in map(root.at, _FOLDERS):
        with suppress(OSError):
            yield from (path for each in os.scandir(folder) if os.path.exists(path := f"{each.path}/system.journal"))
