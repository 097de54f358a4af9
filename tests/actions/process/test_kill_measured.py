"""What a kill says is what was measured: of dead main threads, shared memory, trees that fork, and frozen groups."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from oomtop.actions.base.guard import Guard
from oomtop.actions.base.plan import Outcome, Status
from oomtop.actions.base.requests import FreezeRequest, KillRequest
from oomtop.actions.dispatch import prepare
from oomtop.actions.process import kill_run
from oomtop.actions.process.handle import parse_handled
from oomtop.actions.process.kill import prepare_kill
from oomtop.actions.process.meter import Meter
from oomtop.actions.process.strays import find_strays
from oomtop.host.cgroup import CgroupLayout, find_layout
from oomtop.host.process import Process, ProcessId
from oomtop.host.root import Root
from tests.actions.children import context, end, facts, identity, start
from tests.odd_processes import HAS_MACHINE_CODE, children_of, odd_process, wait_for_child
from tests.present import present

MIB = 1 << 20
HELD = "held = bytearray(b'x') * (40 << 20)\n"
needs_code = pytest.mark.skipif(not HAS_MACHINE_CODE, reason="the machine code is for x86_64")
SPAWNER = """
import os, signal, time
os.setsid()
print('ready', flush=True)
for _ in range(400):
    if os.fork() == 0:
        if os.fork() == 0:
            signal.alarm(30)
            signal.pause()
        os._exit(0)
    time.sleep(0.002)
signal.pause()
"""
SLOW_SPAWNER = """
import os, signal, time
print(flush=True)
for _ in range(2000):
    if os.fork() == 0:
        signal.alarm(30)
        signal.pause()
    time.sleep(0.02)
"""
DAEMONS = """
import os, signal
def call(name):
    open("/proc/self/comm", "w").write(name)
call(f"bomb{os.getpid()}")
for number in range(3):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            if number == 2:
                call("another")
            while os.getppid() == os.getsid(0):
                pass
            print(os.getpid(), flush=True)
            signal.alarm(60)
            signal.pause()
        os._exit(0)
    os.wait()
signal.pause()
"""
PRECIOUS_CHILD = """
import os, signal
os.setsid()
named, name = os.pipe()
if os.fork() == 0:
    open("/proc/self/comm", "w").write("precious")
    os.write(name, b".")
    signal.alarm(30)
    signal.pause()
