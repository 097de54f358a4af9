"""Recordings handed over by somebody: shown as far as they can be read, and never run; the recorder goes on."""

import os
import shutil
import sqlite3
import tempfile
import zlib
from collections.abc import Generator
from functools import lru_cache
from random import Random
from unittest.mock import patch

from oomtop.analysis.assessment import assess
from oomtop.analysis.sizing.peaks import observe
from oomtop.analysis.sizing.recommend import recommend
from oomtop.errors import OomtopError
from oomtop.history import History
from oomtop.recording import store as store_module
from oomtop.recording.reader import Recording
from oomtop.recording.store import CHAPTER_TICKS, Deed, Store
from oomtop.render.assessment_json import assessment_to_json
from oomtop.render.recommend import render_recommendation
from oomtop.render.top import render_top
from oomtop.snapshot import Tick
from oomtop.sources.replay import ReplaySource
from tests.fuzz.harness import NASTY, Door, mutate
from tests.synthetic import SyntheticMachine, make_event

# The bytes, statements, a number that changed JSON is made from.
Case = tuple[bytes, bool, list[str], float | None]
PAGE = 4096
TABLES = ("meta", "schemas", "chapters", "ticks", "keys", "frames", "events", "actions")
ENDLESS = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c) SELECT x FROM c"
SCHEMES = (
    "DROP TABLE {table}; CREATE VIEW {table} AS {endless}",
    "CREATE TRIGGER t AFTER INSERT ON {table} BEGIN SELECT * FROM ({endless}); END",
    "CREATE VIRTUAL TABLE v USING fts5(x)",
    "CREATE TABLE other(x DEFAULT (zeroblob(900000000)))",
    "CREATE INDEX i ON {table}(zeroblob(1000000))",
    "DROP TABLE {table}",
    "ALTER TABLE {table} ADD COLUMN more",
    "UPDATE meta SET value = '{number}'",
    "UPDATE ticks SET {figure} = {value}",
    "UPDATE ticks SET {figure} = {value} WHERE id % 3 = 0",
    "UPDATE chapters SET schema = {value}",
    "UPDATE chapters SET time = {value}",
    "UPDATE events SET time = {value}, tick = {value}, schema = {value}",
    "UPDATE actions SET time = {value}, title = {value}",
    "UPDATE {bodies} SET body = zeroblob({size}) WHERE id % 13 = 1",
    "UPDATE {bodies} SET body = {value}",
    "DELETE FROM {table} WHERE rowid % 2",
    "INSERT INTO ticks SELECT {number} + id, chapter, time, monotonic, 1, 1, 1, 1, 1 FROM ticks",
    "UPDATE ticks SET id = id * 100000000000000000",
)
VALUES = ("'x'", "-1", "1e308", "9e999", "-9e999", "9223372036854775807", "NULL", "x'ff00'", "0", "zeroblob(3000000)")
FIGURES = ("chapter", "time", "monotonic", "available", "free", "swap_used", "some", "full")


@lru_cache(2)
def sample(is_small: bool) -> bytes:
    """Return a recording of some chapters, with events and actions; a small one is tried in a fifth of the time."""
    processes, groups, ticks, chapter = (4, 3, 12, 5) if is_small else (12, 6, 45, CHAPTER_TICKS)
    with tempfile.TemporaryDirectory() as folder, patch.object(store_module, "CHAPTER_TICKS", chapter):
        path = f"{folder}/r.db"
        store = Store(path)
        for number, tick in enumerate(SyntheticMachine(processes, groups, busy=0.4).ticks(ticks, event_every=11)):
            store.write(
                tick, (Deed(tick.snapshot.time, f"Deed {number}", "done", "exited"),) if number % 9 == 0 else ()
            )
        store.close()
        with open(path, "rb") as file:
            return file.read()


def make(rng: Random) -> Case:
    """Return (bytes, whether one of them at most is another, statements, changed JSON): one kind of harm, or several."""
    kind = rng.choice(("bits", "bits", "bits", "bytes", "cut", "pages", "schema", "schema", "body", "body"))
    whole = sample(rng.random() < 0.9)
    data = bytearray(whole)
    if kind == "bits":
        for _ in range(rng.choice((1, 1, 1, 2, 8, 64))):
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    elif kind == "bytes":
        data = bytearray(mutate(rng, bytes(data)))
    elif kind == "cut":
        del data[rng.randrange(len(data)) :]
    elif kind == "pages":
        pages = [data[at : at + PAGE] for at in range(0, len(data), PAGE)]
        for _ in range(rng.randint(1, 3)):
            one, other = rng.randrange(len(pages)), rng.randrange(len(pages))
            pages[one], pages[other] = pages[other], pages[one] if rng.random() < 0.5 else pages[other]
        data = bytearray(b"".join(pages))
    statements = [_statement(rng) for _ in range(rng.randint(1, 2))] if kind == "schema" else []
    same = sum(map(int.__ne__, data, whole)) <= 1
    return bytes(data), same, statements, rng.random() if kind == "body" else None


