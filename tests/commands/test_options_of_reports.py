"""The options of the commands that tell: each changes what is told; rows of what it adds to the answer."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from oomtop import cli
from oomtop.cli import build_parser
from oomtop.commands import events
from oomtop.commands.record import open_recorder
from oomtop.recording.retention import Retention
from oomtop.snapshot import Tick
from oomtop.sources.live import LiveSource
from tests.present import present

FIXTURES = Path(__file__).parents[1] / "fixtures"
RECORDING = FIXTURES / "recording-1.db"

LATE = (
    "{stamp} web kernel: Memory cgroup out of memory: Killed process {pid} (late) total-vm:2048kB, anon-rss:1024kB, "
    "file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:64kB oom_score_adj:0"
)

# (what is proved, the words without it, the words it adds, what only the answer with it says)
ROWS = (
    ("top --samples", "top --json -n 1 --interval 0.1", "--samples 1", '"cpu": null'),
    ("events files", "events {dated}", "{events}", "doxygen"),
    ("events --format", "events {events}", "--format md", "^## The kernel"),
    ("events --json", "events {events}", "--json", '^{{"schema"'),
    ("events --event", "events {events}", "--event 2", "^WHY THIS VICTIM"),
    ("events --page", "events {many}", "--page 2", "^page 2 of 2"),
    ("events --since", "events {dated}", "--since 1h", "no OOM event"),
    ("events --killed", "events {dated}", "--killed other", "no OOM event matches"),
    ("events --unit", "events {events}", "--unit session-2.scope", "^WHY THIS VICTIM"),
    ("events --cgroup", "events {events}", "--cgroup /user.slice/user-504.slice", "^WHY THIS VICTIM"),
    ("events --killer", "events {dated}", "--killer earlyoom", "no OOM event matches"),
    ("recommend --margin", "recommend", "--margin 50%", "margin 50%"),
    ("recommend --recording", "recommend --json", "--recording {recording}", '"samples": 45'),
    ("recommend --since", "recommend --recording {recording}", "--since 1m", "no samples"),
    ("recommend --samples", "recommend --json --interval 0.1", "--samples 2", '"samples": 2'),
    ("recommend --json", "recommend", "--json", '^{{"schema"'),
    ("backtest file", "backtest", "{recording}", "^45 ticks in"),
    ("backtest --since", "backtest {recording}", "--since 1m", "^0 ticks in"),
    ("backtest --picture", "backtest {recording}", "--picture", "nothing to draw"),
    ("backtest --json", "backtest {recording}", "--json", '^{{"schema"'),
    ("check --available", "check --headroom 0", "--available 100", "CRITICAL - available"),
    ("check --swap-free", "check", "--swap-free 100", "- swap_free"),
    ("check --psi-some", "check", "--psi-some 1", "- psi_some"),
    ("check --psi-full", "check", "--psi-full 1", "- psi_full"),
    ("check --headroom", "check", "--headroom 1", "- headroom"),
    ("check --exhaustion", "check", "--exhaustion 10m", "- exhaustion"),
)

# (what is proved, the words without it, the words it adds, what the answer no longer says)
LESS = (
    ("recommend --for", "recommend --recording {recording}", "--for swap", "MemoryHigh="),
    ("recommend --cgroup", "recommend --recording {recording}", "--cgroup system.slice/unit-2.service", "unit-0"),
)


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str | Path]:
    """What stands for the names in braces: logs and a recording."""
    folder = tmp_path_factory.mktemp("options")
    dated, many = folder / "dated.log", folder / "many.log"
    dated.write_text(LATE.format(stamp="2026-01-02T03:04:05+00:00", pid=1) + "\n")
    stamps = (f"2026-01-02T03:{minute:02}:00+00:00" for minute in range(60))
    many.write_text("".join(LATE.format(stamp=stamp, pid=pid) + "\n" for pid, stamp in enumerate(stamps, 1)))
    events = f"{FIXTURES}/events/global.log {FIXTURES}/events/cgroup.log"
    return {"events": events, "dated": dated, "many": many, "recording": RECORDING}


def answer(words: str, places: dict[str, Any]) -> str:
    """Return all that a command says."""
    argv = [sys.executable, "-m", "oomtop", *words.format(**places).split()]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert "Traceback" not in done.stderr
    return f"{done.stdout}{done.stderr}"


@pytest.mark.parametrize(("option", "without", "adds", "says"), ROWS, ids=[row[0] for row in ROWS])
def test_an_option_adds_to_the_answer(option: str, without: str, adds: str, says: str, places: dict[str, Any]) -> None:
    pattern = re.compile(says.format(**places), re.MULTILINE)
    assert not pattern.search(answer(without, places))
    assert pattern.search(answer(f"{without} {adds}", places))


@pytest.mark.parametrize(("option", "without", "adds", "said"), LESS, ids=[row[0] for row in LESS])
def test_an_option_takes_from_the_answer(
    option: str, without: str, adds: str, said: str, places: dict[str, Any]
) -> None:
    assert re.search(said, answer(without, places))
    assert not re.search(said, answer(f"{without} {adds}", places))


def test_a_pipe_gets_whole_lines(places: dict[str, Any]) -> None:
    path = "/docker/" + "2e088fe462e25e60be1dafafe2c05c47bd" * 4
    line = places["dated"].read_text()
    summary = line.partition("Memory cgroup")[0] + (
        f"oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg={path},"
        f"task_memcg={path},task=late,pid=1,uid=0\n"
    )
    log = places["dated"].with_name("long.log")
    log.write_text(summary + line + summary.replace("pid=1", "pid=2") + line.replace("process 1 ", "process 2 "))
    assert answer(f"events {log}", places).count(f" {path}\n") == 2
    assert f",task_memcg={path},task=late,pid=1,uid=0\n" in answer(f"events {log} --event 1", places)
    (event,) = json.loads(answer(f"events {log} --event 1 --json --cgroup /docker", places))["events"]
    assert event["oom_memcg"] == path


def test_a_mention_stays_with_the_event_that_it_is_about(places: dict[str, Any]) -> None:
    line = places["dated"].read_text().splitlines()[0]
    front = line.partition("Memory cgroup")[0]
    log = places["dated"].with_name("mentioned.log")
    said = f"{front.partition('kernel:')[0]}systemd[1]: nginx.service: A process of this unit has been killed by the OOM killer."
    log.write_text(f"{line}\n{said}\n{front}java invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, adj=0\n")
    assert "systemd says" in answer(f"events {log} --event 1", places)
    assert "systemd says" not in answer(f"events {log} --event 2", places)


def test_a_date_without_zone_is_said_to_be_assumed(places: dict[str, Any]) -> None:
    log = places["dated"].with_name("undated.log")
    log.write_text(LATE.format(stamp="2026-01-02 03:04:05", pid=1) + "\n")
    said = answer(f"events {log} --since 1h", places)
    assert "1 date without zone or year: taken as local time" in said
    assert "no OOM event" in said


@pytest.mark.parametrize("words", ["--version", "-V", "version"])
def test_the_version_says_which_oomtop_it_is(places: dict[str, Any], words: str) -> None:
    assert re.fullmatch(r"oomtop \d+\.\d+\.\d+ \(oomtop-monitor: .+\)\n", answer(words, places))


def test_help_is_that_of_the_option(places: dict[str, Any]) -> None:
    for words in ("", "kill", "swap add"):
        assert answer(f"help {words}", places) == answer(f"{words} --help", places)
    assert "invalid choice: 'kil'" in answer("help kil", places)


def test_the_manual_page_has_every_command(places: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    page = answer("man", places)
    assert page.startswith('.TH OOMTOP 1 "1970-01-02"')
    assert [name for name in cli.COMMANDS if f".SS {name}".replace("-", "\\-") not in page] == []
    assert ".TP\n\\fB141\\fR" in page


def test_the_configuration_is_checked(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.toml", tmp_path / "bad.toml"
    good.write_text("interval = 1\n")
    bad.write_text("interval = 0\ncolumns = ['pid', 'none']\n")
    assert answer(f"config check {good}", {}) == f"{good}: ok\n"
    said = answer(f"config check {good} {bad}", {}).splitlines()
    assert said[:2] == [f"{good}: ok", f"{bad}: mistakes"]
    assert [line.split(": ")[1] for line in said[2:]] == ["interval", "columns"]
    found = json.loads(answer(f"config check --json {bad}", {}))
    assert [mistake["key"] for mistake in found["mistakes"]] == ["interval", "columns"]
    assert "no such file" in answer(f"config check {tmp_path}/none", {})
    bad.write_text("[models]\npath = '/srv'\n")
    said = answer(f"config check {bad}", {}).splitlines()
    assert said[0] == f"{bad}: not read"
    assert "belongs to another program" in said[1]


def _place(pid: int, text: str) -> int:
    """Return where in the table of a text a process is."""
    return [line.split()[0] for line in text.partition("COMMAND\n")[2].splitlines()].index(str(pid))


def test_top_sorts_by_what_is_asked_for() -> None:
    first = subprocess.Popen(["sleep", "1000"])
    try:
        Path(f"/proc/{first.pid}/oom_score_adj").write_text("1000")
        # Others may have such a score too, and more memory.
        by_share, by_memory = (
            _place(first.pid, answer(f"top -n 99999 --sort {sort}", {})) for sort in ("share", "memory")
        )
        assert by_share < by_memory
    finally:
        first.kill()
        first.wait()


@pytest.mark.skipif(not os.access("/dev/kmsg", os.R_OK), reason="the kernel log is closed to this user")
def test_follow_waits_for_what_comes() -> None:
    argv = [sys.executable, "-m", "oomtop", "events", "--since", "1s", "--follow"]
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as following:
        assert any("waiting for OOM events" in line for line in present(following.stderr))
        assert following.poll() is None
        following.kill()


@pytest.fixture
def sampled(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Note the interval and the number of ticks of every source."""
    seen: list[float] = []

    class Noting(LiveSource):
        def ticks(self) -> Iterator[Tick]:
            for tick in super().ticks():
                seen.append(self.interval)
                yield tick

    monkeypatch.setattr("oomtop.sources.live.LiveSource", Noting)
    return seen


