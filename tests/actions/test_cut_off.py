"""Actions on processes and groups, killed between any two steps: named by the next start, and undone."""

import os
import signal
import stat
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest

from oomtop.actions.base.context import ActionContext
from oomtop.actions.base.requests import (
    AdjustRequest,
    ConfineRequest,
    FreezeCgroupRequest,
    FreezeRequest,
    KillRequest,
    Limit,
    LimitRequest,
    ReleaseRequest,
    Request,
    UnitAdjRequest,
)
from oomtop.actions.dispatch import carry_out, prepare
from oomtop.actions.journal.audit_log import Audit, read_entries
from oomtop.actions.recovery import check
from oomtop.host.cgroup import CgroupLayout, find_layout
from oomtop.host.process import Process
from oomtop.host.root import Root
from tests.actions.children import context, end, facts, identity, start
from tests.actions.cutting import die_at_each_step, recover
from tests.present import present

MIB = 1 << 20
NAME = f"/oomtop-cut-{os.getpid()}"


@pytest.fixture
def audit(tmp_path: Path) -> Audit:
    return Audit(str(tmp_path / "audit.jsonl"))


@pytest.fixture
def children() -> Iterator[list[subprocess.Popen[str]]]:
    held = [start() for _ in range(3)]
    yield held
    for child in held:
        end(child)


def doing(request: Request, where: ActionContext, audit: Audit) -> Callable[[], None]:
    """Return what a process of its own does until it is killed."""

    def work() -> None:
        prepared = prepare(request, where)
        assert prepared.plan.refusal is None, prepared.plan.refusal
        assert carry_out(prepared, Audit(audit.path), print).entry

    return work


def text_of(path: str) -> str:
    with open(path) as file:
        return file.read().strip()


def write(path: str, text: str) -> None:
    with open(path, "w") as file:
        file.write(text)


def test_the_adj_of_many_processes(audit: Audit, children: list[subprocess.Popen[str]]) -> None:
    where = context([facts(child.pid) for child in children])
    ids = tuple(identity(child.pid) for child in children)

    def values() -> list[str]:
        return [text_of(f"/proc/{child.pid}/oom_score_adj") for child in children]

    def afterwards(step: int) -> None:
        changed = values() != ["0"] * 3
        findings = recover(audit, where)
        assert not changed or findings.undo, step
        assert values() == ["0"] * 3, step

    assert die_at_each_step(doing(AdjustRequest(ids, 400), where, audit), afterwards) > 5
    assert values() == ["400"] * 3


def test_a_freeze_of_many_processes(audit: Audit, children: list[subprocess.Popen[str]]) -> None:
    where = context([facts(child.pid) for child in children])
    ids = tuple(identity(child.pid) for child in children)

    def afterwards(step: int) -> None:
        recover(audit, where)
        # SIGCONT takes a SIGSTOP back also where that has not arrived yet.
        assert [facts(child.pid).state in "Tt" for child in children] == [False] * 3, step

    assert die_at_each_step(doing(FreezeRequest(ids), where, audit), afterwards) > 5
    for child in children:
        os.waitid(os.P_PID, child.pid, os.WSTOPPED | os.WNOWAIT)


def test_sigterm_and_sigkill_after_it(audit: Audit) -> None:
    """What is dead stays dead; the next start says what was under way, once, and that nothing is left to undo."""
    held = [start(stubborn=True)]
    try:

        def work() -> None:
            request = KillRequest((identity(held[-1].pid),), signal.SIGTERM, grace=0.01)
            doing(request, context([facts(held[-1].pid)]), audit)()

        def afterwards(step: int) -> None:
            known = any(entry["phase"] == "start" for entry in read_entries(audit.path))
            named = [f"SIGTERM to {held[-1].pid}" in line for line in check(audit, context()).lines]
            assert named == [True] * known, step
            assert check(audit, context()).lines == (), step
            end(held[-1])
            held.append(start(stubborn=True))

        assert die_at_each_step(work, afterwards) > 4
        assert held[-1].wait() == -signal.SIGKILL
    finally:
        for child in held:
            end(child)


