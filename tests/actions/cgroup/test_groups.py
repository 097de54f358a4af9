import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from oomtop.actions.base.guard import Guard
from oomtop.actions.base.plan import Prepared, Status
from oomtop.actions.base.requests import (
    FreezeCgroupRequest,
    KillCgroupRequest,
    Limit,
    LimitRequest,
    ReclaimCgroupRequest,
    Request,
)
from oomtop.actions.dispatch import prepare
from oomtop.host.cgroup import CgroupLayout, find_layout
from oomtop.host.meminfo import Meminfo
from oomtop.host.root import Root
from tests.actions.children import GIB, context, end, facts, identity, start, undo_of
from tests.present import present

MIB = 1 << 20
NAME = f"/oomtop-test-{os.getpid()}"


def make(mount: str | None) -> str:
    """Make a group below `mount`, or skip the test with the reason."""
    if mount is None:
        pytest.skip("no such hierarchy here")
    folder = mount + NAME
    try:
        os.mkdir(folder)
        os.close(os.open(f"{folder}/cgroup.procs", os.O_WRONLY))
    except OSError as error:
        pytest.skip(f"may not create a cgroup: {error}")
    return folder


def text_of(path: str) -> str:
    with open(path) as file:
        return file.read()


def remove(folder: str, child: subprocess.Popen[str]) -> None:
    for name, text in (("cgroup.freeze", "0"), ("freezer.state", "THAWED")):
        if os.path.exists(f"{folder}/{name}"):
            with open(f"{folder}/{name}", "w") as file:
                file.write(text)
    end(child)
    os.rmdir(folder)


def start_in(folder: str, code: str = "") -> subprocess.Popen[str]:
    return start(f"open({folder + '/cgroup.procs'!r}, 'w').write('0')\n{code}")


@pytest.fixture
def memory() -> Iterator[tuple[CgroupLayout, str, subprocess.Popen[str]]]:
    """A group of the real memory hierarchy with a child that holds 30 MiB and has 20 MiB of page cache."""
    layout = find_layout(Root())
    folder = make(None if layout is None else layout.memory_mount)
    child = start_in(folder, "held = bytearray(30 << 20)")
    yield present(layout), folder, child
    remove(folder, child)


@pytest.fixture
def unified() -> Iterator[tuple[CgroupLayout, str, subprocess.Popen[str]]]:
    """A group of the unified hierarchy, with or without a memory controller."""
    mounted = find_layout(Root())
    mount = None if mounted is None else mounted.unified_mount
    folder = make(mount)
    child = start_in(folder)
    yield CgroupLayout(2, present(mount), mount), folder, child
    remove(folder, child)


def ask(
    request: Request,
    layout: CgroupLayout,
    **more: Any,
) -> Prepared:
    return prepare(request, context(layout=layout, **more))


def test_a_limit_is_set_read_back_and_undone(memory: tuple[CgroupLayout, str, subprocess.Popen[str]]) -> None:
    layout, folder, _ = memory
    name = "memory.max" if layout.version == 2 else "memory.limit_in_bytes"
    prepared = ask(LimitRequest(NAME, Limit.MAX, 200 * MIB), layout)
    assert prepared.plan.refusal is None
    outcome = prepared.perform(print)
    assert outcome.status is Status.DONE
    assert text_of(f"{folder}/{name}").strip() == str(200 * MIB)
    assert outcome.before == "no limit"
    assert ask(undo_of(outcome), layout).perform(print).after == "no limit"


def test_a_limit_under_what_must_stay_is_refused(memory: tuple[CgroupLayout, str, subprocess.Popen[str]]) -> None:
    layout, _, child = memory
    prepared = ask(LimitRequest(NAME, Limit.MAX, 10 * MIB), layout)
    assert "kills in it at once" in present(prepared.plan.refusal)
    assert child.poll() is None


def test_reclaim_takes_page_cache(memory: tuple[CgroupLayout, str, subprocess.Popen[str]], tmp_path: Path) -> None:
    layout, folder, child = memory
    path = tmp_path / "cached"
    end(child)
    reader = start_in(
        folder,
        f"import os\nf = open({str(path)!r}, 'wb+'); f.write(bytes(20 << 20)); f.flush(); os.fsync(f.fileno())",
    )
    try:
        prepared = ask(ReclaimCgroupRequest(NAME), layout)
        assert present(prepared.plan.frees) > 15 * MIB
        outcome = prepared.perform(print)
        assert outcome.status in (Status.DONE, Status.PARTLY)
        assert present(outcome.freed) > 15 * MIB
    finally:
        end(reader)


