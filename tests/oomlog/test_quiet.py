"""What is taken in bulk gives what reading line by line gives."""

import os
import random
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest

from oomtop.oomlog import killers, scan
from oomtop.oomlog.carriers import quiet
from oomtop.oomlog.hits import finder
from oomtop.oomlog.killers.reader import DAEMONS
from oomtop.oomlog.killers.story import Phrase
from oomtop.oomlog.log_files import read_log
from oomtop.oomlog.mentions import reader as mentions
from oomtop.oomlog.records import parse_line
from oomtop.oomlog.scan import scan_file

LOGS = sorted((Path(__file__).parents[1] / "fixtures" / "events").glob("*.log"))
GLOBAL = next(path for path in LOGS if path.stem == "global")
ODD = (
    "\x1b[1m{}\x1b[0m", "{}\r", "h sshd[5]: {}", "{}\\n[    5.000000] x", "[    9.000000] {}", "{}&lt;", '{}",', "  {}",
    "{}" + " " * 30 + "x", "systemd-oomd[5]: Killed /a/b due to memory used (9) / total (9) and swap used",
)  # fmt: skip


TAG = "Nov 24 08:00:00 h kernel: "
ISO = ("2026-11-24T08:00:00.000001+01:00 h kernel: [{}] ", TAG, "2026-11-24T08:00:00+0100 kernel: ")
PREFIXES = ("", "[{}] ", "Nov 24 08:00:00 h kernel: [{}] ", "Nov 24 08:00:00 kernel: [{}] ", *ISO)
FOREIGN = 'Nov 24 08:00:01 h app[{n}]: GET /x?a=1 HTTP/1.1 200 "{n}"'


def with_prefix(path: Path, prefix: str, odd: bool) -> list[str]:
    text = path.read_text(errors="replace").splitlines()
    texts = [part for line in text for record in parse_line(line) for part in record.text.splitlines()]
    lines = [prefix.format(f"{1000 + n / 1e6:12.6f}") + text for n, text in enumerate(texts)]
    chance = random.Random(7)
    for at in chance.sample(range(len(lines)), min(5, len(lines)) if odd else 0):
        lines[at] = chance.choice(ODD).format(lines[at])
    return lines