@pytest.mark.parametrize("command", ["top", "recommend", "check --available 1"])
def test_samples_are_taken_at_the_interval(
    command: str, sampled: list[object], capsys: pytest.CaptureFixture[str]
) -> None:
    cli.run([*command.split(), "--samples", "3", "--interval", "0.15"])
    assert sampled == [0.15] * 3


def test_a_recording_has_the_bounds_it_is_given(tmp_path: Path) -> None:
    words = ["record", "--file", str(tmp_path / "r.db"), "--max-size", "3M", "--max-age", "2h"]
    recorder = open_recorder(build_parser().parse_args(words), print)
    recorder.close()
    assert recorder._store._bounds == Retention(3 << 20, 7200.0)
    assert (tmp_path / "r.db").exists()


def test_a_check_as_json_has_the_same_verdict() -> None:
    argv = [sys.executable, "-m", "oomtop", "check", "--available", "100,99.9", "--psi-some", "1,2"]
    text, data = (
        subprocess.run([*argv, *more], capture_output=True, text=True, check=False) for more in ([], ["--json"])
    )
    found = json.loads(data.stdout)
    assert found["code"] == data.returncode == text.returncode == 2
    assert text.stdout.startswith(f"OOMTOP {found['status']} - ")
    assert [figure["name"] for figure in found["figures"]] == ["available", "psi_some"]


