"""`Recording`: an open recording: its time line at once, and the snapshot of any tick when asked for."""

from __future__ import annotations

import json
import sqlite3
from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate, islice
from typing import NamedTuple

from oomtop.frozen import frozen
from oomtop.oomlog.event import OomEvent
from oomtop.recording.codec import Codec, Schema, unpack
from oomtop.recording.kinds import RecordingError
from oomtop.recording.layout import open_for_reading
from oomtop.recording.store import Deed
from oomtop.snapshot import Snapshot

_FIGURES = "id, chapter, time, monotonic, available, free, swap_used, some, full"


class RecordedTick(NamedTuple):
    """A tick on the time line: the few figures that are known without unpacking it.

    A named tuple, because a day has 17,280 of them and opening it must not be noticed.
    """

    id: int
    chapter: int
    time: float
    monotonic: float
    available: int | None
    free: int | None
    swap_used: int | None
    some_avg10: float | None
    full_avg10: float | None


@frozen
class Incident:
    """An OOM event and the tick that brought it."""

    tick: int
    event: OomEvent


class Recording:
    """Reads one file, which a recorder may be writing to at the same moment; no lock is held between calls."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._db = open_for_reading(path)
        self._codecs: dict[int, Codec] = {}
        self._chapters: dict[int, int] = {}
        self.moments: list[RecordedTick] = []
        self.incidents: list[Incident] = []
        self.deeds: list[tuple[int, Deed]] = []
        """(tick, action), oldest first."""
        self.problems: list[str] = []
        """What is damaged beside the facts, in words."""
        self._ends: list[float] = []
        self._last_event = self._last_deed = 0
        self._at: tuple[int, Snapshot, bytes] | None = None
        self.refresh()

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def refresh(self) -> bool:
        """Take in what the recorder wrote since; return whether there was anything.

        Raises:
            RecordingError: the file is damaged.
        """
        count = len(self.moments)
        try:
            self._read_moments()
            self._read_events()
            self._read_deeds()
        except (sqlite3.Error, TypeError, ValueError) as error:
            raise RecordingError(f"{self.path}: {error}") from None
        return len(self.moments) > count

    def _read_moments(self) -> None:
        last = self.moments[-1].id if self.moments else 0
        fresh = [
            RecordedTick._make(row)
            for row in self._rows(f"SELECT {_FIGURES} FROM ticks WHERE id > ? ORDER BY id", last)
        ]
        self._chapters.update(self._rows("SELECT id, schema FROM chapters WHERE id > ?", last))
        self.moments += fresh
        # A clock that was set back must not put the moments out of order.
        times = accumulate((moment.time for moment in fresh), max, initial=self._ends[-1] if self._ends else 0.0)
        self._ends.extend(islice(times, 1, None))

    def _read_deeds(self) -> None:
        query = "SELECT id, tick, time, title, status, summary FROM actions WHERE id > ? ORDER BY id"
        for number, tick, *deed in self._rows(query, self._last_deed):
            self._last_deed = number
            self.deeds.append((tick, Deed(*deed)))

    def place(self, time: float) -> int:
        """Return the index of the last moment not after `time`, the first one where there is none."""
        return max(0, bisect_right(self._ends, time) - 1)

    def covers(self, time: float) -> bool:
        """Whether something was recorded within the minute before `time`."""
        if not self.moments or time < self.moments[0].time:
            return False
        return time - self.moments[self.place(time)].time <= 60.0

    def snapshot(self, index: int) -> Snapshot:
        """Return the facts of the moment at `index`.

        Raises:
            RecordingError: the file is damaged, or the recorder took that moment out meanwhile.
        """
        for _, snapshot in self.read(index, index + 1):
            return snapshot
        raise RecordingError(f"{self.path}: nothing is recorded there")

    def key_index(self, index: int) -> int:
        """Return the index of the first moment of the chapter that holds `index`."""
        chapter = self.moments[index].chapter
        while index > 0 and self.moments[index].id > chapter:
            index -= 1
        return index

    def next_chapter(self, index: int) -> int | None:
        """Return the index where the chapter after that of `index` begins, None where it is the last."""
        chapter = self.moments[index].chapter
        return next(
            (place for place in range(index + 1, len(self.moments)) if self.moments[place].chapter != chapter), None
        )

    def read(self, start: int, stop: int) -> Iterator[tuple[int, Snapshot]]:
        """Yield (index, facts) from `start` to before `stop`, each unpacked when it is taken.

        Raises:
            RecordingError: the file is damaged, or the recorder took that moment out meanwhile.
        """
        at = self._at
        if at is not None and at[0] == start < stop:
            yield at[0], at[1]
            start += 1
        begin = self.key_index(start) if start < stop else start
        if at is not None and begin <= at[0] + 1 <= start:
            begin = at[0] + 1
        for index in range(begin, stop):
            moment = self.moments[index]
            follows = at is not None and at[0] == index - 1 and self.moments[at[0]].id == moment.id - 1
            at = self._at = self._next(index, moment, at if follows else None)
            if index >= start:
                yield index, at[1]

    def _next(
        self, index: int, moment: RecordedTick, before: tuple[int, Snapshot, bytes] | None
    ) -> tuple[int, Snapshot, bytes]:
        if before is not None:
            body = self._body("frames", moment.id)
            if body is not None:
                data, raw = unpack(body, before[2])
                snapshot = self._codec(moment).apply(before[1], data)
                is_key = moment.id == moment.chapter
                return index, snapshot, b"" if is_key else (before[2] + raw)[-(32 << 10) :]
        body = self._body("keys", moment.id)
        if body is None:
            raise RecordingError(f"{self.path}: the recorder took this moment out meanwhile")
        data, _ = unpack(body)
        return index, self._codec(moment).load(Snapshot, data), b""

    def _codec(self, moment: RecordedTick) -> Codec:
        schema = self._chapters.get(moment.chapter)
        if schema is None:
            raise RecordingError(f"{self.path}: the recorder took this moment out meanwhile")
        return self._codec_of(schema)

    def _codec_of(self, schema: int) -> Codec:
        codec = self._codecs.get(schema)
        if codec is None:
            rows = self._rows("SELECT fields FROM schemas WHERE id=?", schema)
            if not rows:
                raise RecordingError(f"{self.path}: the recording is damaged: no schema {schema}")
            codec = self._codecs[schema] = Codec((Snapshot, OomEvent), _parse_schema(str(rows[0][0])))
        return codec

    def _body(self, table: str, number: int) -> bytes | None:
        try:
            rows = self._rows(f"SELECT body FROM {table} WHERE id=?", number)
        except sqlite3.Error as error:
            raise RecordingError(f"{self.path}: {error}") from None
        body = rows[0][0] if rows else None
        if body is None or isinstance(body, bytes):
            return body
        raise RecordingError(f"{self.path}: the recording is damaged: a frame is no blob")

    def _read_events(self) -> None:
        rows = self._rows("SELECT id, tick, schema, body FROM events WHERE id > ? ORDER BY id", self._last_event)
        for number, tick, schema, body in rows:
            self._last_event = number
            try:
                data, _ = unpack(body)
                self.incidents.append(Incident(tick, self._codec_of(schema).load(OomEvent, data)))
            except RecordingError as error:
                self.problems.append(f"event {number}: {error}")

    def _rows(self, query: str, *values: object) -> list[tuple]:  # type: ignore[type-arg]
        return self._db.execute(query, values).fetchall()


def _parse_schema(text: str) -> Schema:
    """Return the fields of every class.

    Raises:
        RecordingError: it is something else.
    """
    try:
        return {str(name): [(str(field), str(kind)) for field, kind in own] for name, own in json.loads(text).items()}
    except (ValueError, TypeError, AttributeError):
        raise RecordingError("the recording is damaged: its schema cannot be read") from None
