"""The file: SQLite in WAL mode, one transaction a tick: a kill or a power cut at any byte loses the last at most.

A chapter begins with a whole snapshot in `keys`; `frames` hold the difference of each tick to the one before.  The
chapters do not need one another, so the oldest can be taken out.  `ticks` holds the few figures that the time line and
the search for the highest pressure need, so that nothing has to be unpacked for them.
https://www.sqlite.org/wal.html
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping
from urllib.parse import quote

from oomtop.host.trusted_file import Place, open_foreign
from oomtop.host.user_names import state_home
from oomtop.recording.damage import Damaged
from oomtop.recording.kinds import RecordingError
from oomtop.recording.trust import Budget, distrust, require_tables

VERSION = 1
"""Raised when an older oomtop could not read the file; a field that comes or goes in a record does not raise it."""

_TABLES = """
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE schemas(id INTEGER PRIMARY KEY, fields TEXT NOT NULL);
CREATE TABLE chapters(id INTEGER PRIMARY KEY, schema INTEGER NOT NULL, time REAL NOT NULL);
CREATE TABLE ticks(id INTEGER PRIMARY KEY, chapter INTEGER NOT NULL, time REAL NOT NULL, monotonic REAL NOT NULL,
  available INTEGER, free INTEGER, swap_used INTEGER, some REAL, full REAL);
