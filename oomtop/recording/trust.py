"""What of a recording is believed: one that is handed over may come from anybody, and disks flip bits.

Only the tables that oomtop makes are read, so that no view, trigger or virtual table of the file ever runs
(https://www.sqlite.org/security.html, "Untrusted SQLite Database Files"); every query has a budget, every text a size.
"""

from __future__ import annotations

import math
import sqlite3
import sys
import time
from contextlib import closing

from oomtop.recording.damage import Damaged
from oomtop.recording.kinds import RecordingError
from oomtop.snapshot import Snapshot

_STEPS = 1000
_MOST_CALLS = 20_000
"""Twenty million instructions of SQLite's machine, a second: 400,000 ticks take a third of them."""
_CPU_SECONDS = 2.0
_MOST_BYTES = 8 << 20
"""Of one value: a snapshot of 30,000 processes is 2 MB packed."""
LATEST = 1e10
"""Unix time in seconds, the year 2286: what is later is no time, and the C library cannot show it."""


class Budget:
    """Ends a query that works for longer than any recording needs; waiting for a disk is no work."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Begin anew, for the next query."""
        self._calls, self._end = 0, time.thread_time() + _CPU_SECONDS

    def __call__(self) -> int:
        """Return 1 once the query has to end, as SQLite asks every thousand instructions."""
        self._calls += 1
        return int(self._calls > _MOST_CALLS or time.thread_time() > self._end)


def distrust(connection: sqlite3.Connection, budget: Budget | None = None) -> None:
    """Bound what a file can make SQLite do, before anything is read from it."""
    connection.text_factory = _text
    if budget is not None:
        connection.set_progress_handler(budget, _STEPS)
    # Before Python 3.11 the size of the file is the bound.
    if sys.version_info >= (3, 11):
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _MOST_BYTES)
        connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    connection.execute("PRAGMA trusted_schema=OFF")
    connection.execute("PRAGMA cell_size_check=ON")


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def require_tables(connection: sqlite3.Connection, tables: str, path: str) -> None:
    """Check that the file holds what the statements `tables` make and nothing else.

    Raises:
        RecordingError: it is a database of somebody else.
        Damaged: it was a recording.
    """
    own = _made(tables)
    found = _objects(connection)
    if found == own:
        return
    names = {name for _, name, _ in own}
    if 2 * len({name for _, name, _ in found} & names) < len(names):
        raise RecordingError(f"{path}: is a database, but not an oomtop recording")
    odd = min({name for _, name, _ in found ^ own})
    raise Damaged(f"{path}: the recording is damaged: unexpected {odd}")


def _made(tables: str) -> set[tuple[str, str, str]]:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(tables)
        return _objects(connection)


def _objects(connection: sqlite3.Connection) -> set[tuple[str, str, str]]:
    """Return (type, name, statement) of all tables, indices, views and triggers; a file has few of them."""
    rows = connection.execute("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL LIMIT 100").fetchall()
    return {(str(kind), str(name), str(statement)) for kind, name, statement in rows}


def require_possible(snapshot: Snapshot, path: str) -> Snapshot:
    """Return the facts of a recording if they can be those of a machine.

    Raises:
        RecordingError: a figure that everything else is divided by, a time, or a path of a group cannot be.
    """
    machine = snapshot.machine
    times = (snapshot.time, snapshot.monotonic, machine.boot_time)
    is_possible = (
        512 <= machine.page_size <= 1 << 24
        and 1 <= machine.clock_ticks <= 1_000_000
        and 1 <= machine.cpu_count <= 1 << 20
        and 1 <= snapshot.meminfo.mem_total < 1 << 63
        and all(math.isfinite(moment) and abs(moment) < LATEST for moment in times if moment is not None)
    )
    paths = {group.path for group in snapshot.cgroups}
    if not is_possible or len(paths) < len(snapshot.cgroups) or not all(path.startswith("/") for path in paths):
        raise RecordingError(f"{path}: the recording is damaged: its figures are impossible")
    return snapshot


def require_time(value: float | None) -> None:
    """Check a Unix time that the file tells; None is one that nobody knows.

    Raises:
        RecordingError: it is none that can be shown.
    """
    if value is not None and not (math.isfinite(value) and 0 <= value < LATEST):
        raise RecordingError(f"the recording is damaged: {value!r} is not a time")
