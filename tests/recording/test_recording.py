"""The recording: facts in, the same facts out, whatever happens to the file."""

import os
import sqlite3
import subprocess
import sys
import zlib
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import pytest

from oomtop.analysis.assessment import assess
from oomtop.history import History
from oomtop.oomlog.event import OomEvent
from oomtop.recording.codec import Codec, pack, unpack
from oomtop.recording.density import DENSE, SPARSE, USUAL, Density
from oomtop.recording.kinds import RecordingError
from oomtop.recording.layout import VERSION
from oomtop.recording.reader import Recording
from oomtop.recording.retention import Chapter, Retention, choose
from oomtop.recording.store import Deed, Store
from oomtop.snapshot import Problem, Snapshot, Tick
from oomtop.sources.sampler import Sampler
from tests.present import present
from tests.synthetic import SyntheticMachine, make_event


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "state" / "recording.db")


def record(path: str, ticks: Iterable[Tick], bounds: Retention | None = None) -> None:
    store = Store(path, bounds)
    for tick in ticks:
        store.write(tick)
    store.close()


def test_every_snapshot_comes_back_as_it_was_and_idle_processes_stay_the_objects_they_were(path: str) -> None:
    ticks = list(SyntheticMachine(60, 12, busy=0.3).ticks(150))
    record(path, ticks)
    recording = Recording(path)
    found = [snapshot for _, snapshot in recording.read(0, 150)]
    assert found == [tick.snapshot for tick in ticks]
    for (old, new), (before, after) in zip(pairwise(ticks), pairwise(found), strict=True):
        live = {process.id: process for process in old.snapshot.processes}
        again = {process.id: process for process in before.processes}
        for process, copy in zip(new.snapshot.processes, after.processes, strict=True):
            assert (live.get(process.id) is process) == (again.get(copy.id) is copy)


def test_the_assessment_of_every_replayed_tick_equals_the_live_one(path: str) -> None:
    machine, live, store = SyntheticMachine(40, 10, busy=0.3), [], Store(path)
    history, assessment = History(), None
    for tick in machine.ticks(1000, event_every=190):
        history.add(tick)
        assessment = assess(tick, history, assessment)
        live.append(assessment)
        store.write(tick)
    store.close()
    recording, history, assessment = Recording(path), History(), None
    events: dict[int, list[OomEvent]] = {}
    for incident in recording.incidents:
        events.setdefault(incident.tick, []).append(incident.event)
    for index, snapshot in recording.read(0, 1000):
        tick = Tick(snapshot, tuple(events.get(recording.moments[index].id, ())))
        history.add(tick)
        assessment = assess(tick, history, assessment)
        assert assessment == live[index]
    assert index == 999


def test_this_machine_comes_back_as_it_was(path: str) -> None:
    sampler = Sampler()
    ticks = [Tick(sampler.sample()) for _ in range(4)]
    sampler.close()
    record(path, ticks)
    assert [snapshot for _, snapshot in Recording(path).read(0, 4)] == [tick.snapshot for tick in ticks]


def test_any_moment_is_found_from_any_other(path: str) -> None:
    ticks = list(SyntheticMachine(20, 4).ticks(200))
    record(path, ticks)
    recording = Recording(path)
    for index in (150, 10, 11, 199, 0, 60, 59, 61, 61, 130, 60):
        assert recording.snapshot(index) == ticks[index].snapshot
        assert recording.place(ticks[index].snapshot.time + 0.5) == index


def test_a_recorder_that_was_ended_goes_on_in_the_same_file(path: str) -> None:
    ticks = list(SyntheticMachine(20, 4).ticks(30))
    record(path, ticks[:17])
    record(path, ticks[17:])
    recording = Recording(path)
    assert [snapshot for _, snapshot in recording.read(0, 30)] == [tick.snapshot for tick in ticks]


def test_it_is_read_while_it_is_written(path: str) -> None:
    store, machine = Store(path), SyntheticMachine(10, 3)
    ticks = list(machine.ticks(80))
    store.write(ticks[0])
    recording = Recording(path)
    for index, tick in enumerate(ticks[1:], 1):
        store.write(tick)
        assert recording.refresh()
        assert recording.snapshot(index) == tick.snapshot
    assert not recording.refresh()
    store.close()


def test_hostile_texts_and_odd_numbers_come_back(path: str) -> None:
    snapshot = SyntheticMachine(3, 3).snapshot()
    odd = replace(
        snapshot.processes[0], comm="\x1b[2J\u202e\udcff", command='a "b" \0', rss=2**80, swap=None, cpu_seconds=1e300
    )
    odder = replace(snapshot, processes=(odd, *snapshot.processes[1:]), problems=(Problem("x", "[red]y"),), arc_size=7)
    back = replace(odder, processes=snapshot.processes, arc_size=None, vmstat=None)
    record(path, [Tick(each) for each in (snapshot, odder, back, snapshot)])
    assert [found for _, found in Recording(path).read(0, 4)] == [snapshot, odder, back, snapshot]


