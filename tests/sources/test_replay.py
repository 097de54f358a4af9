"""A recording as a source: playing, stepping, jumping, and the past that a jump brings along."""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest

from oomtop.analysis.assessment import assess
from oomtop.analysis.model.assessment import Assessment
from oomtop.history import History
from oomtop.recording.kinds import RecordingError
from oomtop.recording.reader import Recording
from oomtop.recording.store import Deed, Store
from oomtop.snapshot import Tick
from oomtop.sources.live import ReplayTick
from oomtop.sources.replay import SPEEDS, ReplaySource
from tests.present import present
from tests.synthetic import SyntheticMachine, make_event


def write(path: Path, ticks: list[Tick], deeds: Sequence[tuple[int, Deed]] = ()) -> str:
    store = Store(str(path))
    for number, tick in enumerate(ticks):
        store.write(tick, [deed for at, deed in deeds if at == number])
    store.close()
    return str(path)


@pytest.fixture(scope="module")
def ticks() -> list[Tick]:
    ticks = list(SyntheticMachine(30, 6, busy=0.4).ticks(400))
    for index in (120, 300):
        ticks[index] = Tick(ticks[index].snapshot, (make_event(ticks[index].snapshot.time - 1, index),))
    return ticks


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory, ticks: list[Tick]) -> str:
    deed = Deed(ticks[199].snapshot.time + 0.5, "Send SIGTERM to 4711 (java)", "done", "exited")
    return write(tmp_path_factory.mktemp("recording") / "r.db", ticks, [(200, deed)])


@pytest.fixture
def source(path: str) -> Iterator[ReplaySource]:
    source = ReplaySource(Recording(path))
    yield source
    source.close()


def assessed(source: ReplaySource, count: int) -> Iterator[Assessment]:
    """Take `count` ticks as the app does."""
    history, assessment = History(), None
    for tick in source.ticks():
        if isinstance(tick, ReplayTick) and tick.past is not None:
            history, assessment = tick.past.history, tick.past.assessment
        history.add(tick)
        assessment = assess(tick, history, assessment)
        yield assessment
        count -= 1
        if not count:
            return


def shown(source: ReplaySource) -> Assessment:
    return next(assessed(source, 1))


def test_it_begins_where_it_is_told_and_stands_still(path: str, ticks: list[Tick]) -> None:
    source = ReplaySource(Recording(path), ticks[77].snapshot.time + 1)
    assert shown(source).time == ticks[77].snapshot.time
    assert source.position.index == 77
    assert not source.position.playing


def test_a_jump_concludes_what_watching_all_the_time_concludes(source: ReplaySource, ticks: list[Tick]) -> None:
    history, live = History(), None
    for tick in ticks[:251]:
        history.add(tick)
        live = assess(tick, history, live)
    source.go(250)
    jumped = shown(source)
    assert [row.cpu for row in jumped.rows] == [row.cpu for row in present(live).rows]
    # A process that has not changed its size for a quarter of an hour: too few points (None) or none (0.0).
    assert [row.growth or 0.0 for row in jumped.rows] == [row.growth or 0.0 for row in present(live).rows]
    assert (jumped.memory, jumped.swap, jumped.pressure) == (
        present(live).memory,
        present(live).swap,
        present(live).pressure,
    )
    assert (jumped.dangers[0].subject, jumped.victims, jumped.growers) == (
        present(live).dangers[0].subject,
        present(live).victims,
        present(live).growers,
    )
    assert (jumped.series.times, jumped.series.available) == (
        present(live).series.times,
        present(live).series.available,
    )
    assert jumped.events == present(live).events == tuple(ticks[120].events)


def test_marks_are_visited_in_order_and_the_ends_said(source: ReplaySource, ticks: list[Tick]) -> None:
    found = []
    while source.beside(1) is not None:
        found.append(source.position.index)
    assert found == [120, 200, 300]
    assert source.beside(-1) is not None
    assert source.position.index == 200
    assert [is_event for _, is_event, _ in source.marks()] == [True, False, True]