os.read(named, 1)
"""


@pytest.fixture
def group() -> Iterator[tuple[str, CgroupLayout]]:
    """A memory group of its own, so that what others do does not count; gives its path and its layout."""
    layout = find_layout(Root())
    if layout is None or not os.access(layout.memory_mount, os.W_OK):
        pytest.skip("needs a memory controller and the right to make groups")
    path = f"/oomtop-measured-{os.getpid()}"
    os.mkdir(layout.memory_mount + path)
    yield path, layout
    for pid in open(f"{layout.memory_mount}{path}/cgroup.procs").read().split():
        os.kill(int(pid), signal.SIGKILL)
    while True:
        try:
            os.rmdir(layout.memory_mount + path)
            return
        except OSError:
            os.sched_yield()


def inside(group: tuple[str, CgroupLayout], text: str) -> str:
    """Return the program that moves itself into the group before it takes memory."""
    path, layout = group
    return f"import os\nopen({layout.memory_mount + path + '/cgroup.procs'!r}, 'w').write(str(os.getpid()))\n{text}"


def kill_in(group: tuple[str, CgroupLayout], pid: int, number: signal.Signals = signal.SIGKILL) -> Outcome:
    path, layout = group
    where = context([replace(facts(pid), cgroup=path)], layout=layout)
    return prepare_kill(KillRequest((identity(pid),), number), where).perform(print)


def test_a_process_whose_main_thread_has_ended_is_killed() -> None:
    text = HELD + "end_main_thread(lambda: (print(flush=True), threading.Event().wait()))"
    with odd_process(text) as child:
        prepared = prepare_kill(KillRequest((identity(child.pid),), signal.SIGKILL), context([facts(child.pid)]))
        assert prepared.plan.refusal is None
        outcome = prepared.perform(print)
        assert outcome.status is Status.DONE
        assert present(outcome.before).startswith("4")
        assert child.wait() == -signal.SIGKILL


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_its_own_memory_comes_back(group: tuple[str, CgroupLayout], number: signal.Signals) -> None:
    with odd_process(inside(group, HELD + "print(flush=True); threading.Event().wait()")) as child:
        outcome = kill_in(group, child.pid, number)
    assert present(outcome.freed) > 38 * MIB
    assert ", freed " in outcome.summary


def test_shared_memory_that_dies_with_it_comes_back(group: tuple[str, CgroupLayout]) -> None:
    text = "held = mmap.mmap(-1, 40 << 20)\nfor at in range(0, 40 << 20, 4096): held[at] = 1\n"
    with odd_process(inside(group, text + "print(flush=True); threading.Event().wait()")) as child:
        outcome = kill_in(group, child.pid)
    assert present(outcome.freed) > 38 * MIB


def test_of_copy_on_write_pages_nothing_comes_back(group: tuple[str, CgroupLayout]) -> None:
    text = HELD + "if os.fork() == 0: threading.Event().wait()\nprint(flush=True); threading.Event().wait()"
    with odd_process(inside(group, text)) as child:
        young = wait_for_child(child.pid)
        outcome = kill_in(group, child.pid)
        os.kill(young, signal.SIGKILL)
    assert present(outcome.freed) < 8 * MIB
    assert "shared with living processes" in outcome.details[0]


@needs_code
@pytest.mark.parametrize(
    "way", ["clone_vm(); print(flush=True); threading.Event().wait()", "print(flush=True); vfork()"]
)
def test_of_a_memory_map_that_another_has_too_nothing_comes_back(group: tuple[str, CgroupLayout], way: str) -> None:
    with odd_process(inside(group, HELD + way)) as child:
        young = wait_for_child(child.pid)
        outcome = kill_in(group, child.pid)
        os.kill(young, signal.SIGKILL)
    assert outcome.status is Status.DONE
    assert present(outcome.freed) < 8 * MIB


def test_the_uppermost_groups_are_measured_and_the_machine_where_there_is_none(tmp_path: Path) -> None:
    for folder, value in (("a", 100), ("a/b", 60), ("c", 7)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "memory.current").write_text(str(value))
    layout = CgroupLayout(2, str(tmp_path), str(tmp_path))
    one = facts(os.getpid())
    meter = Meter([replace(one, cgroup=path) for path in ("/a", "/a/b", "/c")], context(layout=layout))
    meter.look(are_going=False)
    (tmp_path / "a/memory.current").write_text("90")
    meter.look(are_going=False)
    assert meter.came_back is None
    (tmp_path / "a/memory.current").write_text("50")
    (tmp_path / "c/memory.current").write_text("5")
    meter.look(are_going=True)
    assert meter.came_back == 42
    assert Meter([replace(one, cgroup="/")], context(layout=layout))._files == ()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_tree_that_forks_while_it_is_killed_is_followed(number: signal.Signals) -> None:
    spawner = subprocess.Popen([sys.executable, "-S", "-c", SPAWNER], stdout=subprocess.PIPE, text=True)
    present(spawner.stdout).readline()
    wait_for_child(spawner.pid)
    root = identity(spawner.pid)
    prepared = prepare_kill(KillRequest((root,), number, tree=True), context([facts(spawner.pid)]))
    news: list[str] = []
    outcome = prepared.perform(news.append)
    spawner.wait()
    present(spawner.stdout).close()
    assert find_strays((root,), frozenset(), Root()) == ()
    assert outcome.status is Status.DONE
    assert any("started since the plan" in line for line in news)


def test_what_is_started_during_the_grace_is_killed_too() -> None:
    mark = f"# spawner of {os.getpid()}"
    code = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n{SLOW_SPAWNER}{mark}"
    with subprocess.Popen([sys.executable, "-S", "-c", code], stdout=subprocess.PIPE, text=True) as spawner:
        present(spawner.stdout).readline()
        request = KillRequest((identity(spawner.pid),), signal.SIGTERM, grace=1.0, tree=True)
        outcome = prepare_kill(request, context([facts(spawner.pid)])).perform(print)
    commands = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline")]
    assert not [command for command in commands if mark.encode() in command]
    assert outcome.status is Status.DONE
    assert not any("live on" in line or "still alive" in line for line in outcome.details)


def test_nobody_stays_stopped_by_a_kill_that_is_broken_off() -> None:
    def report(text: str) -> None:
        raise BrokenPipeError

    child = start()
    request = KillRequest((identity(child.pid),), signal.SIGTERM, tree=True)
    prepared = prepare_kill(request, context([facts(child.pid)]))
    assert prepared.perform(report).status is Status.FAILED
    try:
        assert child.wait(10) == -signal.SIGTERM
    finally:
        end(child)


def test_daemons_that_left_the_tree_before_the_plan_are_counted() -> None:
    child = subprocess.Popen([sys.executable, "-S", "-c", DAEMONS], stdout=subprocess.PIPE, text=True)
    daemons = [int(present(child.stdout).readline()) for _ in range(3)]
    if any(facts(pid).ppid != 1 for pid in daemons):
        pytest.skip("another than pid 1 adopts orphans here")
    group = Path(f"/proc/{child.pid}/cgroup").read_text().splitlines()[0].split(":", 2)[2]
    try:
        member = replace(facts(child.pid), cgroup=group)
        prepared = prepare_kill(KillRequest((member.id,), signal.SIGKILL, tree=True), context([member]))
        details = prepared.perform(print).details
    finally:
        for pid in daemons:
            os.kill(pid, signal.SIGKILL)
        end(child)
    assert any(line.startswith("2 more live on, younger orphans of the same name") for line in details)


def test_one_that_the_first_look_misses_is_killed_too() -> None:
    child = start(PRECIOUS_CHILD)
    young = wait_for_child(child.pid)
    child.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, child.pid, os.WSTOPPED | os.WNOWAIT)
    root, looks = identity(child.pid), list[tuple[Process, ...]]([()])

    def find(known: Iterable[ProcessId]) -> Iterable[Process]:
        """Find nothing at first, as if the child was born after `/proc` was listed."""
        return looks.pop() if looks else find_strays(known, frozenset(), Root())

    request = KillRequest((root,), signal.SIGKILL, tree=True)
    try:
        outcome = prepare_kill(request, context([facts(child.pid)]), find).perform(print)
    finally:
        end(child)
    assert outcome.status is Status.DONE
    assert young in [target.id.pid for target in outcome.ended]
    assert find_strays((root,), frozenset(), Root()) == ()


def test_a_tree_that_cannot_be_stopped_in_time_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kill_run, "_HOLD_SECONDS", 0.0)
    monkeypatch.setattr(kill_run, "cannot_fork", lambda case: False)
    child = start()
    request = KillRequest((identity(child.pid),), signal.SIGTERM, tree=True)
    prepared = prepare_kill(request, context([facts(child.pid)]))
    assert prepared.plan.recovery is not None
    outcome = prepared.perform(print)
    end(child)
    assert outcome.status is Status.PARTLY
    assert "some may be alive" in outcome.details[0]


def test_a_protected_one_that_was_started_meanwhile_is_left_and_named() -> None:
    child = start(PRECIOUS_CHILD)
    young = wait_for_child(child.pid)
    where = context([facts(child.pid)], guard=Guard(("precious",)))
    try:
        outcome = prepare_kill(KillRequest((identity(child.pid),), signal.SIGKILL, tree=True), where).perform(print)
        assert outcome.status is Status.PARTLY
        assert f"1 that were started are still alive: {young} (precious)" in outcome.details[0]
        assert "protected by your list" in outcome.details[0]
    finally:
        os.kill(young, signal.SIGKILL)
        end(child)


def test_an_orphan_from_before_the_plan_is_no_part_of_the_tree() -> None:
    code = "import os\nos.setsid()\nif os.fork() == 0:\n    if os.fork() == 0:\n        import signal\n        print(os.getpid(), flush=True)\n        signal.alarm(30)\n        signal.pause()\n    os._exit(0)\nos.wait()"
    child = subprocess.Popen(
        [sys.executable, "-S", "-c", code + "\nimport signal\nsignal.pause()"], stdout=subprocess.PIPE, text=True
    )
    orphan = int(present(child.stdout).readline())
    while children_of(child.pid):
        os.sched_yield()
    try:
        root = identity(child.pid)
        assert find_strays((root,), frozenset({identity(orphan)}), Root()) == ()
        assert [process.pid for process in find_strays((root,), frozenset(), Root())] == [orphan]
        assert find_strays((ProcessId(child.pid, root.start_time + 10**9),), frozenset(), Root()) == ()
    finally:
        os.kill(orphan, signal.SIGKILL)
        end(child)


@pytest.fixture
def freezer() -> Iterator[tuple[str, CgroupLayout]]:
    """A group of the v1 freezer."""
    layout = find_layout(Root())
    if layout is None or layout.version == 2:
        pytest.skip("no v1 freezer")
    folder = os.path.join(os.path.dirname(layout.memory_mount), "freezer", f"oomtop-frozen-{os.getpid()}")
    try:
        os.mkdir(folder)
    except OSError as error:
        pytest.skip(f"no v1 freezer: {error}")
    yield folder, layout
    os.rmdir(folder)


def test_what_is_frozen_with_its_group_does_not_go_on_and_does_not_end(freezer: tuple[str, CgroupLayout]) -> None:
    folder, layout = freezer
    child = start()
    where = context([facts(child.pid)], layout=layout)
    try:
        for name, text in (("cgroup.procs", str(child.pid)), ("freezer.state", "FROZEN")):
            with open(f"{folder}/{name}", "w") as file:
                file.write(text)
        thawed = prepare(FreezeRequest((identity(child.pid),), thaw=True), where).perform(print)
        assert thawed.status is Status.PARTLY
        assert "is frozen with its group" in thawed.summary
        prepared = prepare_kill(KillRequest((identity(child.pid),), signal.SIGTERM, patience=0.05), where)
        assert "frozen with its group" in prepared.plan.warnings[0]
        assert "frozen with its group" in prepared.perform(print).summary
    finally:
        with open(f"{folder}/freezer.state", "w") as file:
            file.write("THAWED")
        end(child)


def test_pid_1_of_a_container_may_be_killed_and_that_of_the_machine_may_not(tmp_path: Path) -> None:
    (tmp_path / "proc/self/ns").mkdir(parents=True)
    (tmp_path / "proc/self/ns/pid").symlink_to("pid:[4026532201]")
    assert "init" in present(Guard().refusal(facts(1))) or os.readlink("/proc/self/ns/pid") != "pid:[4026531836]"
    assert Guard(lineage=(), root=Root(str(tmp_path))).refusal(facts(1)) is None


def test_a_signal_that_pid_1_does_not_handle_is_dropped_from_inside() -> None:
    status = b"SigIgn:\t0000000000001000\nSigCgt:\t0000000000004002\n"
    assert parse_handled(status, signal.SIGTERM)
    assert not parse_handled(status, signal.SIGKILL)
    assert not parse_handled(b"", signal.SIGTERM)
    prepared = prepare_kill(KillRequest((identity(1),), signal.SIGKILL, override=True), context([facts(1)]))
    assert prepared.plan.refusal is not None or "drops it" in prepared.plan.warnings[0]
    prepared.close()


def test_the_undo_of_a_freeze_leaves_alone_who_was_stopped_before() -> None:
    child = start()
    try:
        first = prepare(FreezeRequest((identity(child.pid),)), context([facts(child.pid)])).perform(print)
        again = prepare(FreezeRequest((identity(child.pid),)), context([facts(child.pid)])).perform(print)
        assert first.undo is not None
        assert again.undo is None
    finally:
        end(child)
