import os
import select
import signal
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from oomtop.actions.base.guard import Guard
from oomtop.actions.base.plan import Prepared, Status
from oomtop.actions.base.requests import FreezeRequest, KillRequest
from oomtop.actions.dispatch import prepare
from oomtop.actions.process.kill import prepare_kill, tree_of
from oomtop.actions.process.kill_words import signal_name
from oomtop.host.process import ProcessId
from tests.actions.children import as_nobody, context, end, facts, identity, start, undo_of
from tests.present import present

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


@pytest.fixture
def child() -> Iterator[subprocess.Popen[str]]:
    process = start("held = bytearray(40 << 20)")
    yield process
    end(process)


@pytest.fixture
def stubborn() -> Iterator[subprocess.Popen[str]]:
    process = start(stubborn=True)
    yield process
    end(process)


def kill(*pids: int, **more: Any) -> Prepared:
    request = KillRequest(tuple(identity(pid) for pid in pids), **more)
    return prepare_kill(request, context([facts(pid) for pid in pids]))


def test_sigterm_ends_a_child_and_tells_what_it_gave_back(child: subprocess.Popen[str]) -> None:
    prepared = kill(child.pid)
    assert prepared.plan.refusal is None
    assert present(prepared.plan.frees) > 40 << 20
    news: list[str] = []
    outcome = prepared.perform(news.append)
    assert outcome.status is Status.DONE
    assert "exited after" in outcome.summary
    assert outcome.freed is not None
    assert child.wait() == -signal.SIGTERM
    assert any("SIGTERM sent" in line for line in news)


def test_a_child_that_ignores_sigterm_is_named_and_a_second_key_ends_it(stubborn: subprocess.Popen[str]) -> None:
    outcome = kill(stubborn.pid, patience=0.2).perform(print)
    assert outcome.status is Status.FAILED
    assert "ignores SIGTERM: press k again for SIGKILL" in outcome.summary
    assert kill(stubborn.pid, signal=signal.SIGKILL).perform(print).status is Status.DONE
    assert stubborn.wait() == -signal.SIGKILL


def test_after_the_grace_period_sigkill_follows(stubborn: subprocess.Popen[str]) -> None:
    prepared = kill(stubborn.pid, grace=0.1)
    assert "SIGKILL to survivors" in " ".join(prepared.plan.steps)
    assert prepared.perform(print).status is Status.DONE
    assert stubborn.wait() == -signal.SIGKILL


def test_gone_before_the_plan(child: subprocess.Popen[str]) -> None:
    before = facts(child.pid)
    end(child)
    prepared = prepare_kill(KillRequest((before.id,)), context([before]))
    assert "already exited" in present(prepared.plan.refusal)
    assert prepared.perform(print).status is Status.REFUSED


def test_a_reused_number_is_refused(child: subprocess.Popen[str]) -> None:
    now = identity(child.pid)
    prepared = prepare_kill(KillRequest((ProcessId(now.pid, now.start_time - 500),)), context())
    assert "now another process" in present(prepared.plan.refusal)
    assert child.poll() is None


def test_a_zombie_is_dead_already(child: subprocess.Popen[str]) -> None:
    before = facts(child.pid)
    os.kill(child.pid, signal.SIGKILL)
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    prepared = prepare_kill(KillRequest((before.id,)), context([before]))
    assert "zombie" in present(prepared.plan.refusal)


@pytest.mark.parametrize(
    ("whose_pid", "words"),
    [(lambda: 1, "pid 1"), (os.getpid, "oomtop itself"), (os.getppid, "ancestor of oomtop")],
    ids=["init", "itself", "ancestor"],
)
def test_init_oomtop_and_its_ancestors_are_refused(whose_pid: Callable[[], int], words: str) -> None:
    prepared = kill(whose_pid())
    assert words in present(prepared.plan.refusal)
    prepared.close()


@pytest.mark.skipif(not os.path.exists("/proc/2/stat"), reason="a container shows no kernel threads")
def test_a_kernel_thread_is_refused() -> None:
    if not facts(2).is_kernel_thread:
        pytest.skip("pid 2 is no kernel thread here")
    assert "kernel thread" in present(kill(2).plan.refusal)


def test_a_tree_whose_root_is_refused_is_left_alone(child: subprocess.Popen[str]) -> None:
    processes = [facts(os.getpid()), facts(child.pid)]
    request = KillRequest((identity(os.getpid()),), tree=True)
    prepared = prepare_kill(request, context(processes))
    assert "and its tree" in present(prepared.plan.refusal)
    assert child.poll() is None