def test_killing_a_group_without_cgroup_kill_kills_each_member(
    memory: tuple[CgroupLayout, str, subprocess.Popen[str]],
) -> None:
    layout, folder, child = memory
    if os.path.exists(f"{folder}/cgroup.kill"):
        pytest.skip("this hierarchy has cgroup.kill")
    prepared = ask(KillCgroupRequest(NAME), layout)
    assert any("SIGSTOP to all" in step for step in prepared.plan.steps)
    assert prepared.perform(print).status is Status.DONE
    assert child.wait() == -signal.SIGKILL


def test_cgroup_kill_empties_the_group(unified: tuple[CgroupLayout, str, subprocess.Popen[str]]) -> None:
    layout, folder, child = unified
    prepared = ask(KillCgroupRequest(NAME), layout)
    assert [target.id.pid for target in prepared.plan.targets] == [child.pid]
    if not os.path.exists(f"{folder}/cgroup.kill"):
        pytest.skip("needs Linux 5.14")
    outcome = prepared.perform(print)
    assert outcome.status is Status.DONE
    assert text_of(f"{folder}/cgroup.procs") == ""
    assert child.wait() == -signal.SIGKILL


def test_freeze_and_thaw_in_the_unified_hierarchy(unified: tuple[CgroupLayout, str, subprocess.Popen[str]]) -> None:
    layout, folder, _ = unified
    outcome = ask(FreezeCgroupRequest(NAME), layout).perform(print)
    assert outcome.status is Status.DONE
    assert "frozen 1" in text_of(f"{folder}/cgroup.events")
    assert ask(undo_of(outcome), layout).perform(print).status is Status.DONE
    assert "frozen 0" in text_of(f"{folder}/cgroup.events")


def test_a_freezer_group_without_its_processes_is_refused(
    memory: tuple[CgroupLayout, str, subprocess.Popen[str]],
) -> None:
    layout, _, child = memory
    freezer = os.path.join(os.path.dirname(layout.memory_mount), "freezer")
    if layout.version != 1 or not os.path.isdir(freezer):
        pytest.skip("no freezer of cgroup v1 here")
    assert "is no group of the freezer" in present(ask(FreezeCgroupRequest(NAME), layout).plan.refusal)
    folder = make(freezer)
    try:
        assert "none of its 1 processes" in present(ask(FreezeCgroupRequest(NAME), layout).plan.refusal)
        with open(f"{folder}/cgroup.procs", "w") as file:
            file.write(str(child.pid))
        assert ask(FreezeCgroupRequest(NAME), layout).plan.refusal is None
    finally:
        with open(f"{freezer}/cgroup.procs", "w") as file:
            file.write(str(child.pid))
        os.rmdir(folder)


def test_freeze_and_thaw_in_v1() -> None:
    layout = find_layout(Root())
    if layout is None or layout.version != 1:
        pytest.skip("no cgroup v1 here")
    freezer = os.path.join(os.path.dirname(layout.memory_mount), "freezer")
    folder = make(freezer if os.path.isdir(freezer) else None)
    child = start_in(folder)
    try:
        outcome = ask(FreezeCgroupRequest(NAME), layout).perform(print)
        assert outcome.status is Status.DONE
        assert text_of(f"{folder}/freezer.state") == "FROZEN\n"
        assert ask(undo_of(outcome), layout).perform(print).status is Status.DONE
        assert text_of(f"{folder}/freezer.state") == "THAWED\n"
    finally:
        remove(folder, child)


def test_a_group_with_a_guarded_process_is_left_alone(unified: tuple[CgroupLayout, str, subprocess.Popen[str]]) -> None:
    layout, _, child = unified
    guard = Guard(protected=(facts(child.pid).comm,))
    for request in (
        KillCgroupRequest(NAME), FreezeCgroupRequest(NAME), LimitRequest(NAME, Limit.MAX, GIB), ReclaimCgroupRequest(NAME)
    ):  # fmt: skip
        assert "is in it: protected" in present(ask(request, layout, guard=guard).plan.refusal)
    own = Guard(lineage=(identity(os.getpid()), identity(child.pid)))
    assert "ancestor of oomtop" in present(ask(FreezeCgroupRequest(NAME), layout, guard=own).plan.refusal)


@pytest.fixture
def fake(tmp_path: Path) -> tuple[CgroupLayout, Path]:
    """A v2 memory hierarchy of plain files."""
    folder = tmp_path / "app.service"
    folder.mkdir()
    (folder / "memory.current").write_text(str(100 * MIB))
    (folder / "memory.stat").write_text(f"active_file {40 * MIB}\ninactive_file {20 * MIB}\nslab_reclaimable 0\n")
    for name in ("memory.high", "memory.max", "memory.low"):
        (folder / name).write_text("max\n")
    (folder / "memory.reclaim").write_text("")
    return CgroupLayout(2, str(tmp_path), str(tmp_path)), folder