@pytest.mark.parametrize("grouping", ["program", "user", "unit", "container"])
def test_top_adds_up_what_belongs_together(grouping: str) -> None:
    words = ["--samples", "1", "--group", grouping, "-n", "100000"]
    argv = [sys.executable, "-m", "oomtop", "top", *words]
    found = json.loads(subprocess.run([*argv, "--json"], capture_output=True, text=True, check=True).stdout)
    text = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    assert f" {grouping.upper()}\n" in f"{text}\n"
    names = [total["name"] for total in found["groups"]]
    assert len(names) == len(set(names))
    if grouping != "container":
        assert sum(total["processes"] for total in found["groups"]) <= len(found["processes"])
        assert names[0] in text
    elif not names:
        assert text.endswith("        no container\n")


def test_what_one_sample_cannot_tell_is_a_dash() -> None:
    data = json.loads(answer("top --json --samples 1", {}))
    assert all(row["growth"] is None and row["cpu"] is None for row in data["processes"])
    assert "major faults -/s" in answer("top --samples 1", {})


def test_top_knows_rates_without_being_asked_twice() -> None:
    first = json.loads(answer("top --json -n 1 --interval 0.1", {}))
    assert first["processes"][0]["cpu"] is not None
    assert first["swap"]["in_rate"] is not None


def test_a_listed_event_is_numbered_as_event_takes_it(capsys: pytest.CaptureFixture[str]) -> None:
    logs = [str(FIXTURES / "events" / f"{name}.log") for name in ("global", "cgroup", "fragmentation")]
    events.run(build_parser().parse_args(["events", *logs]))
    head, *rows = capsys.readouterr().out.splitlines()[:4]
    assert head.startswith("# TIME")
    for row in rows:
        number, name = row.split()[0], row[63:].split()[0]
        events.run(build_parser().parse_args(["events", *logs, "--event", number]))
        assert f"killed {name} (pid " in capsys.readouterr().out
