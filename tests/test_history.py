"""The day that is kept as minutes: what objects would hold, in columns of one size."""

from collections import deque

from oomtop.analysis.assessment import assess
from oomtop.history import THIN_POINTS, History, MachinePoint, Minutes
from oomtop.oomlog.event import OomEvent, Victim
from oomtop.snapshot import Tick
from oomtop.sources.sampler import Sampler
from tests.synthetic import SyntheticMachine


def point(time: float, available: int | None = 1 << 40, swap: int | None = None) -> MachinePoint:
    return MachinePoint(time, time, available, 0, swap, None, 0.5)


def test_the_newest_day_is_kept_a_point_a_minute() -> None:
    minutes = Minutes()
    expected: deque[tuple[float, int | None]] = deque(maxlen=THIN_POINTS)
    for at in range(2 * THIN_POINTS + 7):
        time = 1_800_000_000.0 + 31 * at
        minutes.add(point(time, None if at % 7 == 0 else at))
        if at % 2 == 0:
            expected.append((time, None if at % 7 == 0 else at))
    assert list(zip(minutes.column("time"), minutes.column("available"), strict=True)) == list(expected)
    assert minutes.newest == expected[-1][0]
    for at in range(2 * THIN_POINTS):
        minutes.add(point(1_900_000_000.0 + 60 * at, swap=at))
        assert len(minutes.column("time")) <= THIN_POINTS
    assert minutes.column("swap_used") == tuple(range(THIN_POINTS, 2 * THIN_POINTS))
    assert set(minutes.column("some_avg10")) == {None}
    assert set(minutes.column("full_avg10")) == {0.5}


def test_a_full_day_has_all_its_points() -> None:
    minutes = Minutes()
    for at in range(THIN_POINTS):
        minutes.add(point(60.0 * at))
    assert minutes.column("time") == tuple(60.0 * at for at in range(THIN_POINTS))


def test_a_clock_that_was_set_back_starts_the_day_anew() -> None:
    minutes = Minutes()
    for time in (6000.0, 6060.0, 6059.0, 3000.0, 2990.0, 3060.0):
        minutes.add(point(time))
    assert minutes.column("time") == (3000.0, 3060.0)


def test_the_day_of_an_assessment_is_made_once_a_minute_and_at_once_for_a_mark() -> None:
    sampler, history = Sampler(), History()
    tick = Tick(sampler.sample())
    history.add(tick)
    first = assess(tick, history)
    tick = Tick(sampler.sample())
    history.add(tick)
    second = assess(tick, history, first)
    assert second.day is first.day
    assert len(first.day.times) == 1
    history.add_mark(tick.snapshot.time, "dropped caches")
    third = assess(tick, history, second)
    assert [label for _, label in third.day.marks][-1:] == ["dropped caches"]
    assert third.day.times == first.day.times
    sampler.close()


def test_a_fuller_telling_takes_the_place_of_the_first_and_events_stay_newest_first() -> None:
    history = History()
    snapshot = SyntheticMachine(1, 2).snapshot()
    for at, pid in ((10.0, 7), (20.0, 8), (30.0, 7)):
        event = OomEvent("kernel", "memcg", time=at, victim=Victim(pid, "leak"))
        history.add(Tick(snapshot, (event,)))
    assert [event.time for event in history.events] == [30.0, 20.0]