def test_high_under_the_use_of_now_warns_and_is_allowed(fake: tuple[CgroupLayout, Path]) -> None:
    layout, folder = fake
    prepared = ask(LimitRequest("/app.service", Limit.HIGH, 10 * MIB), layout)
    assert any("reclaimed at once" in warning for warning in prepared.plan.warnings)
    assert any("set-property --runtime app.service MemoryHigh=" in warning for warning in prepared.plan.warnings)
    (folder / "memory.high").write_text("")
    assert prepared.perform(print).status is Status.DONE
    assert (folder / "memory.high").read_text() == str(10 * MIB)


def test_max_in_v2_may_be_overridden(fake: tuple[CgroupLayout, Path]) -> None:
    layout, _ = fake
    assert "40" in present(ask(LimitRequest("/app.service", Limit.MAX, MIB), layout).plan.refusal)
    prepared = ask(LimitRequest("/app.service", Limit.MAX, MIB, override=True), layout)
    assert prepared.plan.refusal is None
    prepared.close()


def test_reclaim_in_v2_asks_for_the_page_cache(fake: tuple[CgroupLayout, Path]) -> None:
    layout, folder = fake
    prepared = ask(ReclaimCgroupRequest("/app.service"), layout)
    assert prepared.plan.frees == 60 * MIB
    assert prepared.perform(print).status is Status.DONE
    assert (folder / "memory.reclaim").read_text() == str(60 * MIB)


def test_more_than_the_page_cache_needs_swap(fake: tuple[CgroupLayout, Path]) -> None:
    layout, _ = fake
    no_swap = Meminfo(GIB, GIB, swap_free=0)
    prepared = ask(ReclaimCgroupRequest("/app.service", 90 * MIB), layout, meminfo=no_swap)
    assert "no free swap" in prepared.plan.warnings[0]
    assert prepared.plan.frees == 60 * MIB
    prepared.close()


@pytest.mark.parametrize(
    ("path", "words"),
    [("/", "whole machine"), ("/../etc", "cannot contain '..'"), ("/gone", "no such cgroup")],
)
@pytest.mark.parametrize(
    "make_request",
    [KillCgroupRequest, FreezeCgroupRequest, ReclaimCgroupRequest, lambda path: LimitRequest(path, Limit.MAX, GIB)],
)
def test_no_such_group(
    fake: tuple[CgroupLayout, Path],
    path: str,
    words: str,
    make_request: Callable[[str], Request],
) -> None:
    assert words in present(ask(make_request(path), fake[0]).plan.refusal)


def test_without_cgroups() -> None:
    assert "no memory controller" in present(prepare(ReclaimCgroupRequest("/x"), context()).plan.refusal)


def test_v1_has_no_high(memory: tuple[CgroupLayout, str, subprocess.Popen[str]]) -> None:
    layout, _, _ = memory
    if layout.version == 1:
        assert "cgroup v1 has no memory.high" in present(ask(LimitRequest(NAME, Limit.HIGH, GIB), layout).plan.refusal)


@pytest.mark.parametrize("guard", [Guard(read_only=True), Guard(replay=True)])
def test_modes(fake: tuple[CgroupLayout, Path], guard: Guard) -> None:
    request = LimitRequest("/app.service", Limit.MAX, GIB, override=True)
    assert ask(request, fake[0], guard=guard).plan.refusal == guard.mode_refusal()


@pytest.mark.parametrize(
    ("size", "risk"),
    [(400 * MIB, "the group may take 200M more of the 512M that the machine has available"),
     (None, "the group may take more of the 512M that the machine has available"),
     (100 * MIB, "the group's programs may slow down, or be killed at the limit")],
)  # fmt: skip
def test_a_plan_of_a_limit_says_what_it_leaves(memory: Any, size: int | None, risk: str) -> None:
    layout, folder, child = memory
    name = "memory.max" if layout.version == 2 else "memory.limit_in_bytes"
    with open(f"{folder}/{name}", "w") as file:
        file.write(str(200 * MIB))
    facing = context([facts(child.pid)], layout=layout, meminfo=Meminfo(GIB, GIB, mem_available=512 * MIB))
    prepared = prepare(LimitRequest(NAME, Limit.MAX, size), facing)
    assert prepared.plan.risk == risk
    held = re.match(r"it holds ([\d.]+)M, at most [\d.]+M so far, ([\d.]+)M below this limit", prepared.plan.effect)
    assert (held is None) == (size is None)
    assert held is None or abs(float(held[1]) + float(held[2]) - present(size) / MIB) < 1
    prepared.close()