def test_processes_that_come_go_and_change_places_come_back(path: str) -> None:
    snapshot = SyntheticMachine(9, 9).snapshot()
    p = snapshot.processes
    rows = [p, p[::-1], p[3:], p[:2] + p[5:], (), p, (replace(p[4]), *p[:4], *p[5:]), p[:1] * 3]
    snapshots = [replace(snapshot, processes=processes) for processes in rows]
    record(path, [Tick(each) for each in snapshots])
    assert [found for _, found in Recording(path).read(0, len(rows))] == snapshots


def test_an_event_told_again_by_a_restart_is_kept_once_and_a_fuller_telling_beside_it(path: str) -> None:
    machine = SyntheticMachine(3, 3)
    event = make_event(machine.snapshot().time)
    fuller = replace(event, raw=(*event.raw, "more"))
    for told in ((event,), (replace(event, time=present(event.time) + 0.1),), (fuller,)):
        record(path, [Tick(machine.snapshot(), told)])
    assert [incident.event for incident in Recording(path).incidents] == [event, fuller]


def test_actions_are_kept(path: str) -> None:
    store, deed = Store(path), Deed(5.0, "Send SIGTERM to 4711 (java)", "done", "exited after 0.4 s")
    store.write(Tick(SyntheticMachine(3, 3).snapshot()), [deed])
    store.close()
    assert Recording(path).deeds == [(1, deed)]


# -- versions -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Inner:
    a: int
    b: str = "x"


@dataclass(frozen=True, slots=True)
class Outer:
    inner: Inner | None
    rows: tuple[Inner, ...] = ()
    n: float | None = None


def test_a_field_this_version_does_not_know_is_dropped_and_one_it_adds_takes_its_default() -> None:
    now = Codec((Outer,))
    assert now.schema["Inner"] == [["a", "int"], ["b", "str"]]
    old = {"Outer": [["gone", "Inner*"], ["rows", "Inner*"], ["inner", "Inner"]], "Inner": [["c", "int"], ["a", "int"]]}
    codec = Codec((Outer,), old)
    value = codec.load(Outer, [[[1, 2]], [[9, 1], [8, 2]], [7, 3]])
    assert value == Outer(Inner(3, "x"), (Inner(1, "x"), Inner(2, "x")), None)
    assert codec.apply(value, [1, [1, [1, 11]], 0, [0, [0, 5]]]) == replace(value, rows=(Inner(1), Inner(7)))


def test_a_field_that_changed_its_kind_takes_its_default() -> None:
    codec = Codec((Inner,), {"Inner": [["a", "str"], ["b", "str"]]})
    assert codec.load(Inner, ["7", "y"]) == Inner(0, "y")


def test_all_of_a_snapshot_and_of_an_event_can_be_recorded() -> None:
    names = Codec((Snapshot, OomEvent)).schema
    assert {"Snapshot", "Process", "Cgroup", "KernelFacts", "OomEvent", "Task"} <= set(names)


def test_a_recording_of_a_later_format_is_refused(path: str) -> None:
    record(path, SyntheticMachine(3, 3).ticks(1))
    with closing(sqlite3.connect(path)) as connection, connection as database:
        database.execute("UPDATE meta SET value=? WHERE key='version'", (VERSION + 1,))
    with pytest.raises(RecordingError, match="newer oomtop"):
        Recording(path)


# -- what befalls files ---------------------------------------------------------------------------------


