"""What a disk, or somebody else, does to a recording: it costs what it touched, is said, and recording goes on."""

import os
import random
import shutil
import sqlite3
import subprocess
import sys
import zlib
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from oomtop.recording.codec import pack, unpack
from oomtop.recording.kinds import RecordingError
from oomtop.recording.layout import VERSION
from oomtop.recording.reader import Recording
from oomtop.recording.store import Deed, Store
from oomtop.snapshot import Tick
from tests.fuzz.door_recordings import ENDLESS, sample
from tests.synthetic import SyntheticMachine, make_event

REPO = Path(__file__).parents[2]
FULL = """
import os, sys
from oomtop.recording.kinds import RecordingError
from oomtop.recording.reader import Recording
from oomtop.recording.store import Deed, Store
from tests.synthetic import SyntheticMachine
folder, begins_full = sys.argv[1], sys.argv[2] == "first"

def fill():
    with open(folder + "/filler", "ab", buffering=0) as file:
        try:
            while file.write(b"x" * 512):
                pass
        except OSError:
            pass

def write(ticks):
    told = []
    for tick in ticks:
        try:
            store.write(tick)
        except RecordingError as error:
            told.append(str(error))
    return told

ticks = list(SyntheticMachine(100, 10).ticks(50))
if begins_full:
    fill()
store = Store(folder + "/r.db")
if not begins_full:
    assert write(ticks[:35]) == []
    fill()
told = write(ticks[35:40])
assert told and all("full" in text for text in told), told
os.unlink(folder + "/filler")
assert write(ticks[40:]) == []
store.close()
recording = Recording(folder + "/r.db")
assert [snapshot for _, snapshot in recording.read(0, len(recording.moments))][-10:] == [t.snapshot for t in ticks[40:]]
assert len(recording.moments) >= (10 if begins_full else 40), len(recording.moments)
"""


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "r.db")


def harm(path: str, script: str) -> None:
    with open(path, "wb") as file:
        file.write(sample(False))
    with closing(sqlite3.connect(path, isolation_level=None)) as connection, connection as database:
        database.executescript(script)
    database.close()


def go_on(path: str) -> tuple[list[str], Recording]:
    """Record onto what is there; return what was said, and the recording."""
    said, tick = list[str](), Tick(SyntheticMachine(3, 3).snapshot(), (make_event(5.0),))
    store = Store(path, report=said.append)
    for _ in range(3):
        try:
            store.write(tick)
        except RecordingError as error:
            said.append(str(error))
    store.close()
    recording = Recording(path)
    assert recording.snapshot(len(recording.moments) - 1) == tick.snapshot
    return said, recording


def test_one_flipped_bit_never_keeps_the_recorder_from_starting(path: str) -> None:
    rng = random.Random(1)
    for _ in range(60):
        data = bytearray(sample(False))
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        Path(path).write_bytes(data)
        go_on(path)


def test_a_damaged_recording_is_kept_and_named(path: str) -> None:
    data = bytearray(sample(False))
    data[16:40] = os.urandom(24)
    Path(path).write_bytes(data)
    said, recording = go_on(path)
    assert len(recording.moments) == 3
    (kept,) = [name for name in os.listdir(os.path.dirname(path)) if "damaged" in name]
    assert kept in said[0]
    assert Path(path).with_name(kept).read_bytes() == data


@pytest.mark.parametrize("at", [0, 7, 15])
def test_a_flipped_bit_in_the_magic_makes_it_no_file_of_somebody_else(path: str, at: int) -> None:
    data = bytearray(sample(False))
    data[at] ^= 4
    Path(path).write_bytes(data)
    said, _ = go_on(path)
    assert "kept as" in said[0]


@pytest.mark.parametrize("at", [18, 19])
@pytest.mark.parametrize("bit", range(8))
def test_a_flipped_bit_in_the_format_does_not_make_it_read_only(path: str, at: int, bit: int) -> None:
    data = bytearray(sample(False))
    data[at] ^= 1 << bit
    Path(path).write_bytes(data)
    go_on(path)