CREATE TABLE keys(id INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE frames(id INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE events(id INTEGER PRIMARY KEY, tick INTEGER NOT NULL, time REAL, key TEXT NOT NULL,
  schema INTEGER NOT NULL, size INTEGER NOT NULL, body BLOB NOT NULL);
CREATE INDEX events_by_key ON events(key);
CREATE TABLE actions(id INTEGER PRIMARY KEY, tick INTEGER NOT NULL, time REAL NOT NULL, title TEXT NOT NULL,
  status TEXT NOT NULL, summary TEXT NOT NULL);
"""
_FORMAT_OFFSET, _FORMATS = 18, (1, 2)
"""File format write and read version, a byte each: rollback journal and WAL (https://www.sqlite.org/fileformat2.html)."""
_BUSY_SECONDS = 5.0
_EMPTY_PAGES = 4
FAILURES = (sqlite3.Error, UnicodeDecodeError, OverflowError, MemoryError)
"""What SQLite and its Python module raise for a file that cannot be read or written."""
# What SQLite says of a disk, a folder or another program, and not of the file.
_NO_DAMAGE = ("unable to open", "readonly", "locked", "disk I/O", "interrupted")


def default_path(environ: Mapping[str, str] = os.environ) -> str:
    """Return where this user's recording is."""
    if os.geteuid() == 0:
        return "/var/lib/oomtop/recording.db"
    return os.path.join(state_home(environ), "oomtop", "recording.db")


class DiskFull(RecordingError):
    """There is no room for the file, or for what is to be added to it."""


def open_for_writing(path: str) -> sqlite3.Connection:
    """Return a connection to the file, made if there is none; only its owner may read it.

    Raises:
        RecordingError: it cannot be made or is no recording.
        DiskFull: there is no room to make it.
        Damaged: it was a recording and cannot be gone on with.
    """
    try:
        _make(path)
    except OSError as error:
        raise RecordingError(f"{path}: {error.strerror}") from None
    connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        _prepare(connection, path)
    except FAILURES as error:
        connection.close()
        raise cause_of(error, path) from None
    except BaseException:
        connection.close()
        raise
    return connection


def _make(path: str) -> None:
    """Make the file if there is none; SQLite opens it and the three beside it by name, so nobody else may be able to.

    Raises:
        OSError: somebody else could have written one of them, or it cannot be made.
        Damaged: its header says that it is of a format nobody writes; SQLite would call the file read-only.
    """
    with Place(path, follows=False) as place:
        file = place.open(os.O_RDWR | os.O_CREAT)
        try:
            versions = os.pread(file, 2, _FORMAT_OFFSET)
        finally:
            os.close(file)
        if any(version not in _FORMATS for version in versions):
            raise Damaged(f"{path}: the recording is damaged: its header has an unknown file format")
    for ending in ("-wal", "-shm", "-journal"):
        with Place(path + ending, follows=False) as place:
            if place.status() is not None:
                os.close(place.open(os.O_RDWR))


def cause_of(error: Exception, path: str) -> RecordingError:
    """Return in words what an error of SQLite means for the file: a full disk, one that cannot be written, damage."""
    said = str(error)
    if isinstance(error, sqlite3.Error) and "disk is full" in said:
        return DiskFull(f"{path}: {said}")
    if isinstance(error, MemoryError):
        return RecordingError(f"{path}: not enough memory")
    if isinstance(error, sqlite3.OperationalError) and any(words in said for words in _NO_DAMAGE):
        return RecordingError(f"{path}: {said}")
    return Damaged(f"{path}: {said}")


def _prepare(connection: sqlite3.Connection, path: str) -> None:
    distrust(connection)
    is_new = is_empty(connection)
    if is_new and connection.execute("PRAGMA page_count").fetchone()[0] > _EMPTY_PAGES:
        raise Damaged(f"{path}: the recording is damaged: its tables are missing")
    if not is_new:
        _require_own(connection, path)
    connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
    connection.execute("PRAGMA journal_mode=WAL")
    # FULL: the log reaches the disk with every commit, so a power cut costs the interval and not the last minutes.
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA journal_size_limit=4194304")
    if is_new:
        _make_tables(connection)


def _require_own(connection: sqlite3.Connection, path: str) -> None:
    require_tables(connection, _TABLES, path)
    try:
        require_version(connection, path)
    except RecordingError as error:
        # With these tables it is oomtop's own: one of a later version is kept, not written to.
        raise Damaged(str(error)) from None


def _make_tables(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    for statement in _TABLES.split(";"):
        connection.execute(statement)
    connection.execute("INSERT INTO meta VALUES('version', ?)", (str(VERSION),))
    connection.execute("COMMIT")


def open_for_reading(path: str, budget: Budget) -> sqlite3.Connection:
    """Return a connection that changes nothing; a file nobody may write to is read as it lies there.

    Raises:
        RecordingError: there is none, it cannot be read, is no recording, or is one of a later oomtop.
    """
    try:
        os.close(open_foreign(path))
    except OSError as error:
        missing = isinstance(error, FileNotFoundError)
        raise RecordingError(f"{path}: {'no such recording' if missing else error.strerror}") from None
    problem = "cannot be read"
    for mode in ("mode=ro", "mode=ro&immutable=1"):
        budget.begin()
        connection = None
        try:
            connection = _connect(f"file:{quote(os.path.abspath(path))}?{mode}")
            _require_readable(connection, path, budget)
            return connection
        except BaseException as error:
            if connection is not None:
                connection.close()
            if not isinstance(error, FAILURES):
                raise
            problem = str(error) or "not enough memory"
    raise RecordingError(f"{path}: {problem}")


def _connect(uri: str) -> sqlite3.Connection:
    return sqlite3.connect(uri, uri=True, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)


def _require_readable(connection: sqlite3.Connection, path: str, budget: Budget) -> None:
    distrust(connection, budget)
    if is_empty(connection):
        raise RecordingError(f"{path}: is empty; the recorder was stopped before its first sample")
    require_tables(connection, _TABLES, path)
    require_version(connection, path)


def is_empty(connection: sqlite3.Connection) -> bool:
    """Whether no table was made yet."""
    return connection.execute("SELECT 1 FROM sqlite_master").fetchone() is None


def require_version(connection: sqlite3.Connection, path: str) -> None:
    """Check that this is a recording that this version reads.

    Raises:
        RecordingError: it is not.
    """
    row = connection.execute("SELECT value FROM meta WHERE key='version'").fetchone()
    version = "" if row is None else str(row[0])[:9]
    if not (version.isascii() and version.isdigit()):
        raise RecordingError(f"{path}: the recording is damaged: its format is missing")
    if int(version) > VERSION:
        raise RecordingError(f"{path}: was made by a newer oomtop (format {version}; this one reads up to {VERSION})")