def test_what_is_no_recording_is_said_and_left_alone(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("these are not the facts " * 400)
    other = tmp_path / "other.db"
    with closing(sqlite3.connect(other)) as connection, connection as database:
        database.execute("CREATE TABLE t(x)")
    for file in (text, other):
        for use in (Store, Recording):
            with pytest.raises(RecordingError):
                use(str(file))
    assert text.read_text().startswith("these are")
    with pytest.raises(RecordingError, match="no such recording"):
        Recording(str(tmp_path / "none"))


def test_a_damaged_recording_is_put_aside_and_recording_begins_anew(path: str) -> None:
    record(path, SyntheticMachine(30, 3).ticks(100))
    with open(path, "r+b") as file:
        file.seek(16)
        file.write(b"\xff" * 200)
    record(path, SyntheticMachine(3, 3).ticks(2))
    assert len(Recording(path).moments) == 2
    assert any("damaged" in name for name in os.listdir(os.path.dirname(path)))


@pytest.mark.parametrize("table", ["keys", "frames"])
@pytest.mark.parametrize("body", [b"", b"\x00" * 50, pack([1, 2])[0], pack({"=": 3})[0], pack("x" * 99)[0]])
def test_a_damaged_frame_is_an_error_in_words(path: str, table: str, body: bytes) -> None:
    record(path, SyntheticMachine(3, 3).ticks(3))
    with closing(sqlite3.connect(path)) as connection, connection as database:
        database.execute(f"UPDATE {table} SET body=?", (body,))
    with pytest.raises(RecordingError):
        list(Recording(path).read(0, 3))


def test_a_frame_cannot_claim_to_be_endless() -> None:
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = squeeze.compress(b" " * (9 << 20) + b"1") + squeeze.flush()
    with pytest.raises(RecordingError):
        unpack(bomb, most=1 << 20)


def test_a_second_recorder_is_refused(path: str) -> None:
    store = Store(path)
    with pytest.raises(RecordingError, match="another recorder"):
        Store(path)
    store.close()
    Store(path).close()


def test_only_its_owner_may_read_it(path: str) -> None:
    record(path, SyntheticMachine(3, 3).ticks(1))
    assert os.stat(path).st_mode & 0o777 == 0o600


# -- bounds and pace ------------------------------------------------------------------------------------


def test_the_file_stays_within_its_size_and_keeps_the_minutes_around_an_event(path: str) -> None:
    machine, bounds = SyntheticMachine(60, 10, busy=0.5), Retention(max_bytes=200_000, max_seconds=1e12)
    ticks = list(machine.ticks(900))
    event = make_event(ticks[130].snapshot.time)
    ticks[130] = Tick(ticks[130].snapshot, (event,))
    record(path, ticks, bounds)
    recording = Recording(path)
    assert os.path.getsize(path) < 700_000
    assert recording.moments[-1].time == ticks[-1].snapshot.time
    assert recording.covers(present(event.time))
    assert not recording.covers(present(event.time) + 2000)
    for index in (0, len(recording.moments) // 2, len(recording.moments) - 1):
        recording.snapshot(index)


def test_what_goes_first() -> None:
    chapters = [Chapter(n, n * 100.0, n * 100.0 + 100) for n in range(10)]
    assert choose(chapters, [], Retention(100, 1e9), 1000, 50) is None
    assert choose(chapters, [], Retention(100, 1e9), 1000, 200) == 0
    assert choose(chapters, [10.0], Retention(100, 1e9), 20_000, 200) == 4
    assert choose(chapters, [], Retention(100, 550), 1000, 0) == 0
    assert choose(chapters, [10.0], Retention(100, 550), 1000, 0) is None
    assert choose(chapters, [10.0], Retention(100, 550), 6000, 0) == 0
    assert choose(chapters[-1:], [], Retention(0, 0), 1e9, 200) is None


def test_it_records_every_second_under_pressure_and_every_ten_when_calm() -> None:
    base, pace = SyntheticMachine(3, 3).snapshot(), Density()
    line = present(base.pressure_memory).some

    def at(now: int, psi: float, available: float = 0.5, events: tuple[OomEvent, ...] = ()) -> Tick:
        some = replace(line, avg10=psi, avg60=0.0, avg300=0.0)
        memory = replace(base.meminfo, mem_available=int(base.meminfo.mem_total * available))
        pressure = replace(present(base.pressure_memory), some=some, full=replace(some, avg10=0.0))
        return Tick(replace(base, monotonic=now, meminfo=memory, pressure_memory=pressure), events)

    assert pace.after(at(0, 0.0)) == USUAL
    assert pace.after(at(200, 0.0, events=(make_event(base.time - 9999),))) == USUAL
    assert pace.after(at(310, 0.0)) == SPARSE
    assert pace.after(at(320, 8.0)) == DENSE
    assert pace.after(at(325, 0.5)) == DENSE
    assert pace.after(at(331, 0.5)) == USUAL
    assert pace.after(at(336, 0.0, available=0.4)) == DENSE
    assert pace.after(at(700, 0.0, events=(make_event(base.time),))) == DENSE
    assert pace.after(at(750, 0.0)) == DENSE
    assert pace.after(at(770, 0.0)) == USUAL
    assert pace.after(at(800, 0.0, available=0.05)) == DENSE
    assert pace.after(at(5, 0.0)) == USUAL


_RECORDER = """
import sys
from oomtop.recording.store import Store
from tests.synthetic import SyntheticMachine
store = Store(sys.argv[1])
for number, tick in enumerate(SyntheticMachine(30, 5).ticks(10**6), 1):
    store.write(tick)
    print(number, flush=True)
"""


@pytest.mark.parametrize("lines", [1, 7, 61, 130])
def test_a_killed_recorder_loses_nothing_that_was_written(path: str, lines: int) -> None:
    child = subprocess.Popen([sys.executable, "-c", _RECORDER, path], stdout=subprocess.PIPE)
    for _ in range(lines):
        written = int(present(child.stdout).readline())
    child.kill()
    rest = present(child.stdout).read().split(b"\n")[:-1]
    child.wait()
    present(child.stdout).close()
    written = int(rest[-1]) if rest else written
    recording = Recording(path)
    assert written <= len(recording.moments) <= written + 1
    assert sum(1 for _ in recording.read(0, len(recording.moments))) == len(recording.moments)
