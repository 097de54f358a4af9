"""The scan of all processes, on this machine's own `/proc`."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from oomtop.host.cmdline import CommandLines, parse_cmdline
from oomtop.host.process_scan import LISTING, ROTATION, ProcessScan
from oomtop.host.root import Root

PAGE, TICKS = os.sysconf("SC_PAGE_SIZE"), os.sysconf("SC_CLK_TCK")


@pytest.fixture
def scan() -> Iterator[ProcessScan]:
    scanner = ProcessScan(Root(), PAGE, TICKS)
    yield scanner
    scanner.close()


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    child = subprocess.Popen([sys.executable, "-c", "import signal; print(flush=True); signal.pause()"], stdout=-1)
    assert child.stdout is not None
    child.stdout.readline()
    # It has said so; now it has to be asleep as well, or its next step changes what is read.
    while Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()[0] != "S":
        os.sched_yield()
    yield child
    child.kill()
    child.wait()
    child.stdout.close()


def test_a_process_that_does_nothing_keeps_its_object(scan: ProcessScan, sleeper: subprocess.Popen[bytes]) -> None:
    first = {process.pid: process for process in scan.scan()}[sleeper.pid]
    second = {process.pid: process for process in scan.scan()}[sleeper.pid]
    assert second is first


def test_the_second_scan_reads_only_stat_but_for_the_rotation(
    scan: ProcessScan, sleeper: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    scan.scan()
    opened = []
    real = os.open
    monkeypatch.setattr(os, "open", lambda path, *rest, **named: opened.append(path) or real(path, *rest, **named))
    processes = len(scan.scan())
    status = [path for path in opened if str(path).endswith("/status")]
    assert len(opened) < processes * 3 / ROTATION + 30
    assert len(status) < processes / 2


def test_figures_equal_those_of_the_kernel(scan: ProcessScan, sleeper: subprocess.Popen[bytes]) -> None:
    found = {process.pid: process for process in scan.scan()}[sleeper.pid]
    fields = dict(
        line.split(":\t", 1) for line in open(f"/proc/{sleeper.pid}/status").read().splitlines() if ":\t" in line
    )
    assert found.rss_anon == int(fields["RssAnon"].split()[0]) * 1024
    assert found.oom_score_adj == int(open(f"/proc/{sleeper.pid}/oom_score_adj").read())
    assert found.ppid == os.getpid()


def test_a_process_that_ended_is_gone_from_the_next_scan(scan: ProcessScan, sleeper: subprocess.Popen[bytes]) -> None:
    assert sleeper.pid in {process.pid for process in scan.scan()}
    sleeper.send_signal(signal.SIGKILL)
    sleeper.wait()
    assert sleeper.pid not in {process.pid for process in scan.scan()}


def test_command_lines_arrive_from_their_own_threads(scan: ProcessScan, sleeper: subprocess.Popen[bytes]) -> None:
    commands = CommandLines(Root())
    processes = scan.scan()
    commands.ask(processes)
    arrived = dict(commands.collect(seconds=5.0))
    identity = next(process.id for process in processes if process.pid == sleeper.pid)
    assert "signal.pause" in arrived[identity]


def test_a_command_line_is_arguments_with_blanks() -> None:
    assert parse_cmdline(b"a\0b c\0\0") == "a b c"
    assert parse_cmdline(b"\xff\0x\0") == "\\xff x"


def test_new_processes_are_listed_where_loadavg_never_changes(fake_proc: tuple[Callable[[int], None], Root]) -> None:
    add, root = fake_proc
    add(10)
    scanner = ProcessScan(root, PAGE, TICKS)
    assert [process.pid for process in scanner.scan()] == [10]
    add(11)
    seen = [[process.pid for process in scanner.scan()] for _ in range(LISTING)]
    scanner.close()
    assert seen[-1] == [10, 11]


@pytest.fixture
def fake_proc(tmp_path: Path) -> tuple[Callable[[int], None], Root]:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/loadavg").write_text("0.00 0.00 0.00 0/0 0\n")

    def add(pid: int) -> None:
        (tmp_path / f"proc/{pid}").mkdir()
        fields = [0] * 50
        (tmp_path / f"proc/{pid}/stat").write_text(f"{pid} (x) S {' '.join(map(str, fields))}\n")

    return add, Root(str(tmp_path))
