"""What is taken in bulk gives what reading line by line gives."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from oomtop.oomlog import scan
from oomtop.oomlog.carriers import quiet
from oomtop.oomlog.event import OomEvent
from oomtop.oomlog.mentions import reader as mentions
from oomtop.oomlog.records import parse_line
from oomtop.oomlog.scan import scan_file

LOGS = sorted((Path(__file__).parents[1] / "fixtures" / "events").glob("*.log"))
ODD = (
    "\x1b[1m{}\x1b[0m", "{}\r", "h sshd[5]: {}", "{}\\n[    5.000000] x", "[    9.000000] {}", "{}&lt;", '{}",', "  {}",
    "{}" + " " * 30 + "x", "systemd-oomd[5]: Killed /a/b due to memory used (9) / total (9) and swap used",
)  # fmt: skip


def with_prefix(path: Path, prefix: str, odd: bool) -> list[str]:
    texts = [record.text for line in path.read_text().splitlines() for record in parse_line(line)]
    lines = [f"{prefix}[ {1000 + n / 1e6:.6f}] {text}" for n, text in enumerate(texts)]
    chance = random.Random(7)
    for at in chance.sample(range(len(lines)), 5 if odd else 0):
        lines[at] = chance.choice(ODD).format(lines[at])
    return lines


@pytest.mark.parametrize("odd", [False, True])
@pytest.mark.parametrize("prefix", ["", "Nov 24 08:00:00 h kernel: ", "Nov 24 08:00:00 kernel: "])
@pytest.mark.parametrize("path", LOGS, ids=lambda path: path.stem)
def test_stretches_change_nothing(
    path: Path, prefix: str, odd: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines, log = with_prefix(path, prefix, odd), tmp_path / "log"
    log.write_text("\n".join(lines) + "\n")
    taken: list[str] = []
    take = scan.LogScanner.take

    def taking(scanner: scan.LogScanner, text: str) -> Iterator[OomEvent]:
        taken.append(text)
        return take(scanner, text)

    monkeypatch.setattr(scan.LogScanner, "take", taking)
    found = list(scan_file(str(log), "log"))
    assert odd or len(taken) <= len(lines) - 20
    monkeypatch.setattr(quiet.Quiet, "stretch", lambda self, at: (at, []))
    assert list(scan_file(str(log), "log")) == found


@pytest.mark.parametrize("word", mentions.WORDS)
def test_no_mention_is_quiet(word: str) -> None:
    assert any(part in word.encode() for part in quiet.WORDS)


def test_a_table_whose_clock_goes_back_is_of_the_next_boot() -> None:
    lines = with_prefix(LOGS[0], "", False)
    late = [line.replace("[ 1000.", "[ 2000.") for line in lines[:20]]
    read = scan.scan_lines([*late, *lines[20:]], "log")
    assert [event.complete for event in read] == [False, False]
