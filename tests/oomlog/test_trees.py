"""Evidence as it is handed over: folders, archives, binary journals, several files, files that are no logs."""

import bz2
import gzip
import json
import lzma
import os
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Literal, cast

import pytest
from _pytest.capture import CaptureResult

from oomtop.cli import main
from oomtop.errors import OomtopError
from oomtop.oomlog.trees import kind_of, read_path
from tests.present import present

KILL = "{date} boxb kernel: [ 1000.0001] Out of memory: Killed process 7 (nginx) total-vm:9kB, anon-rss:8kB, file-rss:0kB\n"
FILES = {
    "sos/var/log/messages": KILL.format(date="Nov 24 08:00:00").encode(),
    "sos/var/log/kern.log.2.gz": gzip.compress(KILL.format(date="2024-11-24T08:00:00Z").encode()),
    "sos/sos_commands/kernel/dmesg": KILL.partition("kernel: ")[2].encode(),
    "sos/etc/motd": b"welcome\n",
    "sos/bin/tool": bytes(range(256)) * 20,
}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name, data in FILES.items():
        path = tmp_path / "tree" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return tmp_path / "tree"


def archive(tmp_path: Path, tree: Path, kind: str) -> Path:
    path = tmp_path / f"sos.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(path, "w") as file:
            for name, data in FILES.items():
                file.writestr(name, data)
    else:
        with tarfile.open(path, cast("Literal['w:gz']", f"w:{kind.partition('.')[2]}")) as file:
            file.add(tree, "sos")
    return path


@pytest.mark.parametrize("kind", ["folder", "zip", "tar", "tar.gz", "tar.xz", "tar.bz2"])
def test_a_kill_that_many_files_of_a_tree_tell_is_one_event(tmp_path: Path, tree: Path, kind: str) -> None:
    found = read_path(str(tree if kind == "folder" else archive(tmp_path, tree, kind)))
    assert [present(event.victim).pid for event in found.events] == [7]
    assert found.problems == ()


def test_a_link_of_a_tree_leads_nowhere_else(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "other.log").write_text(KILL.format(date="Nov 25 08:00:00").replace(" 7 ", " 8 "))
    os.symlink(tmp_path / "other.log", tree / "link.log")
    assert [present(event.victim).pid for event in read_path(str(tree)).events] == [7]


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"LPKSHHRH\0\0", "journal"), (b"PK\x03\x04", "zip"), (b"", "text"), (b"Nov 24 kernel: x\n", "text"),
        ("Nov 24 kernel: x\n".encode("utf-16"), "text"), ("Nov 24 kernel: x\n".encode("utf-16-le"), "text"),
        ("апр 24 kernel: x\n".encode(), "text"), (b"\x1b[31mNov 24\x1b[0m kernel: x\r\r\n", "text"),
        (b"Nov 24 08:00:00 h kernel: x\n" * 9 + b"\0\0\0\0", "text"), (bytes(range(256)) * 4, "binary"),
    ],
)  # fmt: skip
def test_what_is_text_and_what_is_not(start: bytes, kind: str) -> None:
    assert kind_of(start) == kind


def test_binary_data_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(bytes(range(256)) * 20)
    with pytest.raises(OomtopError, match="binary data"):
        read_path(str(tmp_path / "x"))


@pytest.mark.parametrize("kind", ["zip", "tar.gz", "tar.xz"])
def test_an_archive_that_was_cut_is_named(tmp_path: Path, tree: Path, kind: str) -> None:
    path = archive(tmp_path, tree, kind)
    path.write_bytes(path.read_bytes()[:-120])
    with pytest.raises((OomtopError, OSError)):
        read_path(str(path))