def assert_quiet_changes_nothing(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = read_log(str(log))
    with monkeypatch.context() as patch:
        patch.setattr(quiet.Quiet, "stretch", lambda self, at, in_report: None)
        assert read_log(str(log)) == found


@pytest.mark.parametrize("odd", [False, True])
@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("path", LOGS, ids=lambda path: path.stem)
def test_stretches_change_nothing(
    path: Path, prefix: str, odd: bool, tmp_path: Path, taken: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines, log = with_prefix(path, prefix, odd), tmp_path / "log"
    log.write_text("\n".join(lines) + "\n")
    list(scan_file(str(log), "log"))
    assert odd or len(taken) <= len(lines) - (20 if "{" in prefix or path.stem != "cgroup" else 4)
    assert_quiet_changes_nothing(log, monkeypatch)


@pytest.mark.skipif(not os.environ.get("OOMTOP_REPORTS"), reason="OOMTOP_REPORTS names no folders of logs")
@pytest.mark.parametrize("odd", [False, True])
@pytest.mark.parametrize("prefix", PREFIXES)
def test_stretches_change_nothing_in_any_report(
    prefix: str, odd: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = os.environ["OOMTOP_REPORTS"].split(":")
    for path in sorted(path for folder in folders for path in Path(folder).rglob("*.log")):
        lines, log = with_prefix(path, prefix, odd), tmp_path / path.name
        mixed = [part for n, line in enumerate(lines) for part in (line, *[FOREIGN.format(n=n)] * (n % 9 == 3) * 5)]
        log.write_text("\n".join((*lines, *mixed, "")))
        assert_quiet_changes_nothing(log, monkeypatch)


@pytest.mark.parametrize("prefix", PREFIXES)
def test_a_storm_of_reports_is_not_read_line_by_line(prefix: str, tmp_path: Path, taken: list[str]) -> None:
    lines, log = with_prefix(GLOBAL, prefix, False), tmp_path / "log"
    log.write_text("\n".join(lines * 40) + "\n")
    list(scan_file(str(log), "log"))
    assert len(taken) <= 10 * 40


def test_a_report_among_lines_of_others_costs_its_own_lines_only(tmp_path: Path, taken: list[str]) -> None:
    lines, log = with_prefix(GLOBAL, "", False), tmp_path / "log"
    others = [FOREIGN.format(n=n) for n in range(9000)]
    log.write_text("\n".join([*others, *lines, *others, ""]))
    assert len(list(scan_file(str(log), "log"))) == 1
    assert len(taken) <= len(lines)


def test_lines_of_another_form_are_looked_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = with_prefix(GLOBAL, "", False)
    looked = 0
    decoded = quiet.decoded

    def decoding(raw: bytes) -> str:
        nonlocal looked
        looked += len(raw)
        return decoded(raw)

    monkeypatch.setattr(quiet, "decoded", decoding)
    log = tmp_path / "log"
    log.write_text("\n".join([*lines, *(f"app says {n} {{}} of it" for n in range(40_000)), ""]))
    assert len(list(scan_file(str(log), "log"))) == 1
    assert looked < 10 * log.stat().st_size


def is_quiet(line: str) -> bool:
    return quiet.Quiet(f"{line}\n".encode() * 9, finder, DAEMONS).stretch(0, True) is not None


def phrases_of(value: object) -> Iterator[Phrase]:
    if isinstance(value, Phrase):
        yield value
    elif isinstance(value, tuple):
        for each in value:
            yield from phrases_of(each)


PHRASES = [
    phrase
    for found in iter_modules(killers.__path__)
    for value in vars(import_module(f"{killers.__name__}.{found.name}")).values()
    for phrase in phrases_of(value)
]
SHAPED = (
    "[  5]  0  5  1 2 3 4 0 0 {}", "[  5]  0  5  1 2 3 4 0 0 {} 5", " {}+0x1/0x2", " {}:5", "{} 5", " <{}>", "5 pages {}",
    "5 pages {} is a", "Node 0 {}:5", "Code: Bad {}.", "Node 0 {}: 5kB",
)  # fmt: skip


def test_a_dated_line_of_a_report_dates_the_undated_ones_of_nohang_behind_it(tmp_path: Path) -> None:
    lines = with_prefix(GLOBAL, TAG, False)
    log = tmp_path / "log"
    victim = ("  PID:       42, name: db", "  Sending SIGTERM to the victim")
    log.write_text("\n".join([*lines[:30], "Victim status (found in 9 ms):", *victim, ""]))
    assert [event.time_text for event in scan_file(str(log), "log")] == ["Nov 24 08:00:00"] * 2


def test_no_words_of_a_killer_are_quiet() -> None:
    words = {word for phrase in PHRASES for word in phrase.words}
    words |= {word.strip() for word in words} | {word.strip(" :'(;") for word in words}
    lines = [shape.format(word) for shape in SHAPED for word in words | {"Victim status", "Victim info", "victim"}]
    assert len(PHRASES) > 30
    assert any(is_quiet(line) for line in lines)
    assert not [line for line in lines if any(phrase.search(line) for phrase in PHRASES) and is_quiet(line)]


@pytest.mark.parametrize("program", sorted({*DAEMONS, "kernel"}))
def test_no_killers_line_is_another_programs(program: str) -> None:
    for tag in (program, f"{program}[5]"):
        line = f"Nov 24 08:00:00 h {tag}: what it says"
        assert not is_quiet(line)
    assert is_quiet(FOREIGN.format(n=5))


@pytest.mark.parametrize("word", mentions.WORDS)
def test_no_mention_is_quiet(word: str) -> None:
    assert any(part in word.encode() for part in quiet.WORDS)


def test_a_table_whose_clock_goes_back_is_of_the_next_boot() -> None:
    lines = with_prefix(LOGS[0], "[{}] ", False)
    late = [line.replace("[ 1000.", "[ 2000.") for line in lines[:20]]
    read = scan.scan_lines([*late, *lines[20:]], "log")
    assert [event.complete for event in read] == [False, False]