def _statement(rng: Random) -> str:
    return rng.choice(SCHEMES).format(
        table=rng.choice(TABLES), endless=ENDLESS, number=rng.choice((0, 2, 10**15, 9 * 10**18)),
        figure=rng.choice(FIGURES), value=rng.choice(VALUES), bodies=rng.choice(("keys", "frames", "events")), size=rng.choice((9, 3_000_000)),
    )  # fmt: skip


def attempt(case: Case) -> None:
    """Read it as `replay` and `recommend` do, and record onto it."""
    data, same, statements, seed = case
    folder = tempfile.mkdtemp(dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
    try:
        path = f"{folder}/r.db"
        with open(path, "wb") as file:
            file.write(data)
        _harm(path, statements, seed)
        _read(path)
        _replay(path)
        _record(path, same and seed is None)
    finally:
        shutil.rmtree(folder)


def _harm(path: str, statements: list[str], seed: float | None) -> None:
    if not statements and seed is None:
        return
    database = sqlite3.connect(path, isolation_level=None)
    # A trigger without an end would hold up the statement behind it.
    steps = iter(range(100))
    database.set_progress_handler(lambda: next(steps, None) is None, 10_000)
    try:
        for statement in statements:
            database.executescript(statement)
        if seed is not None:
            _change_body(database, seed)
    except sqlite3.Error:
        pass
    finally:
        database.close()


def _change_body(database: sqlite3.Connection, seed: float) -> None:
    """Pack changed JSON as well as the recorder would have."""
    rng = Random(seed)
    table = rng.choice(("keys", "keys", "events", "frames", "schemas"))
    column = "fields" if table == "schemas" else "body"
    number, body = rng.choice(database.execute(f"SELECT id, {column} FROM {table}").fetchall())
    text = (
        body.encode()
        if table == "schemas"
        else zlib.decompressobj(-15, b"").decompress(body)
        if table != "frames"
        else b"[]"
    )
    changed = mutate(rng, text) if rng.random() < 0.5 else _change_number(rng, text)
    squeeze = zlib.compressobj(6, zlib.DEFLATED, -15)
    packed = changed.decode("utf-8", "replace") if table == "schemas" else squeeze.compress(changed) + squeeze.flush()
    database.execute(f"UPDATE {table} SET {column} = ? WHERE id = ?", (packed, number))


def _change_number(rng: Random, text: bytes) -> bytes:
    """Put something else in the place of one or more values."""
    words = text.split(b",")
    for _ in range(rng.choice((1, 1, 3, 20))):
        words[rng.randrange(len(words))] = rng.choice(
            (b"0", b"-1", b"null", b"[]", b'""', b"true", b"1e308", *NASTY[:10])
        )
    return b",".join(words)


def _read(path: str) -> None:
    try:
        recording = Recording(path)
    except OomtopError:
        return
    try:
        history, before = History(), None
        for _, snapshot in recording.read(0, len(recording.moments)):
            tick = Tick(snapshot, tuple(item.event for item in recording.incidents))
            history.add(tick)
            before = assess(tick, history, before)
        if before is not None:
            render_top(before, 10, "memory", 100)
            assessment_to_json(before)
            seen = observe(snapshot for _, snapshot in recording.read(0, len(recording.moments)))
            if seen is not None:
                render_recommendation(recommend(seen), "all")
    except OomtopError:
        pass
    finally:
        recording.close()


def _replay(path: str) -> None:
    """Jump through it as the keys do."""
    try:
        source = ReplaySource(Recording(path), None)
    except OomtopError:
        return
    ticks = source.ticks()
    assert isinstance(ticks, Generator)
    try:
        next(ticks)
        for move in (source.highest_pressure, lambda: source.beside(1), lambda: source.go(10**9)):
            if move() is not None:
                next(ticks)
    except (OomtopError, StopIteration):
        pass
    finally:
        source.close()
        ticks.close()


def _record(path: str, is_strict: bool) -> None:
    """Whatever was there, recording goes on; where one bit was flipped, what is recorded now can be read."""
    snapshot, problem = SyntheticMachine(3, 3).snapshot(), ""
    try:
        store = Store(path)
    except OomtopError as error:
        if "is not an oomtop recording" in str(error) or "but not an oomtop recording" in str(error):
            return
        raise
    for number in range(5):
        try:
            store.write(Tick(snapshot, (make_event(5.0, number),)))
            problem = ""
        except OomtopError as error:
            problem = str(error)
    store.close()
    assert not problem, problem
    if not is_strict:
        return
    recording = Recording(path)
    try:
        assert recording.snapshot(recording.key_index(len(recording.moments) - 1)) == snapshot
    finally:
        recording.close()


DOOR = Door("recordings", make, attempt, few=60, many=20_000)