def test_the_chart_marks_the_action(source: ReplaySource) -> None:
    source.go(201)
    assert "Send SIGTERM to 4711 (java)" in [label for _, label in shown(source).series.marks]


def test_the_highest_pressure_is_found(source: ReplaySource, ticks: list[Tick]) -> None:
    index = source.highest_pressure()
    most = max(present(present(tick.snapshot.pressure_memory).full).avg10 for tick in ticks)
    assert present(present(ticks[index].snapshot.pressure_memory).full).avg10 == most
    assert source.position.index == index


def test_stepping_beyond_the_ends_stays_there(source: ReplaySource) -> None:
    source.step(-5)
    assert source.position.index == 0
    source.step(10_000)
    assert source.position.index == 399


def test_speeds_end_at_the_ends(source: ReplaySource) -> None:
    for _ in range(20):
        source.change_speed(1)
    assert source.position.speed == SPEEDS[-1] == 100
    for _ in range(20):
        source.change_speed(-1)
    assert source.position.speed == 1


def test_playing_fast_leaves_ticks_out_and_loses_no_event(source: ReplaySource, ticks: list[Tick]) -> None:
    for _ in range(10):
        source.change_speed(1)
    source.go(115)
    source.toggle()
    seen = list(assessed(source, 6))
    assert seen[-1].events == tuple(ticks[120].events)
    assert seen[-1].time - seen[0].time >= 5 * 15
    assert all(a.time < b.time for a, b in pairwise(seen))


def test_closing_ends_a_replay_that_stands_still(source: ReplaySource) -> None:
    ended = threading.Event()

    def run() -> None:
        for _ in source.ticks():
            pass
        ended.set()

    threading.Thread(target=run, daemon=True).start()
    source.close()
    assert ended.wait(5)


def test_what_is_recorded_meanwhile_is_played(tmp_path: Path, ticks: list[Tick]) -> None:
    store = Store(str(tmp_path / "r.db"))
    store.write(ticks[0])
    source = ReplaySource(Recording(str(tmp_path / "r.db")))
    source.toggle()
    for _ in range(10):
        source.change_speed(1)
    row = assessed(source, 2)
    assert next(row).time == ticks[0].snapshot.time
    store.write(ticks[1])
    assert next(row).time == ticks[1].snapshot.time
    store.close()


def write_damaged(folder: Path, ticks: list[Tick], damage: str) -> str:
    path = write(folder / "r.db", ticks)
    with closing(sqlite3.connect(path)) as connection, connection as database:
        database.execute(damage)
    return path


def test_a_damaged_place_is_passed_over_and_said(tmp_path: Path, ticks: list[Tick]) -> None:
    path = write_damaged(tmp_path, ticks[:200], "UPDATE frames SET body=x'00' WHERE id BETWEEN 50 AND 58")
    source = ReplaySource(Recording(path))
    source.go(55)
    row = assessed(source, 2)
    seen = next(row)
    assert seen.time == ticks[60].snapshot.time
    assert seen.problems[-1].what == "recording"
    source.go(40)
    assert next(row).time == ticks[40].snapshot.time
    source.close()


def test_a_recording_damaged_to_its_end_is_an_error(tmp_path: Path, ticks: list[Tick]) -> None:
    path = write_damaged(tmp_path, ticks[:20], "UPDATE keys SET body=x'00'")
    with pytest.raises(RecordingError):
        shown(ReplaySource(Recording(path)))


def test_a_reboot_within_the_recording_begins_a_new_past(tmp_path: Path, ticks: list[Tick]) -> None:
    later = list(SyntheticMachine(10, 3, seed=9).ticks(20))
    source = ReplaySource(Recording(write(tmp_path / "r.db", ticks[:30] + later)))
    source.go(29)
    source.toggle()
    for _ in range(10):
        source.change_speed(1)
    *_, last = assessed(source, 2)
    assert last.monotonic < ticks[29].snapshot.monotonic
    source.close()
