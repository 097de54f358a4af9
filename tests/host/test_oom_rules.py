"""Whom the kernel passes over, who lives without a main thread, and who shares a memory map: on real processes."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from oomtop.host.cmdline import CommandLines
from oomtop.host.oom_rules import OomRules, has_shifted_scale
from oomtop.host.process import Process
from oomtop.host.process_scan import ProcessScan, parse_stat
from oomtop.host.root import Root
from oomtop.host.shared_memory_map import memory_owners
from tests.odd_processes import HAS_MACHINE_CODE, odd_process, wait_for_child
from tests.present import present

PAGE, TICKS = os.sysconf("SC_PAGE_SIZE"), os.sysconf("SC_CLK_TCK")
DEAD_LEADER = "held = bytearray(20 << 20)\nend_main_thread(lambda: (print(flush=True), threading.Event().wait()))"
needs_code = pytest.mark.skipif(not HAS_MACHINE_CODE, reason="the machine code is for x86_64")


@pytest.fixture
def scan() -> Iterator[Callable[[], dict[int, Process]]]:
    scanner = ProcessScan(Root(), PAGE, TICKS)
    yield lambda: {process.pid: process for process in scanner.scan()}
    scanner.close()


def test_a_process_whose_main_thread_has_ended_lives_with_its_memory(scan: Callable[[], dict[int, Process]]) -> None:
    with odd_process(DEAD_LEADER) as child:
        found = scan()[child.pid]
        again = scan()[child.pid]
        commands = CommandLines(Root())
        commands.ask([found])
        arrived = dict(commands.collect(seconds=5.0))
    assert found.state in "SR"
    assert not found.is_exiting
    assert found.rss > 20 << 20
    assert present(found.rss_anon) > 20 << 20
    assert found.thread not in (None, child.pid)
    assert found.cgroup == again.cgroup != None  # noqa: E711 - both, and known
    assert "end_main_thread" in arrived[found.id]


def test_a_zombie_stays_one(scan: Callable[[], dict[int, Process]]) -> None:
    with odd_process("print(flush=True); threading.Event().wait()") as child:
        child.send_signal(signal.SIGKILL)
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        found = scan()[child.pid]
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert found.is_exiting
        assert found.thread is None
        assert not found.virtual_size


@needs_code
def test_a_vfork_child_is_passed_over_until_its_exec(scan: Callable[[], dict[int, Process]]) -> None:
    with odd_process("print(flush=True); vfork()") as child:
        young = wait_for_child(child.pid)
        found = scan()
        owners = memory_owners([found[child.pid], found[young], found[os.getpid()]])
    assert found[young].is_spared
    assert not found[child.pid].is_spared
    assert owners[found[young].id] == owners[found[child.pid].id] == child.pid
    assert owners[found[os.getpid()].id] is None


@needs_code
def test_processes_that_share_a_memory_map_have_one_owner(scan: Callable[[], dict[int, Process]]) -> None:
    with odd_process("clone_vm(); print(flush=True); threading.Event().wait()") as child:
        young = wait_for_child(child.pid)
        found = scan()
        assert set(memory_owners([found[young], found[child.pid]]).values()) == {child.pid}
        assert not found[young].is_spared


def test_who_is_spared_follows_the_next_look(scan: Callable[[], dict[int, Process]]) -> None:
    with odd_process("print(flush=True); threading.Event().wait()") as child:
        assert not scan()[child.pid].is_spared


@pytest.mark.parametrize(
    ("score", "adj", "shifted"),
    [(667, 0, True), (2, 0, False), (0, 0, False), (67, -900, True), (0, -900, False), (1334, 1000, True),
     (1001, 1000, False), (1000, 500, True), (501, 500, False), (None, 0, False), (0, -1000, False)],
)  # fmt: skip
def test_the_scale_of_oom_score(score: int | None, adj: int, shifted: bool) -> None:
    assert has_shifted_scale(score, adj) is shifted


def tree(folder: Path, link: str, score: str = "667") -> Root:
    (folder / "proc/self/ns").mkdir(parents=True)
    (folder / "proc/self/oom_score").write_text(score)
    (folder / "proc/self/oom_score_adj").write_text("0")
    (folder / "proc/self/ns/pid").symlink_to(link)
    return Root(str(folder))


def process(pid: int) -> Process:
    line = f"{pid} (x) S 0 1 1 0 -1 4194560 1 0 0 0 1 1 0 0 20 0 1 0 100 9420800 812 "
    return parse_stat(line.encode() + b"0 " * 30, PAGE, TICKS)


def test_only_the_init_of_the_machine_is_spared(tmp_path: Path) -> None:
    machine = OomRules(tree(tmp_path / "machine", "pid:[4026531836]"))
    container = OomRules(tree(tmp_path / "container", "pid:[4026532201]"))
    assert machine.spares(process(1), 700, 0)
    assert not container.spares(process(1), 700, 0)
    assert container.spares(process(7), 0, 0)
    assert not container.spares(process(7), 0, -1000)


def test_a_score_of_zero_tells_nothing_before_5_9(tmp_path: Path) -> None:
    assert not OomRules(tree(tmp_path, "pid:[4026531836]", "0")).spares(process(7), 0, 0)