def test_a_tree_dies_with_its_children() -> None:
    parent = start("import subprocess; c = subprocess.Popen(['sleep', '1000'])")
    try:
        with open(f"/proc/{parent.pid}/task/{parent.pid}/children") as file:
            below = int(file.read())
        processes = [facts(parent.pid), facts(below)]
        watch = os.pidfd_open(below)
        prepared = prepare_kill(KillRequest((identity(parent.pid),), tree=True), context(processes))
        assert [target.id.pid for target in prepared.plan.targets] == [parent.pid, below]
        outcome = prepared.perform(print)
        assert outcome.status is Status.DONE
        assert "of 2: 2 exited" in outcome.summary
        assert select.select([watch], [], [], 5)[0]
        os.close(watch)
    finally:
        end(parent)


def test_an_older_process_is_no_child() -> None:
    young, old = facts(os.getpid()), facts(1)
    assert tree_of([young.id], [young, old]) == (young.id,)


def test_one_of_two_refused_is_partly_done_with_a_warning(child: subprocess.Popen[str]) -> None:
    prepared = kill(child.pid, 1)
    assert prepared.plan.refusal is None
    assert any("pid 1" in warning for warning in prepared.plan.warnings)
    assert [target.id.pid for target in prepared.plan.targets] == [child.pid]
    prepared.close()


def test_one_of_two_ignoring_is_partly(child: subprocess.Popen[str], stubborn: subprocess.Popen[str]) -> None:
    outcome = kill(child.pid, stubborn.pid, patience=0.2).perform(print)
    assert outcome.status is Status.PARTLY
    assert any("ignores SIGTERM" in line for line in outcome.details)


@needs_root
def test_without_the_right_the_plan_says_so(child: subprocess.Popen[str]) -> None:
    text = as_nobody(lambda: kill(child.pid).plan.refusal or "no refusal")
    assert "not permitted: it belongs to root" in text
    assert child.poll() is None


def test_the_protected_list_and_its_override(child: subprocess.Popen[str]) -> None:
    name = facts(child.pid).comm
    guard = Guard(protected=(name[:3] + "*",))
    request = KillRequest((identity(child.pid),))
    refused = prepare_kill(request, context([facts(child.pid)], guard))
    assert "protected by your list" in present(refused.plan.refusal)
    lifted = prepare_kill(KillRequest(request.targets, override=True), context([facts(child.pid)], guard))
    assert lifted.plan.refusal is None
    lifted.close()


@pytest.mark.parametrize(
    ("guard", "words"), [(Guard(read_only=True), "--read-only"), (Guard(replay=True), "recording")]
)
def test_read_only_and_replay_cannot_be_overridden(child: subprocess.Popen[str], guard: Guard, words: str) -> None:
    request = KillRequest((identity(child.pid),), override=True)
    assert words in present(prepare_kill(request, context([facts(child.pid)], guard)).plan.refusal)


def test_stop_is_undone_by_continue(child: subprocess.Popen[str]) -> None:
    request = FreezeRequest((identity(child.pid),))
    prepared = prepare(request, context([facts(child.pid)]))
    assert (prepared.plan.action, prepared.plan.frees) == ("freeze", None)
    assert "nothing is freed" in prepared.plan.effect
    outcome = prepared.perform(print)
    assert outcome.status is Status.DONE
    assert outcome.summary.endswith("is stopped")
    assert facts(child.pid).state == "T"
    undone = prepare(undo_of(outcome), context([facts(child.pid)])).perform(print)
    assert undone.status is Status.DONE
    os.waitid(os.P_PID, child.pid, os.WCONTINUED)
    assert facts(child.pid).state != "T"


def test_a_plan_is_performed_once_and_gives_everything_back(child: subprocess.Popen[str]) -> None:
    before = set(os.listdir("/proc/self/fd"))
    prepared = kill(child.pid, signal=signal.SIGCONT)
    assert prepared.perform(print).status is Status.DONE
    assert prepared.perform(print).summary == "already performed or closed"
    prepared.close()
    assert set(os.listdir("/proc/self/fd")) == before


def test_a_closed_plan_signals_nothing(child: subprocess.Popen[str]) -> None:
    prepared = kill(child.pid, signal=signal.SIGKILL)
    prepared.close()
    assert prepared.perform(print).status is Status.REFUSED
    assert child.poll() is None


def test_nobody_chosen() -> None:
    assert prepare_kill(KillRequest(()), context()).plan.refusal == "no process selected"


def test_names_of_signals() -> None:
    assert signal_name(9) == "SIGKILL"
    assert signal_name(40) == "signal 40"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGSTOP, signal.SIGCONT, signal.SIGUSR1])
def test_only_what_ends_a_process_frees_its_memory(number: int) -> None:
    child = start("held = bytearray(30 << 20)")
    try:
        prepared = prepare(KillRequest((identity(child.pid),), number), context([facts(child.pid)]))
        frees, ends = prepared.plan.targets[0].frees, number in (signal.SIGTERM, signal.SIGKILL)
        assert (frees is not None and 30 << 20 < frees < 45 << 20) == ends
        assert ("frees up to" in prepared.plan.effect) == ends
        prepared.close()
    finally:
        end(child)
