import os
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from oomtop.actions.base.plan import Prepared, Status
from oomtop.actions.base.requests import AdjustRequest
from oomtop.actions.dispatch import prepare
from oomtop.host.privileges import Capability, has_capability
from oomtop.host.process import ProcessId
from tests.actions.children import as_nobody, context, end, facts, identity, start, undo_of
from tests.present import present

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


@pytest.fixture
def child() -> Iterator[subprocess.Popen[str]]:
    process = start()
    yield process
    end(process)


def adj(pid: int) -> int:
    with open(f"/proc/{pid}/oom_score_adj") as file:
        return int(file.read())


def adjust(pid: int, value: int, **more: Any) -> Prepared:
    return prepare(AdjustRequest((identity(pid),), value), context([facts(pid)], **more))


def test_the_value_is_written_read_back_and_undone(child: subprocess.Popen[str]) -> None:
    was = adj(child.pid)
    prepared = adjust(child.pid, 500)
    assert f"(now {was})" in prepared.plan.steps[0]
    assert f"{(500 - was) / 10:g} % more" in prepared.plan.effect
    assert prepared.plan.targets[0].frees is None
    outcome = prepared.perform(print)
    assert outcome.status is Status.DONE
    assert (outcome.before, outcome.after) == (str(was), "500")
    assert adj(child.pid) == 500
    undone = prepare(undo_of(outcome), context([facts(child.pid)])).perform(print)
    assert undone.status is Status.DONE
    assert adj(child.pid) == was


def test_a_plan_changes_nothing(child: subprocess.Popen[str]) -> None:
    was = adj(child.pid)
    adjust(child.pid, 700).close()
    assert adj(child.pid) == was


@pytest.mark.parametrize("value", [-1001, 1001])
def test_out_of_range(child: subprocess.Popen[str], value: int) -> None:
    assert "from -1000 to 1000" in present(adjust(child.pid, value).plan.refusal)


def test_minus_1000_has_its_warning(child: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("oomtop.actions.process.adjust.has_capability", lambda capability: True)
    prepared = adjust(child.pid, -1000)
    assert any("unkillable" in warning for warning in prepared.plan.warnings)
    prepared.close()


def test_lowering_without_the_capability_is_refused_in_the_plan(
    child: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("oomtop.actions.process.adjust.has_capability", lambda capability: False)
    assert "needs CAP_SYS_RESOURCE" in present(adjust(child.pid, -900).plan.refusal)
    # Raised by its own user, it may come back down to what it had.
    assert adjust(child.pid, 500).perform(print).status is Status.DONE
    assert adjust(child.pid, 100).perform(print).status is Status.DONE


def test_lowering_all_the_same_fails_in_words(child: subprocess.Popen[str]) -> None:
    if has_capability(Capability.SYS_RESOURCE):
        pytest.skip("CAP_SYS_RESOURCE is held")
    request = AdjustRequest((identity(child.pid),), -900, override=True)
    prepared = prepare(request, context([facts(child.pid)]))
    assert any("CAP_SYS_RESOURCE" in warning for warning in prepared.plan.warnings)
    outcome = prepared.perform(print)
    assert outcome.status is Status.FAILED
    assert "needs CAP_SYS_RESOURCE" in outcome.summary
    assert outcome.undo is None


@needs_root
def test_a_stranger_may_not(child: subprocess.Popen[str]) -> None:
    text = as_nobody(lambda: adjust(child.pid, 500).plan.refusal or "no refusal")
    assert "not permitted: it belongs to root" in text


def test_a_reused_number(child: subprocess.Popen[str]) -> None:
    now = identity(child.pid)
    request = AdjustRequest((ProcessId(now.pid, now.start_time + 1),), 500)
    assert "now another process" in present(prepare(request, context()).plan.refusal)


def test_init_and_oomtop_itself_are_refused() -> None:
    of_init = present(adjust(1, 500).plan.refusal)
    assert "pid 1" in of_init
    assert "kill" not in of_init, "nothing is killed"
    assert "oomtop itself" in present(adjust(os.getpid(), 500).plan.refusal)


def test_several_are_restored_to_their_own_values(child: subprocess.Popen[str]) -> None:
    other = start()
    try:
        prepare(AdjustRequest((identity(other.pid),), 100), context([facts(other.pid)])).perform(print)
        before = adj(child.pid), adj(other.pid)
        request = AdjustRequest((identity(child.pid), identity(other.pid)), 800)
        outcome = prepare(request, context([facts(child.pid), facts(other.pid)])).perform(print)
        assert outcome.status is Status.DONE
        prepare(undo_of(outcome), context()).perform(print)
        assert (adj(child.pid), adj(other.pid)) == before
    finally:
        end(other)
