"""Logs as machines keep them: big, compressed, rotated, without a year, and the same event in two of them."""

import bz2
import gzip
import json
import lzma
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from oomtop.errors import OomtopError
from oomtop.oomlog import scan
from oomtop.oomlog.event import OomEvent
from oomtop.oomlog.evidence import Evidence
from oomtop.oomlog.log_files import list_machine_logs, read_file, read_journal, read_machine_logs
from oomtop.oomlog.merge import merge_logs
from oomtop.oomlog.scan import scan_file, scan_lines
from tests.present import present

REPORT = """\
{date} host kernel: [{stamp}.000001] stress invoked oom-killer: gfp_mask=0x140dca(GFP_HIGHUSER_MOVABLE), order=0, oom_score_adj=0
{date} host kernel: [{stamp}.000002] CPU: 1 PID: {pid} Comm: stress Not tainted 6.1.0-18-amd64 #1
{date} host kernel: [{stamp}.000003] Mem-Info:
{date} host kernel: [{stamp}.000004] Tasks state (memory values in pages):
{date} host kernel: [{stamp}.000005] [  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name
{date} host kernel: [{stamp}.000006] [ {pid}]     0 {pid}   300000   250000  2100000        0             0 stress
{date} host kernel: [{stamp}.000007] oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg=/,task=stress,pid={pid},uid=0
{date} host kernel: [{stamp}.000008] Out of memory: Killed process {pid} (stress) total-vm:1200000kB, anon-rss:1000000kB, file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:2100kB oom_score_adj:0
"""
NOISE = "Nov 20 10:00:00 host app[77]: request 12345 finished, memory of the session 4711 kept, status ok\n"


def report(number: int, date: str = "Nov 20 10:00:00") -> str:
    return REPORT.format(date=date, stamp=1000 + 100 * number, pid=2000 + number)


@pytest.fixture
def big(tmp_path: Path) -> Path:
    path = tmp_path / "syslog"
    with path.open("w") as file:
        for number in range(12):
            file.write(NOISE * 9000)
            file.write(report(number))
    return path


def victims(events: Sequence[OomEvent]) -> list[int]:
    return [present(event.victim).pid for event in events]


@pytest.mark.parametrize("parallel_from", [1 << 40, 1 << 20], ids=["one process", "two processes"])
@pytest.mark.parametrize("block", [1 << 16, 1 << 20])
def test_a_search_of_the_bytes_finds_what_reading_every_line_finds(
    big: Path, monkeypatch: pytest.MonkeyPatch, parallel_from: int, block: int
) -> None:
    monkeypatch.setattr(scan, "_PARALLEL_FROM", parallel_from)
    monkeypatch.setattr(scan, "BLOCK", block)
    monkeypatch.setattr(scan, "_PART", 3 * block)
    found = list(scan_file(str(big), "syslog"))
    with big.open() as file:
        every = list(scan_lines(file, "syslog"))
    assert victims(found) == victims(every) == list(range(2000, 2012))
    assert [(e.complete, len(e.tasks), e.trigger) for e in found] == [
        (e.complete, len(e.tasks), e.trigger) for e in every
    ]


def test_only_lines_near_an_event_are_parsed(big: Path, taken: list[str]) -> None:
    assert len(list(scan_file(str(big), "syslog"))) == 12
    assert len(taken) < 12 * 350


@pytest.mark.parametrize(("name", "pack"), [("gz", gzip.compress), ("xz", lzma.compress), ("bz2", bz2.compress)])
def test_compressed_files_are_read(tmp_path: Path, name: str, pack: Callable[[bytes], bytes]) -> None:
    path = tmp_path / f"kern.log.2.{name}"
    path.write_bytes(pack(report(1).encode()))
    assert victims(read_file(str(path))) == [2001]


