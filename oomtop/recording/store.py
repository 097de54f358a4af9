"""`Store`: writes ticks, OOM events and actions to the recording, and keeps it within its bounds."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Sequence

from oomtop.frozen import frozen
from oomtop.oomlog.event import OomEvent
from oomtop.recording.codec import Codec, pack
from oomtop.recording.damage import Damaged, put_aside
from oomtop.recording.kinds import RecordingError
from oomtop.recording.layout import FAILURES, DiskFull, cause_of, open_for_writing
from oomtop.recording.ownership import has_room, take_lock
from oomtop.recording.retention import Chapter, Retention, choose
from oomtop.snapshot import Snapshot, Tick

CHAPTER_TICKS = 30
"""So that a jump unpacks sixty ticks at most; a whole snapshot of 500 processes is 27 kB, a tick 1.2 kB."""
_MOST_EVENTS = 2000
_MOST_ACTIONS = 5000
_FREE_PAGES = 2000
_WRITTEN = """SELECT fields, length(body) FROM chapters
  JOIN schemas ON schemas.id = schema JOIN keys ON keys.id = chapters.id
  WHERE chapters.id = ?"""
# Two tellings of one event differ in time by the drift between the kernel's clock and the wall clock.
_SAME_EVENT = 2.0


@frozen
class Deed:
    """An action as the recording remembers it."""

    time: float
    title: str
    status: str
    summary: str


class Store:
    """One writer of one file; a second one on the same file is refused."""

    def __init__(
        self, path: str, bounds: Retention | None = None, report: Callable[[str], object] = lambda text: None
    ) -> None:
        """`report` takes a line when a damaged recording is put aside.

        Raises:
            RecordingError: the file cannot be written, is no recording, or another recorder has it.
        """
        self.path = path
        self._bounds = bounds or Retention()
        self._report = report
        self._codec = Codec((Snapshot, OomEvent))
        self._schema_text = json.dumps(self._codec.schema, separators=(",", ":"))
        self._last: Snapshot | None = None
        self._latest = 0.0
        self._window = b""
        self._in_chapter = 0
        self._chapter = 0
        self._has_made_room = False
        self._is_open = False
        self._lock = take_lock(path)
        try:
            self._open()
        except DiskFull:
            # Others may make room: each tick tries again, and says what is wrong.
            pass
        except BaseException:
            os.close(self._lock)
            raise

    def close(self) -> None:
        """Write the log back into the file and let go of it."""
        if self._is_open:
            self._db.close()
        os.close(self._lock)

    def write(self, tick: Tick, deeds: Sequence[Deed] = ()) -> None:
        """Write one tick with the actions since the one before; it is on the disk when this returns.

        Raises:
            RecordingError: the disk is full or the file cannot be written; the next tick is tried anew.
        """
        try:
            if not self._is_open:
                self._open()
            self._db.execute("BEGIN IMMEDIATE")
            self._insert(tick, deeds)
            self._db.execute("COMMIT")
            self._last, self._latest = tick.snapshot, tick.snapshot.time
            self._next += 1
            self._has_made_room = False
            if self._in_chapter == 1:
                self._require_written()
                self.trim()
        except FAILURES as error:
            self._last = None
            problem = self._cause(error)
            raise type(problem)(f"{problem}{self._recover(problem)}") from None

    def _cause(self, error: Exception) -> RecordingError:
        """Return what an error means; SQLite calls a damaged file full as well, where its numbers are used up."""
        problem = cause_of(error, self.path)
        if isinstance(problem, DiskFull) and self._has_made_room and has_room(self.path):
            return Damaged(f"{self.path}: nothing can be added, although the disk has room")
        return problem

    def _require_written(self) -> None:
        """Read the beginning of the chapter back: where two tables share a page, a write succeeds and loses both."""
        found = self._db.execute(_WRITTEN, (self._chapter,)).fetchone()
        if found is None or found[0] != self._schema_text or not found[1]:
            raise sqlite3.DatabaseError("written data cannot be read back")

    def _open(self) -> None:
        """Open the file; one that is damaged is put aside, and recording begins anew."""
        try:
            self._begin()
        except Damaged as error:
            self._begin_anew(error)

    def _begin_anew(self, damage: Damaged) -> None:
        self._report(f"{damage}; kept as {put_aside(self.path)}")
        self._begin()

    def _begin(self) -> None:
        self._db = open_for_writing(self.path)
        try:
            self._schema = self._register_schema()
            self._require_sound()
            self._next = self._one("SELECT coalesce(max(id), 0) + 1 FROM ticks")
        except BaseException as error:
            self._db.close()
            if not isinstance(error, FAILURES):
                raise
            raise cause_of(error, self.path) from None
        self._is_open = True

    def _require_sound(self) -> None:
        """Walk the tables that every start and every reader walks: a twentieth of the file, a damaged page raises."""
        # The last column of each: a row is taken apart for it.
        for table, column in (("chapters", "time"), ("ticks", "full"), ("actions", "summary")):
            self._one(f"SELECT count({column}) FROM {table}")

    def _recover(self, problem: RecordingError) -> str:
        """Make room on a full disk, put a damaged file aside; return what did not help, for the message."""
        try:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            if isinstance(problem, DiskFull):
                self._make_room()
            elif isinstance(problem, Damaged):
                self._db.close()
                self._is_open = False
                self._begin_anew(problem)
        except FAILURES as error:
            return "" if str(error) in str(problem) else f"; {error}"
        except RecordingError as error:
            return f"; {error}"
        return ""

    def _make_room(self) -> None:
        """Take out half of the past, once: where that does not help, what is left is not the reason."""
        if not self._has_made_room:
            self._has_made_room = True
            self.trim(self._size() // 2)

    def trim(self, max_bytes: int | None = None) -> None:
        """Take out the oldest chapters until the file is within its bounds."""
        limit = self._bounds.max_bytes if max_bytes is None else max_bytes
        bounds = Retention(limit, self._bounds.max_seconds)
        chapters = self._chapters()
        events = sorted(
            row[0] for row in self._db.execute("SELECT CAST(time AS REAL) FROM events WHERE time IS NOT NULL")
        )
        now = chapters[-1].end if chapters else 0.0
        while (chapter := choose(chapters, events, bounds, now, self._size())) is not None:
            self._delete(chapter)
            chapters = [kept for kept in chapters if kept.id != chapter]
        if self._one("PRAGMA freelist_count") > _FREE_PAGES:
            self._db.execute(f"PRAGMA incremental_vacuum({_FREE_PAGES})").fetchall()

    def _insert(self, tick: Tick, deeds: Sequence[Deed]) -> None:
        number, snapshot = self._next, tick.snapshot
        is_key = self._last is None or self._in_chapter >= CHAPTER_TICKS
        if self._last is not None:
            # The first tick of a chapter has its difference too: whoever reads on needs no new start there.
            body, raw = pack(self._codec.delta(self._last, snapshot), self._window)
            self._db.execute("INSERT INTO frames VALUES(?, ?)", (number, body))
            self._window = (self._window + raw)[-(32 << 10) :]
        if is_key:
            self._begin_chapter(number, snapshot)
        self._in_chapter += 1
        self._db.execute(
            "INSERT INTO ticks VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)", (number, self._chapter, *_figures(snapshot))
        )
        for event in tick.events:
            self._insert_event(number, event)
        self._db.executemany(
            "INSERT INTO actions(tick, time, title, status, summary) VALUES(?, ?, ?, ?, ?)",
            [(number, deed.time, deed.title, deed.status, deed.summary) for deed in deeds],
        )

    def _begin_chapter(self, number: int, snapshot: Snapshot) -> None:
        body, _ = pack(self._codec.full(snapshot))
        self._db.execute("INSERT INTO keys VALUES(?, ?)", (number, body))
        self._db.execute("INSERT INTO chapters VALUES(?, ?, ?)", (number, self._schema, snapshot.time))
        self._chapter, self._in_chapter, self._window = number, 0, b""

    def _insert_event(self, number: int, event: OomEvent) -> None:
        """Write an event, unless an earlier start of the recorder told it from the same log."""
        key = repr(event.key)
        known = self._db.execute(
            "SELECT 1 FROM events WHERE key=? AND (time IS ? OR abs(time - ?) <= ?) AND size >= ?",
            (key, event.time, event.time, _SAME_EVENT, len(event.raw)),
        ).fetchone()
        if known is None:
            body, _ = pack(self._codec.full(event))
            self._db.execute(
                "INSERT INTO events(tick, time, key, schema, size, body) VALUES(?, ?, ?, ?, ?, ?)",
                (number, event.time, key, self._schema, len(event.raw), body),
            )

    def _register_schema(self) -> int:
        row = self._db.execute("SELECT id FROM schemas WHERE fields=?", (self._schema_text,)).fetchone()
        if row is not None:
            return int(row[0])
        return self._db.execute("INSERT INTO schemas(fields) VALUES(?)", (self._schema_text,)).lastrowid or 0

    def _chapters(self) -> list[Chapter]:
        rows = self._db.execute("SELECT id, coalesce(CAST(time AS REAL), 0.0) FROM chapters ORDER BY id").fetchall()
        ends = [row[1] for row in rows[1:]] + [self._latest]
        return [Chapter(row[0], row[1], end) for row, end in zip(rows, ends, strict=True)]

    def _delete(self, chapter: int) -> None:
        following = self._one("SELECT coalesce(min(id), 9e15) FROM chapters WHERE id > ?", chapter)
        self._db.execute("BEGIN IMMEDIATE")
        for table in ("ticks", "frames", "keys", "chapters"):
            self._db.execute(f"DELETE FROM {table} WHERE id >= ? AND id < ?", (chapter, following))
        for table, most in (("events", _MOST_EVENTS), ("actions", _MOST_ACTIONS)):
            self._db.execute(f"DELETE FROM {table} WHERE id <= (SELECT max(id) FROM {table}) - ?", (most,))
        self._db.execute("COMMIT")

    def _size(self) -> int:
        pages = self._one("PRAGMA page_count") - self._one("PRAGMA freelist_count")
        return pages * self._one("PRAGMA page_size")

    def _one(self, query: str, *values: object) -> int:
        return int(self._db.execute(query, values).fetchone()[0])


def _figures(snapshot: Snapshot) -> tuple[float | int | None, ...]:
    memory, pressure = snapshot.meminfo, snapshot.pressure_memory
    used = None if memory.swap_total is None or memory.swap_free is None else memory.swap_total - memory.swap_free
    some = pressure.some.avg10 if pressure is not None else None
    full = pressure.full.avg10 if pressure is not None and pressure.full is not None else None
    return snapshot.time, snapshot.monotonic, memory.mem_available, memory.mem_free, used, some, full
