"""`ReplaySource`: a recording as a source of ticks that can be played, stepped and searched.

A jump needs a past: trends look back half an hour, rates one tick.  So a jump unpacks the last minutes tick by tick and
some whole snapshots before these, and hands over a `Past` with the first tick.
"""

from __future__ import annotations

import threading
import time as clock
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterator, Sequence

from oomtop.analysis.assessment import assess
from oomtop.frozen import frozen, replace
from oomtop.history import History, MachinePoint, uses_of
from oomtop.host.process import ProcessId
from oomtop.oomlog.event import OomEvent
from oomtop.recording.kinds import RecordingError
from oomtop.recording.reader import RecordedTick, Recording
from oomtop.snapshot import Ahead, Problem, Tick
from oomtop.sources.live import Past, ReplayTick
from oomtop.use_history import Use

SPEEDS = (1, 2, 5, 10, 20, 50, 100)
_DAY = 86400.0
_LOOK_BACK = 1800.0
_IN_FULL, _IN_FULL_TICKS = 90.0, 30
"""Seconds or ticks before a jump's end that are unpacked one by one: the window of a process's growth is a minute."""
_KEYS_BACK = 5
"""Whole snapshots that a jump unpacks from the half hour before, 5 ms each with 500 processes."""
_LEAST_WAIT = 0.2
"""Seconds between two pictures; what comes faster is left out, with its events told by the next."""
_LONGEST_WAIT = 15.0
"""Recorded seconds of a gap that are waited for."""
_GROWING = 1.0
_AHEAD = 120.0
"""Recorded seconds after a tick that are told with it, beside what was forecast."""
_AHEAD_PATIENCE = 0.3
"""Seconds that reading them may take for one tick; the rest comes with the next ones."""


@frozen
class Position:
    """Where a replay stands."""

    index: int
    count: int
    time: float
    playing: bool
    speed: int