@pytest.mark.parametrize("column", ["tick", "title", "status", "summary"])
def test_an_action_without_one_of_its_facts_costs_itself(path: str, column: str) -> None:
    """SQLite checks NOT NULL when it writes, not when it reads."""
    store = Store(path)
    store.write(Tick(SyntheticMachine(3, 3).snapshot()), [Deed(5.0, "Send SIGTERM", "done", "exited after 0.4 s")])
    store.close()
    change = "UPDATE sqlite_schema SET sql=replace(sql, :old, :new) WHERE name='actions'"
    loose = {"old": " NOT NULL", "new": " NOT_NULL"}
    for statement, values in (
        (change, loose),
        (f"UPDATE actions SET {column}=NULL", {}),
        (change, {"old": loose["new"], "new": loose["old"]}),
    ):
        with closing(sqlite3.connect(path)) as connection, connection as database:
            database.execute("PRAGMA writable_schema=ON")
            database.execute(statement, values)
    assert Recording(path).deeds == []


def test_the_two_newest_damaged_recordings_are_kept(path: str) -> None:
    for _ in range(5):
        Path(path).write_bytes(sample(False)[:20] + b"\xff" * 3000)
        Store(path).close()
    kept = [name for name in os.listdir(os.path.dirname(path)) if "damaged" in name]
    assert len(kept) == 2


def test_a_recording_of_a_later_format_is_kept_and_recording_begins_anew(path: str) -> None:
    harm(path, f"UPDATE meta SET value='{VERSION + 1}'")
    said, recording = go_on(path)
    assert "newer oomtop" in said[0]
    assert len(recording.moments) == 3


@pytest.mark.parametrize(
    "script",
    [
        f"DROP TABLE meta; CREATE VIEW meta AS {ENDLESS}",
        f"DROP TABLE ticks; CREATE VIEW ticks AS {ENDLESS}",
        f"CREATE TRIGGER t AFTER INSERT ON ticks BEGIN SELECT * FROM ({ENDLESS}); END",
        "CREATE TABLE mine(x)",
        "CREATE INDEX i ON ticks(zeroblob(id))",
        "ALTER TABLE ticks ADD COLUMN more AS (zeroblob(900000000))",
        "DROP TABLE frames",
    ],
)
def test_a_file_that_brings_more_than_data_is_refused_and_put_aside(path: str, script: str) -> None:
    harm(path, script)
    with pytest.raises(RecordingError, match="damaged"):
        Recording(path)
    said, _ = go_on(path)
    assert "kept as" in said[0]


def test_what_follows_a_damaged_chapter_is_read_and_what_is_left_out_is_said(path: str) -> None:
    Path(path).write_bytes(sample(False))
    with Recording(path) as whole:
        chapters = [moment.chapter for moment in whole.moments]
    assert len(set(chapters)) == 2
    harm(path, f"UPDATE frames SET body = x'00' WHERE id = {chapters[0] + 3}")
    with Recording(path) as recording:
        read = [place for place, _ in recording.read_readable(0)]
        assert read == [0, 1, 2, *range(chapters.index(chapters[-1]), len(chapters))]
        (problem,) = recording.problems
        assert "damaged" in problem
        assert problem.endswith(f"; {len(read)} of {len(chapters)} samples can be read")
    harm(path, "UPDATE keys SET body = x'00'; UPDATE frames SET body = x'00'")
    with Recording(path) as recording, pytest.raises(RecordingError, match="damaged"):
        list(recording.read_readable(0))


def test_a_damaged_page_of_the_time_line_costs_what_is_on_it(path: str) -> None:
    store = Store(path)
    ticks = list(SyntheticMachine(2, 2).ticks(400))
    for tick in ticks:
        store.write(tick)
    store.close()
    with closing(sqlite3.connect(path)) as connection, connection as database:
        pages = [row[0] for row in database.execute("SELECT rootpage FROM sqlite_master WHERE name='ticks'")]
    with open(path, "r+b") as file:
        # The root of the table names its leaves; the second of them is overwritten.
        file.seek((pages[0] - 1) * 4096 + 12)
        cells = int.from_bytes(file.read(2), "big")
        file.seek((pages[0] - 1) * 4096 + cells)
        leaf = int.from_bytes(file.read(4), "big")
        file.seek((leaf - 1) * 4096)
        file.write(b"\xff" * 4096)
    recording = Recording(path)
    assert 0 < len(recording.moments) < 400
    assert recording.moments[-1].time == ticks[-1].snapshot.time
    assert any("skipped" in problem for problem in recording.problems)