@pytest.mark.skipif(shutil.which("zstd") is None, reason="no zstd tool")
def test_zstd_is_read_through_its_tool(tmp_path: Path) -> None:
    path = tmp_path / "messages.1.zst"
    path.write_bytes(subprocess.run(["zstd", "-qc"], input=report(1).encode(), capture_output=True, check=True).stdout)
    assert victims(read_file(str(path))) == [2001]


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress, bz2.compress])
def test_a_damaged_file_is_named(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "kern.log.1.packed"
    path.write_bytes(pack(report(1).encode() * 50)[:-30])
    with pytest.raises((OomtopError, OSError), match=r"kern\.log\.1|stream|data|CRC"):
        read_file(str(path))
    assert [unread.path for unread in read_machine_logs(str(tmp_path)).problems] == [str(path)]


def test_the_logs_of_a_machine_are_those_that_hold_kernel_messages(tmp_path: Path) -> None:
    for name in ("kern.log", "kern.log.1", "syslog", "messages-20261101", "auth.log", "kern.logger", "dmesg.0"):
        (tmp_path / name).write_text("")
    found = {os.path.basename(path) for path in list_machine_logs(str(tmp_path))}
    assert found == {"kern.log", "kern.log.1", "syslog", "messages-20261101", "dmesg.0"}


def test_a_date_without_a_year_lies_in_the_year_before_the_file_was_written(tmp_path: Path) -> None:
    path = tmp_path / "kern.log"
    path.write_text(report(1, "Dec 31 23:59:58"))
    written = time.mktime((2026, 1, 3, 12, 0, 0, 0, 0, -1))
    os.utime(path, (written, written))
    (event,) = read_file(str(path), is_own=True)
    assert time.localtime(event.time)[:6] == (2025, 12, 31, 23, 59, 58)
    (unknown,) = read_file(str(path))
    assert unknown.time is None


def test_one_event_in_two_logs_is_one_and_the_fuller(tmp_path: Path) -> None:
    (full,) = scan_lines(report(1).splitlines(), "kern.log")
    (kill,) = scan_lines(report(1).splitlines()[-1:], "/dev/kmsg")
    (other,) = scan_lines(report(2).splitlines(), "kern.log")
    merged = merge_logs([kill, full, other])
    assert victims(merged) == [2001, 2002]
    assert merged[0].has_header


def test_the_same_number_killed_in_two_boots_is_two_events() -> None:
    (first,) = scan_lines(report(1).replace("Nov 20 10:00:00", "2026-11-20T10:00:00Z").splitlines(), "a")
    (second,) = scan_lines(report(1).replace("Nov 20 10:00:00", "2026-11-22T10:00:00Z").splitlines(), "a")
    assert len(merge_logs([first, second])) == 2


def test_a_ring_buffer_that_begins_in_the_middle_of_a_report_keeps_its_table() -> None:
    (event,) = scan_lines(report(1).splitlines()[3:], "dmesg")
    assert len(event.tasks) == 1
    assert not event.has_header
    assert not event.complete


def test_the_journal_is_read_through_journalctl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entries = "".join(
        json.dumps(
            {
                "MESSAGE": line.partition("] ")[2],
                "_TRANSPORT": "kernel",
                "SYSLOG_IDENTIFIER": "kernel",
                "__REALTIME_TIMESTAMP": "1795500000000000",
                "_SOURCE_MONOTONIC_TIMESTAMP": "1100000000",
            }
        )
        + "\n"
        for line in report(1).splitlines()
    )
    (tmp_path / "entries").write_text(entries)
    tool = tmp_path / "journalctl"
    tool.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/asked\ncat {tmp_path}/entries\n')
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    found = read_journal(since=1795000000.5)
    events, unread = found.events, found.problems
    assert victims(events) == [2001]
    assert (events[0].time, events[0].kernel_time, events[0].source) == (1795500000.0, 1100.0, "journal")
    assert unread == ()
    assert "--since=@1795000000" in (tmp_path / "asked").read_text()


@pytest.mark.parametrize(("script", "named"), [("exit 1", False), ("echo broken >&2; exit 3", True)])
def test_a_journal_that_cannot_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, named: bool
) -> None:
    tool = tmp_path / "journalctl"
    tool.write_text(f"#!/bin/sh\n{script}\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    found = read_journal()
    events, unread = found.events, found.problems
    assert events == ()
    assert [item.path for item in unread] == (["journal"] if named else [])


def test_a_machine_without_journalctl_has_no_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert read_journal() == Evidence()