def hierarchy(kind: str) -> tuple[str, CgroupLayout]:
    """Return where the groups of this kind are, and how their layout is called; skip where there are none."""
    found = find_layout(Root())
    mount = None
    if found is not None and kind == "v2":
        mount = found.unified_mount or (found.memory_mount if found.version == 2 else None)
    elif found is not None and found.version == 1:
        mount = os.path.join(os.path.dirname(found.memory_mount), kind)
    if mount is None or not os.access(mount, os.W_OK):
        pytest.skip(f"no groups of {kind} can be made here")
    return mount, CgroupLayout(2, mount, mount) if kind == "v2" else present(found)


@pytest.mark.parametrize("kind", ["v2", "freezer"])
def test_a_frozen_group(audit: Audit, children: list[subprocess.Popen[str]], kind: str) -> None:
    mount, layout = hierarchy(kind)
    folder = mount + NAME
    os.mkdir(folder)
    try:
        for child in children:
            write(f"{folder}/cgroup.procs", str(child.pid))

        def frozen() -> bool:
            if kind == "freezer":
                return text_of(f"{folder}/freezer.state") != "THAWED"
            return text_of(f"{folder}/cgroup.freeze") != "0"

        where = context(layout=layout)

        def afterwards(step: int) -> None:
            was = frozen()
            findings = recover(audit, where)
            assert not was or [NAME in line for line in findings.lines] == [True], step
            assert not frozen(), step
            assert check(audit, where).lines == (), step

        assert die_at_each_step(doing(FreezeCgroupRequest(NAME), where, audit), afterwards) > 3
        assert frozen()
        write(
            f"{folder}/{'freezer.state' if kind == 'freezer' else 'cgroup.freeze'}",
            "THAWED" if kind == "freezer" else "0",
        )
    finally:
        for child in children:
            end(child)
        os.rmdir(folder)


def memory() -> tuple[CgroupLayout, str]:
    """Return the memory hierarchy, where groups can be made."""
    layout = find_layout(Root())
    if layout is None or not os.access(layout.memory_mount, os.W_OK):
        pytest.skip("may not create a cgroup")
    return layout, "memory.max" if layout.version == 2 else "memory.limit_in_bytes"


def test_a_limit(audit: Audit) -> None:
    layout, name = memory()
    folder = layout.memory_mount + NAME
    os.mkdir(folder)
    try:
        before = text_of(f"{folder}/{name}")
        where = context(layout=layout)

        def afterwards(step: int) -> None:
            changed = text_of(f"{folder}/{name}") != before
            findings = recover(audit, where)
            assert not changed or findings.undo, step
            assert text_of(f"{folder}/{name}") == before, step

        assert die_at_each_step(doing(LimitRequest(NAME, Limit.MAX, 64 * MIB), where, audit), afterwards) > 3
        assert text_of(f"{folder}/{name}") == str(64 * MIB)
    finally:
        os.rmdir(folder)