def test_a_binary_journal_is_read_by_journalctl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = {
        "_TRANSPORT": "kernel",
        "MESSAGE": KILL.partition("] ")[2].strip(),
        "__REALTIME_TIMESTAMP": "1795500000000000",
    }
    tool = tmp_path / "journalctl"
    tool.write_text(f"#!/bin/sh\necho \"$@\" > {tmp_path}/asked\ncat <<'X'\n{json.dumps(entry)}\nX\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    (tmp_path / "system.journal").write_bytes(b"LPKSHHRH" + bytes(200))
    (event,) = read_path(str(tmp_path / "system.journal")).events
    assert (present(event.victim).pid, event.time) == (7, 1795500000.0)
    assert "--file=" in (tmp_path / "asked").read_text()


def events(capsys: pytest.CaptureFixture[str], *words: str | Path) -> tuple[str | int | None, CaptureResult[str]]:
    with pytest.raises(SystemExit) as ended:
        main(["events", *map(str, words)])
    return ended.value.code, capsys.readouterr()


def test_one_file_that_is_missing_leaves_the_others(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.log").write_text(KILL.format(date="Nov 24 08:00:00"))
    (tmp_path / "b.log").write_text(KILL.format(date="Nov 24 08:00:00"))
    code, said = events(capsys, "--json", tmp_path / "a.log", tmp_path / "b.log", tmp_path / "none.log")
    assert code == 5
    assert len(json.loads(said.out)["events"]) == 1
    assert "none.log: No such file" in said.err
    code, said = events(capsys, tmp_path / "none.log")
    assert code == 1
    code, said = events(capsys, tmp_path / "a.log")
    assert code == 0


def test_lines_that_mention_oom_and_nothing_else_have_a_code_of_their_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "x.log").write_text("fine\njava.lang.OutOfMemoryError: Java heap space\n")
    code, said = events(capsys, tmp_path / "x.log")
    assert code == 7
    assert "1 line mentions OOM: line 2: java.lang" in said.err
    (tmp_path / "y.log").write_text("fine\n")
    assert events(capsys, tmp_path / "y.log")[0] == 0


def test_mentions_are_shown_with_the_place_of_the_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.log").write_text(
        "2026-11-24T10:00:00Z db1 systemd[1]: db.service: A process of this unit has been killed by the OOM killer.\n"
    )
    code, said = events(capsys, tmp_path / "x.log")
    assert code == 0
    flat = " ".join(said.out.split())
    assert "systemd says that a process of db.service was killed for memory (line 1)." in flat
    assert "journalctl -k --since" in flat
    assert "on db1" in flat


@pytest.fixture(params=["stdin", "substitution"])
def piped(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[bytes], str]]:
    """What gives bytes through a pipe, and returns the word that names it."""
    with ExitStack() as opened:

        def give(data: bytes) -> str:
            out, into = os.pipe()
            os.write(into, data)
            os.close(into)
            reader = opened.enter_context(open(out, "rb"))
            if request.param == "stdin":
                monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=reader))
                return "-"
            return f"/dev/fd/{out}"

        yield give


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lzma.compress, bz2.compress])
def test_a_pipe_takes_what_a_file_takes(
    pack: Callable[[bytes], bytes], piped: Callable[[bytes], str], capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = events(capsys, "--json", piped(pack(KILL.format(date="Nov 24 08:00:00").encode())))
    assert (code, len(json.loads(said.out)["events"])) == (0, 1)


@pytest.mark.parametrize(
    ("start", "why"),
    [
        (b"LPKSHHRH" + bytes(100), "a binary journal from a pipe"),
        (b"PK\x03\x04" + bytes(100), "a zip archive from a pipe"),
        (bytes(range(256)), "binary data from a pipe"),
        (b"\x28\xb5\x2f\xfd" + bytes(100), "zstd inside an archive or a pipe: unpack it first"),
    ],
    ids=["journal", "zip", "binary", "zstd"],
)
def test_a_pipe_that_cannot_be_read_is_said_to_be_none(
    start: bytes, why: str, piped: Callable[[bytes], str], capsys: pytest.CaptureFixture[str]
) -> None:
    name = piped(start)
    code, said = events(capsys, name)
    assert code == 1
    assert said.err.startswith(f"oomtop: not read: {name}: {why}")
