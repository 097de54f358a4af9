"""Kill lines that are taken in bulk give what reading them line by line gives."""

import io
import json
import random
from pathlib import Path

import pytest

from oomtop.oomlog.carriers import storm
from oomtop.oomlog.evidence import Evidence
from oomtop.oomlog.killers import story
from oomtop.oomlog.killers.reader import KillerReader
from oomtop.oomlog.log_files import read_stream
from oomtop.oomlog.records import Record
from oomtop.render import events_json
from oomtop.render.events_json import events_text

KILL = "{what} of memory: Killed process {pid} ({name}) total-vm:{pid}00kB, anon-rss:5kB, file-rss:0kB"
ENDS = (
    "",
    ", shmem-rss:0kB",
    ", shmem-rss:0kB, UID:33 pgtables:48kB oom_score_adj:-997",
    " oom_score_adj:0",
    ",",
    "\r",
)
OTHERS = (
    "oom_reaper: reaped process 42 (db), now anon-rss:0kB, file-rss:0kB, shmem-rss:0kB",
    "db invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0",
    "oom-kill:constraint=CONSTRAINT_MEMCG,oom_memcg=/a,task_memcg=/a/b,task=db,pid=43,uid=0",
    "Tasks in /a are going to be killed due to memory.oom.group set",
    "Out of memory: Killed process 999999999999999999999999 (db) total-vm:9kB, anon-rss:5kB, file-rss:0kB",
    "Killed process 44 (a) b) total-vm:9kB, anon-rss:5kB, file-rss:0kB", ", shmem-rss:0kB", "eth0: link up",
)  # fmt: skip


def log_of(seed: int, prefix: str, share: float) -> str:
    chance, lines = random.Random(seed), []
    for at in range(400):
        kill = KILL.format(
            what=chance.choice(("Memory cgroup out", "Out")), pid=chance.randrange(40, 60), name=chance.choice("ab")
        )
        text = chance.choice(OTHERS) if chance.random() < share else kill + chance.choice(ENDS)
        lines.append(prefix + f"[{1000 + at * chance.choice((0.001, 9, -9)):12.6f}] {text}")
    return "\n".join(lines) + chance.choice(("", "\n"))


def read(text: str) -> Evidence:
    return read_stream(io.BytesIO(text.encode()), "log")


@pytest.mark.parametrize("share", [0.0, 0.02, 0.3])
@pytest.mark.parametrize("prefix", ["", "Nov 24 08:00:00 h kernel: ", "Nov 24 08:00:00 kernel: "])
def test_storms_change_nothing(prefix: str, share: float, monkeypatch: pytest.MonkeyPatch) -> None:
    logs = [log_of(seed, prefix, share) for seed in range(12)]
    found = [read(log) for log in logs]
    monkeypatch.setattr(storm.Storm, "stretch", lambda self, at, last: (at, []))
    assert [read(log) for log in logs] == found


def test_a_storm_is_not_read_line_by_line(taken: list[str]) -> None:
    lines = [f"[{at:5d}.000000] " + KILL.format(what="Out", pid=100 + at, name="x") for at in range(2000)]
    assert len(read("\n".join(lines) + "\n").events) == len(lines)
    assert len(taken) < 100


def test_json_is_written_event_by_event(monkeypatch: pytest.MonkeyPatch) -> None:
    logs = sorted((Path(__file__).parents[1] / "fixtures" / "events").glob("*.log"))
    found = read("".join(path.read_text() for path in logs) * 2 + "x.service: Failed with result 'oom-kill'.\n")
    whole = "".join(events_text(found.events, found.mentions, found.leftovers))
    assert whole == json.dumps(json.loads(whole))
    assert len(found.events) >= len(logs)
    made: list[str] = []
    event_text = events_json.event_text
    monkeypatch.setattr(events_json, "event_text", lambda *given: made.append("") or event_text(*given))
    parts = events_text(found.events)
    assert '"killer"' in next(part for part in parts if "killer" in part)
    assert len(made) == 1


def test_a_killer_is_not_asked_of_lines_without_a_word_of_any(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, asked = KillerReader("log"), list[str]()
    for killer in story.KILLERS:
        monkeypatch.setattr(killer, "feed", lambda self, record, text: iter(asked.append(text) or ()))
    for text in (" out_of_memory+0x1f1/0x520", "Mem-Info:", "x invoked oom-killer: gfp_mask=0x1(x), order=0"):
        list(reader.feed(Record(text)))
        list(reader.feed(Record(text, facility=1, program="app", time_text="Nov 24 08:00:00")))
    assert not asked
    for record in (Record("sending SIGTERM to process 7"), Record("x", program="nohang", time_text="Nov 24 08:00:00")):
        list(reader.feed(record))
        assert asked.pop() == record.text


def test_a_killer_with_expressions_of_its_own_is_asked_of_every_line(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = list[str]()
    monkeypatch.setattr(story.KILLERS[0], "phrases_only", False)
    monkeypatch.setattr(story.KILLERS[0], "feed", lambda self, record, text: iter(asked.append(text) or ()))
    list(KillerReader("log").feed(Record("nothing at all")))
    assert asked == ["nothing at all"]