def homely(child: subprocess.Popen[str], layout: CgroupLayout) -> Process:
    """Return what a tick says of the child, its group included."""
    for line in text_of(f"/proc/{child.pid}/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if "memory" in controllers.split(",") or (layout.version == 2 and not controllers):
            return replace(facts(child.pid), cgroup=path)
    raise AssertionError("it is in no group")


def groups_of(children: list[subprocess.Popen[str]]) -> list[str]:
    return [text_of(f"/proc/{child.pid}/cgroup") for child in children]


class Moving(NamedTuple):
    """A move into a new group: its folder, the file of its limit, and the groups before it."""

    folder: str
    limit: str
    where: ActionContext
    request: ConfineRequest
    home: list[str]


@pytest.fixture
def moving(children: list[subprocess.Popen[str]]) -> Moving:
    layout, name = memory()
    folder = layout.memory_mount + NAME
    where = context([homely(child, layout) for child in children], layout=layout)
    ids = tuple(identity(child.pid) for child in children)
    request = ConfineRequest(ids, NAME.removeprefix("/oomtop-"), max=64 * MIB)
    return Moving(folder, f"{folder}/{name}", where, request, groups_of(children))


def test_a_move_into_a_new_group(audit: Audit, children: list[subprocess.Popen[str]], moving: Moving) -> None:
    folder, limit, where, request, home = moving

    def afterwards(step: int) -> None:
        made = os.path.exists(folder)
        findings = recover(audit, where)
        assert not made or [NAME in line for line in findings.lines] == [True], step
        assert (os.path.exists(folder), groups_of(children)) == (False, home), step

    try:
        assert die_at_each_step(doing(request, where, audit), afterwards) > 8
        assert text_of(limit) == str(64 * MIB)
        assert sorted(text_of(f"{folder}/cgroup.procs").split()) == sorted(str(child.pid) for child in children)
    finally:
        homes = tuple((process.id, present(process.cgroup)) for process in where.processes)
        prepare(ReleaseRequest(NAME, homes), where).perform(print)
    assert (os.path.exists(folder), groups_of(children)) == (False, home)


def test_the_way_back_out_of_a_group(audit: Audit, children: list[subprocess.Popen[str]], moving: Moving) -> None:
    folder, _, where, made, home = moving
    back = ReleaseRequest(NAME, tuple((process.id, present(process.cgroup)) for process in where.processes))
    prepare(made, where).perform(print)

    def afterwards(step: int) -> None:
        findings = recover(audit, where)
        if os.path.exists(folder):
            # Killed before the audit log knew of it, and so before anything was done.
            assert (findings.lines, len(text_of(f"{folder}/cgroup.procs").split())) == ((), 3), step
            return
        assert groups_of(children) == home, step
        prepare(made, where).perform(print)

    try:
        assert die_at_each_step(doing(back, where, audit), afterwards) > 5
        assert (os.path.exists(folder), groups_of(children)) == (False, home)
    finally:
        prepare(back, where).perform(print)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, ActionContext]:
    """A tree in which systemd runs, and a systemctl that writes the limit of the unit as it is told."""
    for folder in ("run/systemd/system", "etc/systemd/system", "bin", "cgroup/web.service"):
        (tmp_path / folder).mkdir(parents=True)
    files = {"memory.high": "max", "memory.current": str(MIB), "cgroup.procs": "", "memory.stat": "anon 0\n"}
    for name, text in files.items():
        (tmp_path / "cgroup/web.service" / name).write_text(text)
    tool = tmp_path / "bin/systemctl"
    tool.write_text(
        f"#!/bin/sh\nfor last; do :; done\ncase $last in MemoryHigh=*) v=${{last#*=}}; [ $v = infinity ] && v=max\n"
        f"echo $v > {tmp_path}/cgroup/web.service/memory.high;; esac\n"
    )
    tool.chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    mount = str(tmp_path / "cgroup")
    return tmp_path, context(root=Root(str(tmp_path)), layout=CgroupLayout(2, mount, mount))


def tree(folder: Path) -> dict[str, str | None]:
    """Return every file below `folder` with its text."""
    return {str(path): path.read_text() if path.is_file() else None for path in folder.rglob("*")}


@pytest.mark.parametrize("value", [-500, None])
def test_a_drop_in_of_a_unit(machine: tuple[Path, ActionContext], audit: Audit, value: int | None) -> None:
    root, where = machine
    folder = root / "etc/systemd/system"
    if value is None:
        prepare(UnitAdjRequest("web", -900), where).perform(print)
    before = tree(folder)

    def afterwards(step: int) -> None:
        changed = tree(folder) != before
        findings = recover(audit, where)
        assert not changed or findings.undo, step
        assert tree(folder) == before, step

    assert die_at_each_step(doing(UnitAdjRequest("web", value), where, audit), afterwards) > 4
    assert tree(folder) != before


def test_a_limit_that_systemd_sets(machine: tuple[Path, ActionContext], audit: Audit) -> None:
    root, where = machine
    file = root / "cgroup/web.service/memory.high"

    def afterwards(step: int) -> None:
        changed = file.read_text().strip() != "max"
        findings = recover(audit, where)
        assert not changed or findings.undo, step
        assert file.read_text().strip() == "max", step

    request = LimitRequest("/web.service", Limit.HIGH, 64 * MIB, lasting=True)
    assert die_at_each_step(doing(request, where, audit), afterwards) > 2
    assert file.read_text().strip() == str(64 * MIB)