class ReplaySource:
    """Ticks of a recording; the controls may be called from any thread."""

    def __init__(self, recording: Recording, start: float | None = None, patience: float = _AHEAD_PATIENCE) -> None:
        """`patience`: seconds that reading what comes after a tick may take."""
        if not recording.moments:
            raise RecordingError(f"{recording.path}: has no samples yet")
        self.recording = recording
        self.watched: frozenset[ProcessId] = frozenset()
        """Processes whose past is told with every tick: the selected one."""
        self._wake = threading.Condition()
        self._index = 0 if start is None else recording.place(start)
        self._target: int | None = self._index
        self._playing = False
        self._speed = SPEEDS[0]
        self._closed = False
        self._history = History()
        self._patience = patience
        self._ahead: deque[tuple[int, tuple[Use, ...]]] = deque()
        """(index, use of every limit) of the ticks after the one that is shown."""
        self._problem: str | None = None
        self._goes_back = False
        """Whether everything after a damaged place was damaged too."""

    # -- controls -----------------------------------------------------------------------------------

    @property
    def position(self) -> Position:
        """Where the replay stands, or is on its way to."""
        index = self._index if self._target is None else self._target
        moments = self.recording.moments
        return Position(index, len(moments), moments[index].time, self._playing, self._speed)

    def go(self, index: int) -> None:
        """Jump to a tick; beyond the ends it is the first or the last one."""
        with self._wake:
            self._target = min(max(0, index), len(self.recording.moments) - 1)
            self._wake.notify()

    def step(self, count: int) -> None:
        """Go some ticks on or back, and stand still there."""
        self._playing = False
        self.go(self.position.index + count)

    def seek(self, time: float) -> None:
        """Jump to the last tick not after a Unix time."""
        self.go(self.recording.place(time))

    def toggle(self) -> None:
        """Play or stand still."""
        with self._wake:
            self._playing = not self._playing
            self._wake.notify()

    def change_speed(self, step: int) -> None:
        """Go to the next faster or slower speed."""
        with self._wake:
            place = SPEEDS.index(self._speed) + step
            self._speed = SPEEDS[min(max(0, place), len(SPEEDS) - 1)]
            self._wake.notify()

    def beside(self, direction: int) -> float | None:
        """Jump to the next event or action, or the one before; return its time, None where there is none."""
        marks = sorted({index for index, _, _ in self.marks()})
        here = self.position.index
        place = bisect_right(marks, here) if direction > 0 else bisect_left(marks, here) - 1
        if not 0 <= place < len(marks):
            return None
        self.go(marks[place])
        return self.recording.moments[marks[place]].time

    def highest_pressure(self) -> int:
        """Jump to where tasks waited most for memory, of equals where least was available; return the index."""
        moments = self.recording.moments
        index = max(range(len(moments)), key=lambda place: _strain(moments[place]))
        self.go(index)
        return index

    def marks(self) -> list[tuple[int, bool, float]]:
        """Return (index, whether an OOM event, time) of what is marked on the time line, oldest first."""
        recording = self.recording
        first, last = recording.moments[0].time, recording.moments[-1].time
        times = [(True, item.event.time) for item in recording.incidents if item.event.time is not None]
        times += [(False, deed.time) for _, deed in recording.deeds]
        # The tick that shows an event is the first one after it.
        return sorted(
            (min(recording.place(when) + 1, len(recording.moments) - 1), is_event, when)
            for is_event, when in times
            if first <= when <= last + _LONGEST_WAIT
        )

    def close(self) -> None:
        """End the row of ticks."""
        with self._wake:
            self._closed = True
            self._wake.notify()

    # -- ticks --------------------------------------------------------------------------------------

    def ticks(self) -> Iterator[Tick]:
        """Yield the tick jumped to, and those after it while it plays, until `close`.

        Raises:
            RecordingError: nothing from this place on can be read.
        """
        try:
            while not self._closed:
                target, self._target = self._target, None
                following = None if target is not None else self._following()
                if target is not None or following is not None:
                    tick = self._readable(following, target)
                    if tick is not None:
                        yield tick
        finally:
            self.recording.close()

    def _readable(self, following: int | None, target: int | None) -> Tick | None:
        """Return the tick to show; beyond a damaged place the next chapter is the target, and the tick says why."""
        try:
            tick = self._go_on(following) if following is not None else self._jump(target or 0)
        except RecordingError as error:
            beyond = self._beyond(following if following is not None else target or 0)
            if beyond is None:
                raise
            self._target, self._problem = beyond, str(error)
            return None
        problem, self._problem, self._goes_back = self._problem, None, False
        if problem is None:
            return tick
        return replace(tick, snapshot=tick.snapshot.with_problem(Problem("recording", problem)))

    def _beyond(self, index: int) -> int | None:
        """Return where the chapter after a damaged place begins; where that was the last, the end of those before."""
        following = None if self._goes_back else self.recording.next_chapter(index)
        if following is not None:
            return following
        self._goes_back = True
        start = self.recording.key_index(index)
        return start - 1 if start else None

    def _following(self) -> int | None:
        """Wait as long as the speed says; return the tick to show next, None where the controls were used."""
        moments = self.recording.moments
        with self._wake:
            if not self._playing:
                self._wake.wait_for(lambda: self._playing or self._closed or self._target is not None)
                return None
            if self._index + 1 >= len(moments):
                self._wake.wait(_GROWING)
                self.recording.refresh()
                return None
            here = moments[self._index]
            wait = min(max(0.0, moments[self._index + 1].time - here.time), _LONGEST_WAIT) / self._speed
            speed, pause = self._speed, max(wait, _LEAST_WAIT)
            if self._wake.wait_for(lambda: not self._playing or self._closed or self._target is not None
                                   or self._speed != speed, pause):  # fmt: skip
                return None
        if wait >= _LEAST_WAIT:
            return self._index + 1
        return max(self._index + 1, self.recording.place(here.time + pause * speed))

    def _go_on(self, index: int) -> Tick:
        """Return the tick at `index`, which comes after the one shown."""
        before, after = self.recording.moments[self._index], self.recording.moments[index]
        if after.monotonic < before.monotonic:
            return self._jump(index)
        snapshot = self.recording.snapshot(index)
        events = self._events(before.id + 1, after.id)
        self._mark(before.id + 1, after.id)
        self._index = index
        return ReplayTick(snapshot, events, watched=self.watched, ahead=self._look_ahead(index))

    def _jump(self, index: int) -> Tick:
        """Return the tick at `index` with the past that belongs to it."""
        moments = self.recording.moments
        past = self._past(index)
        snapshot = self.recording.snapshot(index)
        before = moments[index - 1].id if index else 0
        events = self._events(before + 1, moments[index].id)
        self._history = past.history
        self._mark(0, moments[index].id)
        self._index = index
        return ReplayTick(snapshot, events, watched=self.watched, ahead=self._look_ahead(index), past=past)

    def _look_ahead(self, index: int) -> Ahead:
        """Return what is recorded of the time after a tick, up to the next boot or damaged place."""
        moments, known = self.recording.moments, self._ahead
        while known and known[0][0] <= index:
            known.popleft()
        if not known or known[0][0] != index + 1:
            known.clear()
        start = known[-1][0] + 1 if known else index + 1
        stop = self.recording.place(moments[index].time + _AHEAD) + 1
        latest = clock.monotonic() + self._patience
        try:
            for place, snapshot in self.recording.read(start, stop, "ahead"):
                if moments[place].monotonic < moments[place - 1].monotonic:
                    break
                known.append((place, tuple(uses_of(snapshot, ()))))
                if clock.monotonic() > latest:
                    break
        except RecordingError:
            # Going there tells what is damaged.
            pass
        uses = tuple(use for _, found in known for use in found)
        return Ahead(uses, self._events(moments[index].id + 1, moments[stop - 1].id))

    def _past(self, index: int) -> Past:
        """Return what trends and rates at `index` need to know of the time before."""
        recording, moments = self.recording, self.recording.moments
        boot = self._boot(index)
        own = max(boot, recording.key_index(index))
        start = own
        while start > boot and moments[index].time - moments[start].time < _IN_FULL and index - start < _IN_FULL_TICKS:
            start = max(boot, recording.key_index(start - 1))
        try:
            past = self._watch(self._keys_before(start, boot), start, index)
        except RecordingError:
            # What is damaged before a moment does not keep the moment itself from being shown.
            past = self._watch([], own, index)
        day = max(boot, recording.place(moments[index].time - _DAY))
        past.history.recall(map(_point, moments[day:index]), self._events(0, moments[index].id - 1))
        return past

    def _watch(self, keys: Sequence[int], start: int, stop: int) -> Past:
        """Return what watching some single ticks and all from `start` to before `stop` leaves behind."""
        history, assessment = History(), None
        for key in keys:
            history.add(Tick(self.recording.snapshot(key)))
        for place, snapshot in self.recording.read(start, stop):
            history.add(Tick(snapshot))
            if place == stop - 1:
                assessment = assess(Tick(snapshot), history)
        return Past(history, assessment)

    def _keys_before(self, start: int, boot: int) -> list[int]:
        """Return the beginnings of some chapters of the half hour before `start`, oldest first."""
        moments, found = self.recording.moments, []
        place = start
        while place > boot and moments[start].time - moments[place].time < _LOOK_BACK:
            place = max(boot, self.recording.key_index(place - 1))
            found.append(place)
        step = -(-len(found) // _KEYS_BACK) or 1
        return found[::step][::-1]

    def _boot(self, index: int) -> int:
        """Return the first tick of the boot that `index` belongs to."""
        moments = self.recording.moments
        while index > 0 and moments[index - 1].monotonic <= moments[index].monotonic:
            index -= 1
        return index

    def _events(self, first: int, last: int) -> tuple[OomEvent, ...]:
        """Return the events that came with the ticks `first` to `last`."""
        return tuple(item.event for item in self.recording.incidents if first <= item.tick <= last)

    def _mark(self, first: int, last: int) -> None:
        for tick, deed in self.recording.deeds:
            if first <= tick <= last:
                self._history.add_mark(deed.time, deed.title)


def _point(moment: RecordedTick) -> MachinePoint:
    return MachinePoint(
        moment.time,
        moment.monotonic,
        moment.available,
        moment.free or 0,
        moment.swap_used,
        moment.some_avg10,
        moment.full_avg10,
    )


def _strain(moment: RecordedTick) -> tuple[float, float, int]:
    return moment.full_avg10 or 0.0, moment.some_avg10 or 0.0, -(moment.available or 0)
