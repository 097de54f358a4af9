"""`Recording`: an open recording: its time line at once, and the snapshot of any tick when asked for."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate, islice, zip_longest
from operator import lt
from typing import NamedTuple

from oomtop.frozen import frozen
from oomtop.oomlog.event import OomEvent
from oomtop.recording.codec import Codec, Schema, unpack
from oomtop.recording.kinds import RecordingError
from oomtop.recording.layout import FAILURES, open_for_reading
from oomtop.recording.store import Deed
from oomtop.recording.trust import LATEST, Budget, require_possible, require_time
from oomtop.snapshot import Snapshot

_MOST_TICKS, _AT_ONCE = 400_000, 50_000
"""A week of ticks has 121,000 when it is calm; 400,000 take 130 MB."""
_MOST_EVENTS, _EVENT_BYTES, _ALL_EVENT_BYTES = 10_000, 1 << 20, 64 << 20
_MOST_DEEDS = 10_000
_MOST_SCHEMA = 1 << 18
_CHAPTERS = "SELECT id, schema FROM chapters WHERE id > :last"
# What has no place on a time line is left out as it is read.  A column of SQLite holds values of any type, and one of a
# damaged page nulls where none may be (IS NOT NULL would be taken for granted there).
_MOMENTS = f"""SELECT id, chapter, time, monotonic, available, free, swap_used, some, full FROM ticks WHERE id > :last
  AND typeof(chapter) = 'integer' AND typeof(time) = 'real' AND typeof(monotonic) = 'real'
  AND time BETWEEN 0 AND {LATEST} AND monotonic BETWEEN 0 AND {LATEST}
  AND typeof(available) IN ('integer', 'null') AND typeof(free) IN ('integer', 'null')
  AND typeof(swap_used) IN ('integer', 'null')
  AND typeof(some) IN ('real', 'null') AND typeof(full) IN ('real', 'null')"""
_EVENTS = f"""SELECT id, tick, schema, body FROM events
  WHERE id > :last AND typeof(tick) = 'integer' AND typeof(schema) = 'integer'
  AND typeof(body) = 'blob' AND length(body) <= {_EVENT_BYTES}"""
_DEEDS = f"""SELECT id, tick, time, substr(CAST(title AS TEXT), 1, 500),
  substr(CAST(status AS TEXT), 1, 500), substr(CAST(summary AS TEXT), 1, 500) FROM actions
  WHERE id > :last AND typeof(tick) = 'integer' AND typeof(time) = 'real' AND time BETWEEN 0 AND {LATEST}
  AND 'null' NOT IN (typeof(title), typeof(status), typeof(summary))"""


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
        self._budget = Budget()
        self._db = open_for_reading(path, self._budget)
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
        self._event_room = _ALL_EVENT_BYTES
        self._at: dict[str, tuple[int, Snapshot, bytes] | None] = {}
        try:
            self.refresh()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Recording:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def refresh(self) -> bool:
        """Take in what the recorder wrote since; return whether there was anything.

        Raises:
            RecordingError: the file is damaged.
        """
        count = len(self.moments)
        self._read_moments()
        self._read_events()
        self._read_deeds()
        return len(self.moments) > count

    def _read_moments(self) -> None:
        last = self.moments[-1].id if self.moments else self._skipped()
        self._chapters.update(self._scan(_CHAPTERS, last, _MOST_TICKS))
        while len(self.moments) < 2 * _MOST_TICKS and (fresh := self._scan(_MOMENTS, last, _AT_ONCE)):
            self._take(list(map(RecordedTick._make, fresh)))
            last = self.moments[-1].id

    def _take(self, fresh: list[RecordedTick]) -> None:
        self.moments += fresh
        # A clock that was set back must not put the moments out of order.
        times = accumulate((moment.time for moment in fresh), max, initial=self._ends[-1] if self._ends else 0.0)
        self._ends.extend(islice(times, 1, None))

    def _skipped(self) -> int:
        """Return the id up to which a recording of too many ticks is not read, which is a problem to tell."""
        try:
            ((count,),) = self._rows("SELECT count(*) FROM ticks")
            beyond = self._rows("SELECT id FROM ticks ORDER BY id DESC LIMIT 1 OFFSET ?", _MOST_TICKS)
        except RecordingError:
            # A damaged page; the scan finds it again, and tells.
            return 0
        if not beyond:
            return 0
        self.problems.append(f"{count} samples are recorded; the newest {_MOST_TICKS} are shown")
        return int(beyond[0][0])

    def _read_deeds(self) -> None:
        for number, tick, *deed in self._scan(_DEEDS, self._last_deed, _MOST_DEEDS):
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
        raise RecordingError(f"{self.path}: nothing recorded there")

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

    def read(self, start: int, stop: int, reader: str = "") -> Iterator[tuple[int, Snapshot]]:
        """Yield (index, facts) from `start` to before `stop`, each unpacked when it is taken.

        Every `reader` goes on cheaply from where it stopped.

        Raises:
            RecordingError: the file is damaged, or the recorder took that moment out meanwhile.
        """
        at = self._at.get(reader)
        if at is not None and at[0] == start < stop:
            yield at[0], at[1]
            start += 1
        begin = self.key_index(start) if start < stop else start
        if at is not None and begin <= at[0] + 1 <= start:
            begin = at[0] + 1
        for index in range(begin, stop):
            moment = self.moments[index]
            follows = at is not None and at[0] == index - 1 and self.moments[at[0]].id == moment.id - 1
            at = self._at[reader] = self._next(index, moment, at if follows else None)
            if index >= start:
                yield index, at[1]

    def read_readable(self, start: int) -> Iterator[tuple[int, Snapshot]]:
        """Yield as `read` does to the end, without damaged chapters, which none needs; `problems` then tells of them.

        Raises:
            RecordingError: nothing from `start` on can be read.
        """
        place, count, damage = start, 0, None
        while place < len(self.moments):
            try:
                for index, snapshot in self.read(place, len(self.moments)):
                    place, count = index + 1, count + 1
                    yield index, snapshot
            except RecordingError as error:
                damage = damage or error
                place = self.next_chapter(place) or len(self.moments)
        if damage is not None and not count:
            raise damage
        if damage is not None:
            self.problems.append(f"{damage}; {count} of {len(self.moments) - start} samples can be read")

    def _next(
        self, index: int, moment: RecordedTick, before: tuple[int, Snapshot, bytes] | None
    ) -> tuple[int, Snapshot, bytes]:
        if before is not None:
            body = self._body("frames", moment.id)
            if body is not None:
                data, raw = unpack(body, before[2])
                snapshot = require_possible(self._codec(moment).apply(before[1], data), self.path)
                is_key = moment.id == moment.chapter
                return index, snapshot, b"" if is_key else (before[2] + raw)[-(32 << 10) :]
        body = self._body("keys", moment.id)
        if body is None:
            raise RecordingError(f"{self.path}: the recorder has deleted this moment")
        data, _ = unpack(body)
        return index, require_possible(self._codec(moment).load(Snapshot, data), self.path), b""

    def _codec(self, moment: RecordedTick) -> Codec:
        schema = self._chapters.get(moment.chapter)
        if schema is None:
            raise RecordingError(f"{self.path}: the recorder has deleted this moment")
        return self._codec_of(schema)

    def _codec_of(self, schema: int) -> Codec:
        codec = self._codecs.get(schema)
        if codec is None:
            rows = self._rows("SELECT fields FROM schemas WHERE id=? AND length(fields) < ?", schema, _MOST_SCHEMA)
            if not rows:
                raise RecordingError(f"{self.path}: the recording is damaged: no schema {schema}")
            codec = self._codecs[schema] = Codec((Snapshot, OomEvent), _parse_schema(str(rows[0][0])))
        return codec

    def _body(self, table: str, number: int) -> bytes | None:
        rows = self._rows(f"SELECT body FROM {table} WHERE id=?", number)
        body = rows[0][0] if rows else None
        if body is None or isinstance(body, bytes):
            return body
        raise RecordingError(f"{self.path}: the recording is damaged: a frame is not a blob")

    def _read_events(self) -> None:
        """Read the events that are new; a damaged one costs itself, and what is beyond the bounds is told."""
        for number, tick, schema, body in self._scan(_EVENTS, self._last_event, _MOST_EVENTS):
            self._last_event = number
            try:
                data, raw = unpack(body, most=min(_EVENT_BYTES, self._event_room))
                event = self._codec_of(schema).load(OomEvent, data)
                require_time(event.time)
            except RecordingError as error:
                self.problems.append(f"event {number}: {error}")
                continue
            self._event_room -= len(raw)
            self.incidents.append(Incident(tick, event))

    def _scan(self, query: str, last: int, most: int) -> list[tuple]:  # type: ignore[type-arg]
        """Return the rows after `last`; a damaged page costs what is on it, hence the other end is read as well."""
        rows, problem = self._until_damaged(f"{query} ORDER BY id LIMIT :most", last, most)
        if problem is None:
            return _rising(rows, last)
        beyond, _ = self._until_damaged(f"{query} ORDER BY id DESC LIMIT :most", rows[-1][0] if rows else last, most)
        self._add_problem(f"{problem}: part of it is skipped")
        return _rising(rows + beyond[::-1], last)

    def _until_damaged(self, query: str, last: int, most: int) -> tuple[list[tuple], str | None]:  # type: ignore[type-arg]
        self._budget.begin()
        rows: list[tuple] = []  # type: ignore[type-arg]
        try:
            # What came before the error stays.
            rows.extend(self._db.execute(query, {"last": last, "most": most}))
        except FAILURES as error:
            return rows, str(error)
        return rows, None

    def _add_problem(self, problem: str) -> None:
        """Tell a problem once, however often the file is read again."""
        if problem not in self.problems:
            self.problems.append(problem)

    def _rows(self, query: str, *values: object) -> list[tuple]:  # type: ignore[type-arg]
        self._budget.begin()
        try:
            return self._db.execute(query, values).fetchall()
        except FAILURES as error:
            raise RecordingError(f"{self.path}: {error}") from None


def _rising(rows: list[tuple], last: int) -> list[tuple]:  # type: ignore[type-arg]
    """Return the rows without those whose ids are out of order, as only a damaged page has them."""
    ids = [last, *(row[0] for row in rows)]
    if all(map(lt, ids, islice(ids, 1, None))):
        return rows
    kept = []
    for row, following in zip_longest(rows, ids[2:]):
        is_ahead = following is not None and last < following <= row[0]
        if row[0] > last and not is_ahead:
            last = row[0]
            kept.append(row)
    return kept


def _parse_schema(text: str) -> Schema:
    """Return the fields of every class.

    Raises:
        RecordingError: it is something else.
    """
    try:
        return {str(name): [(str(field), str(kind)) for field, kind in own] for name, own in json.loads(text).items()}
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise RecordingError("the recording is damaged: its schema cannot be read") from None