@pytest.mark.parametrize("figure", ["time", "monotonic", "available", "chapter", "some"])
@pytest.mark.parametrize("value", ["'x'", "1e308", "9e999", "x'ff'"])
def test_a_figure_that_cannot_be_costs_its_tick(path: str, figure: str, value: str) -> None:
    harm(path, f"UPDATE ticks SET {figure} = {value} WHERE id = 1")
    recording = Recording(path)
    assert 44 <= len(recording.moments) <= 45
    assert recording.snapshot(44 if len(recording.moments) == 45 else 43).processes


def squeezed(raw: bytes) -> bytes:
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
    return squeeze.compress(raw) + squeeze.flush()


@pytest.mark.parametrize(
    "raw",
    [b"[" * 500_000, b"[" + b"[]," * 500_000 + b"0]", b"[" + b'"ab",' * 2_000_000 + b"0]", b"[" + b"9" * 4000 + b"]",
     b"[1e999]", b"[1.5E+400]", b"[NaN]", b"[-Infinity]", b" " * (20 << 20) + b"1"],
)  # fmt: skip
def test_json_that_would_fill_the_memory_or_no_figure_is_refused(raw: bytes) -> None:
    with pytest.raises(RecordingError):
        unpack(squeezed(raw))


def test_texts_that_look_like_numbers_are_texts() -> None:
    data = ["9" * 60, "1e999,", '1e400"]', 10**30, 1e300]
    assert unpack(pack(data)[0])[0] == data


def test_rows_that_stand_in_two_places_are_refused() -> None:
    from oomtop.recording.codec import Codec
    from oomtop.snapshot import Snapshot

    snapshot = SyntheticMachine(50, 3).snapshot()
    place = [name for name, _ in Codec((Snapshot,)).schema["Snapshot"]].index("processes")
    with pytest.raises(RecordingError):
        Codec((Snapshot,)).apply(snapshot, [place, {"m": [0, 50] * 100_000, "n": [], "c": []}])


@pytest.mark.parametrize("use", [Store, Recording])
def test_what_is_no_regular_file_is_said(tmp_path: Path, use: type[Store | Recording]) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    for path in (fifo, "/dev/full", "/dev/zero"):
        if use is Recording or path == fifo:
            with pytest.raises(RecordingError, match="it is a"):
                use(str(path))


@pytest.mark.parametrize("when", ["first", "middle"])
def test_a_full_disk_is_said_and_recording_goes_on_when_there_is_room(tmp_path: Path, when: str) -> None:
    if os.geteuid() or shutil.which("unshare") is None:
        pytest.skip("a small disk of its own needs root")
    mount = f'mount -t tmpfs -o size=600k none {tmp_path} && exec {sys.executable} -c "$0" {tmp_path} {when}'
    done = subprocess.run(["unshare", "-m", "sh", "-c", mount, FULL], capture_output=True, text=True, cwd=REPO)
    if "mount:" in done.stderr:
        pytest.skip("no mount here")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("paths", [("/", "/"), ("", "/a"), ("a", "/b")])
def test_groups_that_share_a_path_or_have_none_are_refused(path: str, paths: tuple[str, str]) -> None:
    snapshot = SyntheticMachine(2, 2).snapshot()
    groups = tuple(replace(group, path=name) for group, name in zip(snapshot.cgroups, paths, strict=True))
    store = Store(path)
    store.write(Tick(replace(snapshot, cgroups=groups)))
    store.close()
    with pytest.raises(RecordingError, match="its figures are impossible"):
        Recording(path).snapshot(0)
