"""The recorder: its thread, its command, what it follows, what starts it; and a recording that is kept from version 1."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

from oomtop.host.process import ProcessId
from oomtop.recording.audit_tail import AuditTail, parse_deed
from oomtop.recording.kinds import RecordingError
from oomtop.recording.psi_watch import Lookout
from oomtop.recording.reader import Recording
from oomtop.recording.recorder import Recorder
from oomtop.recording.store import Deed, Store
from oomtop.snapshot import Snapshot, Tick
from oomtop.sources.recorded import RecordedSource
from oomtop.times import parse_age, parse_time
from tests.present import present
from tests.synthetic import SyntheticMachine, make_event

REPO = Path(__file__).parents[2]
END: dict[str, Any] = {
    "phase": "end",
    "time": 5.0,
    "title": "Send SIGTERM to 4711 (java)",
    "status": "done",
    "summary": "exited",
}


def test_a_recording_of_version_1_still_opens(tmp_path: Path) -> None:
    path = shutil.copy(REPO / "tests/fixtures/recording-1.db", tmp_path)
    recording = Recording(str(path))
    snapshots = [snapshot for _, snapshot in recording.read(0, 45)]
    last = snapshots[44]
    process = last.processes[0]
    assert last.time == recording.moments[44].time == 1790005225.258801
    assert last.meminfo.mem_free == 2190667776
    assert (process.id, process.comm, process.rss, process.swap) == (ProcessId(1007, 0), "python3", 90308608, 0)
    assert (process.cpu_seconds, process.cgroup) == (84.0, "/system.slice/unit-0.service")
    assert last.cgroups[2].current == 821968896
    assert present(last.pressure_memory).some.avg10 == 2.15
    assert present(recording.incidents[0].event.victim).name == "postgres"
    assert recording.deeds[0][1] == Deed(1790005160.2578292, END["title"], "done", "exited after 0.4 s")


def test_a_recording_of_version_1_is_gone_on_with(tmp_path: Path) -> None:
    path = shutil.copy(REPO / "tests/fixtures/recording-1.db", tmp_path)
    tick = Tick(SyntheticMachine(5, 3).snapshot())
    store = Store(str(path))
    store.write(tick)
    store.close()
    recording = Recording(str(path))
    assert recording.snapshot(45) == tick.snapshot
    assert recording.snapshot(3).processes


# -- the thread -----------------------------------------------------------------------------------------


class Shelf(Store):
    """A store that can be held up and can fail."""

    def __init__(self) -> None:
        self.path = "shelf"
        self.written: list[tuple[Tick, tuple[Deed, ...]]] = []
        self.may_go_on = threading.Event()
        self.may_go_on.set()
        self.problem: str | None = None

    def write(self, tick: Tick, deeds: Sequence[Deed] = ()) -> None:
        self.may_go_on.wait()
        if self.problem:
            raise RecordingError(self.problem)
        self.written.append((tick, tuple(deeds)))

    def close(self) -> None:
        pass


@pytest.fixture
def snapshot() -> Snapshot:
    return SyntheticMachine(3, 3).snapshot()


def test_a_disk_that_hangs_costs_no_tick_and_no_event(tmp_path: Path, snapshot: Snapshot) -> None:
    shelf, told = Shelf(), list[str]()
    shelf.may_go_on.clear()
    recorder = Recorder(shelf, str(tmp_path / "none"), told.append)
    events = [make_event(float(number), number) for number in range(100)]
    for event in events:
        recorder.put(Tick(snapshot, (event,)))
    assert recorder.left_out > 50
    shelf.may_go_on.set()
    while recorder.written < 100 - recorder.left_out:
        time.sleep(0.001)
    recorder.put(Tick(snapshot))
    recorder.close()
    assert [event for tick, _ in shelf.written for event in tick.events] == events


def test_events_and_actions_of_a_tick_that_failed_go_with_the_next_and_it_is_said_once(
    tmp_path: Path, snapshot: Snapshot
) -> None:
    shelf, told = Shelf(), list[str]()
    log = tmp_path / "audit.jsonl"
    log.write_text("")
    recorder = Recorder(shelf, str(log), told.append)
    shelf.problem = "the disk is full"
    log.write_text(json.dumps(END) + "\n")
    events = (make_event(1.0), make_event(2.0, 2))
    for event in events:
        recorder.put(Tick(snapshot, (event,)))
    while len(told) < 1 or not recorder._queue.empty():
        time.sleep(0.001)
    recorder.put(Tick(snapshot))
    while not recorder._queue.empty():
        time.sleep(0.001)
    shelf.problem = None
    recorder.put(Tick(snapshot))
    recorder.close()
    tick, deeds = shelf.written[0]
    assert tick.events == events
    assert [deed.title for deed in deeds] == [END["title"]]
    assert told == ["the disk is full", "recording resumed"]


def test_a_tick_from_before_the_log_was_read_is_not_recorded(tmp_path: Path, snapshot: Snapshot) -> None:
    shelf = Shelf()
    recorder = Recorder(shelf, str(tmp_path / "none"), print)
    recorder.put(Tick(snapshot, log_read=False))
    recorder.close()
    assert not shelf.written


def test_the_monitor_records_meanwhile(tmp_path: Path) -> None:
    path = str(tmp_path / "r.db")
    source = RecordedSource(0.1, Recorder(Store(path), str(tmp_path / "none"), print))
    ticks = source.ticks()
    shown = [next(ticks) for _ in range(4)]
    source.close()
    assert list(ticks) == []
    recording = Recording(path)
    assert recording.snapshot(0) == shown[1].snapshot
    assert len(recording.moments) < len(shown)


def write_all(store: Store, ticks: Iterable[Tick]) -> None:
    for tick in ticks:
        store.write(tick)


def test_a_recording_damaged_while_it_is_written_is_put_aside(tmp_path: Path) -> None:
    path, machine = str(tmp_path / "r.db"), SyntheticMachine(30, 5)
    store = Store(path)
    write_all(store, machine.ticks(50))
    store._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    size = os.path.getsize(path)
    with open(path, "r+b") as file:
        file.seek(4096)
        file.write(os.urandom(size - 4096))
    store._db.execute("PRAGMA shrink_memory")
    with pytest.raises(RecordingError, match="malformed"):
        write_all(store, machine.ticks(50))
    last = machine.snapshot()
    store.write(Tick(last))
    store.close()
    assert Recording(path).snapshot(0) == last
    assert any("damaged" in name for name in os.listdir(tmp_path))


def test_a_full_disk_is_said_and_recording_goes_on(tmp_path: Path) -> None:
    store, machine = Store(str(tmp_path / "r.db")), SyntheticMachine(200, 10)
    store.write(Tick(machine.snapshot()))
    pages = store._one("PRAGMA page_count")
    store._db.execute(f"PRAGMA max_page_count={pages + 2}")
    ticks = machine.ticks(200)
    with pytest.raises(RecordingError, match="full"):
        write_all(store, ticks)
    store._db.execute("PRAGMA max_page_count=100000")
    last = machine.snapshot()
    store.write(Tick(last))
    recording = Recording(store.path)
    assert recording.snapshot(len(recording.moments) - 1) == last
    store.close()


# -- what it follows ------------------------------------------------------------------------------------


def test_the_audit_log_is_followed_from_its_end_through_rotation(tmp_path: Path) -> None:
    log = tmp_path / "audit.jsonl"
    log.write_text(json.dumps(END) + "\n")
    tail = AuditTail(str(log))
    assert tail.poll() == ()
    line = json.dumps(replace_time(6.0))
    with open(log, "a") as file:
        file.write(line[:20])
        file.flush()
        assert tail.poll() == ()
        file.write(line[20:] + "\n" + json.dumps({**END, "phase": "start"}) + "\n")
    assert [deed.time for deed in tail.poll()] == [6.0]
    os.replace(log, tmp_path / "audit.jsonl.1")
    log.write_text(json.dumps(replace_time(7.0)) + "\n")
    assert [deed.time for deed in tail.poll()] == [7.0]
    log.unlink()
    assert tail.poll() == ()


def replace_time(when: float) -> dict[str, Any]:
    return {**END, "time": when}


@pytest.mark.parametrize("line", [b"", b"{", b"[]", b'{"phase": "end"}', b'{"phase": "end", "time": "x"}', b"\xff\x00"])
def test_a_line_that_ends_no_action_is_passed_over(line: bytes) -> None:
    assert parse_deed(line) is None


def test_the_lookout_wakes_when_tasks_begin_to_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from oomtop.host.root import Root

    monkeypatch.setattr("oomtop.recording.psi_watch._SECONDS", 0.01)
    file = tmp_path / "proc/pressure/memory"
    file.parent.mkdir(parents=True)
    file.write_text("some avg10=0.00 avg60=0.00 avg300=0.00 total=0000100\n")
    woken = threading.Event()
    lookout = Lookout(Root(str(tmp_path)), woken.set)
    assert not woken.wait(0.05)
    with file.open("r+") as written:  # in place, as the kernel's file never is empty between two readings
        written.write("some avg10=0.00 avg60=0.00 avg300=0.00 total=9000100\n")
    assert woken.wait(5)
    lookout.close()


def test_a_kernel_without_psi_needs_no_lookout(tmp_path: Path) -> None:
    from oomtop.host.root import Root

    Lookout(Root(str(tmp_path)), print).close()


# -- the command ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_the_command_records_until_it_is_told_to_end(tmp_path: Path, number: signal.Signals) -> None:
    path = str(tmp_path / "state" / "r.db")
    child = subprocess.Popen(
        [sys.executable, "-m", "oomtop", "record", "--file", path, "--max-size", "1M"],
        stderr=subprocess.PIPE,
        text=True,
    )
    said = present(child.stderr).readline()
    while not has_tick(path):
        assert child.poll() is None
        time.sleep(0.02)
    child.send_signal(number)
    rest = child.communicate(timeout=20)[1]
    assert child.returncode == 0
    assert f"recording to {path}" in said
    assert "0 skipped" in rest
    assert any(process.pid == child.pid for process in Recording(path).snapshot(0).processes)


def has_tick(path: str) -> bool:
    try:
        return bool(Recording(path).moments)
    except (RecordingError, sqlite3.Error):
        return False


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = subprocess.run(
        [sys.executable, "-m", "oomtop", "record", "--file", str(tmp_path / "file" / "r.db")],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "File exists" in done.stderr
    assert "Traceback" not in done.stderr


def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze here")
    text = (REPO / "packaging/systemd/oomtop-record.service").read_text()
    unit = tmp_path / "oomtop-record.service"
    unit.write_text(text.replace("/usr/bin/oomtop", "/bin/true").replace("Documentation=man:oomtop(1)\n", ""))
    done = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True)
    assert "oomtop-record" not in done.stderr
    for line in ("OOMScoreAdjust=", "MemoryMin=", "LimitMEMLOCK=", "Restart="):
        assert line in text


# -- times ----------------------------------------------------------------------------------------------


def test_times_of_a_recording() -> None:
    last = time.mktime((2026, 11, 24, 15, 30, 0, 0, 0, -1))
    assert parse_time("-10m", last) == last - 600
    assert parse_time("14:05", last) == last - 85 * 60
    assert parse_time("16:00:30", last) == last + 30 * 60 + 30 - 86400
    assert parse_time("2026-11-24 15:29", last) == last - 60
    assert parse_time(str(int(last)), 0.0) == last
    for wrong in ("", "x", "25:00", "-", "-3y", "12"):
        with pytest.raises(ValueError, match="is not a time"):
            parse_time(wrong, last)


def test_ages() -> None:
    assert (parse_age("90s"), parse_age("1.5h"), parse_age("7d")) == (90, 5400, 604800)
    for wrong in ("", "7", "0d", "-1d", "7y"):
        with pytest.raises(ValueError, match="is not a duration"):
            parse_age(wrong)
