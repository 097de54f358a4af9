"""Limits through systemd, docker and podman: the command that is run, and the kernel's file read back."""

import os
import stat
from pathlib import Path
from typing import Any

import pytest

from oomtop.actions.base.guard import Guard
from oomtop.actions.base.plan import Prepared, Status
from oomtop.actions.base.requests import ConfineRequest, Limit, LimitRequest, ReleaseRequest, Request, UnitAdjRequest
from oomtop.actions.cgroup.owner import Owner, owner_of
from oomtop.actions.dispatch import prepare
from oomtop.analysis.sizing.recommend import Keeper, keeper_of
from oomtop.host.cgroup import CgroupLayout, find_layout
from oomtop.host.root import Root
from tests.actions.children import as_nobody, context, end, facts, identity, start, undo_of
from tests.present import present

MIB = 1 << 20
BOX = "ab" * 32
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tree in which systemd runs, a cgroup v2 hierarchy of plain files, and tools that write what they are told."""
    (tmp_path / "run/systemd/system").mkdir(parents=True)
    (tmp_path / "etc/systemd/system").mkdir(parents=True)
    for path in ("system.slice/web.service", f"system.slice/docker-{BOX}.scope", f"machine.slice/libpod-{BOX}.scope"):
        folder = tmp_path / "cgroup" / path
        folder.mkdir(parents=True)
        for name, text in (
            ("memory.max", "max"), ("memory.high", "max"), ("memory.low", "0"), ("memory.current", str(10 * MIB)),
            ("memory.swap.max", str(5 * MIB)), ("cgroup.procs", ""), ("memory.stat", f"anon {8 * MIB}\nactive_file 0"),
        ):  # fmt: skip
            (folder / name).write_text(text)
    bin = tmp_path / "bin"
    bin.mkdir()
    for tool in ("systemctl", "docker", "podman"):
        (bin / tool).write_text(
            f'#!/bin/sh\necho "{tool} $*" >> {tmp_path}/called\nif [ -e {tmp_path}/does ]; then . {tmp_path}/does; fi\n'
        )
        (bin / tool).chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", f"{bin}:{os.environ['PATH']}")
    return tmp_path


def ask(machine: Path, request: Request, **more: Any) -> Prepared:
    mount = str(machine / "cgroup")
    return prepare(request, context(root=Root(str(machine)), layout=CgroupLayout(2, mount, mount), **more))


def called(machine: Path) -> list[str]:
    return (machine / "called").read_text().splitlines()


def test_who_owns_a_group(machine: Path) -> None:
    root = Root(str(machine))
    assert owner_of("/system.slice/web.service", root) == Owner("systemctl", "web.service")
    assert owner_of(f"/system.slice/docker-{BOX}.scope", root) == Owner("docker", BOX)
    assert owner_of(f"/docker/{BOX}", root) == Owner("docker", BOX)
    assert owner_of(f"/machine.slice/libpod-{BOX}.scope", root) == Owner("podman", BOX)
    for path in ("/mine", "/user.slice/user-1000.slice/user@1000.service/app.slice/x.service", "/a b;c.service"):
        assert owner_of(path, root) is None
    os.rmdir(machine / "run/systemd/system")
    assert owner_of("/system.slice/web.service", root) is None


@pytest.mark.parametrize("lasting", [False, True])
def test_a_unit_is_limited_through_systemctl(machine: Path, lasting: bool) -> None:
    path = "/system.slice/web.service"
    (machine / "does").write_text(f"echo {64 * MIB} > {machine}/cgroup{path}/memory.high")
    prepared = ask(machine, LimitRequest(path, Limit.HIGH, 64 * MIB, lasting=lasting))
    assert "systemctl set-property" in prepared.plan.steps[0]
    outcome = prepared.perform(print)
    assert outcome.status is Status.DONE
    runtime = "" if lasting else "--runtime "
    assert called(machine) == [f"systemctl set-property {runtime}web.service MemoryHigh={64 * MIB}"]
    assert outcome.undo == LimitRequest(path, Limit.HIGH, None, lasting=lasting)
    ask(machine, outcome.undo).perform(print)
    assert called(machine)[1].endswith("MemoryHigh=infinity")


def test_a_tool_that_does_not_do_it_is_found_out(machine: Path) -> None:
    outcome = ask(machine, LimitRequest("/system.slice/web.service", Limit.MAX, 64 * MIB)).perform(print)
    assert outcome.status is Status.PARTLY


def test_a_tool_that_fails_is_quoted(machine: Path) -> None:
    (machine / "does").write_text("echo 'Unit is \x1b[31mmasked.' >&2; exit 1")
    outcome = ask(machine, LimitRequest("/system.slice/web.service", Limit.MAX, 64 * MIB)).perform(print)
    assert outcome.status is Status.FAILED
    assert "masked" in outcome.summary
    assert "\x1b" not in outcome.summary


def test_containers_are_limited_through_their_engine(machine: Path) -> None:
    path = f"/system.slice/docker-{BOX}.scope"
    (machine / "does").write_text(f"echo {64 * MIB} > {machine}/cgroup{path}/memory.max")
    assert ask(machine, LimitRequest(path, Limit.MAX, 64 * MIB)).perform(print).status is Status.DONE
    assert called(machine) == [f"docker update --memory {64 * MIB} --memory-swap {69 * MIB} {BOX}"]
    (machine / f"cgroup{path}/memory.swap.max").write_text("max")
    ask(machine, LimitRequest(path, Limit.MAX, 64 * MIB)).perform(print)
    assert "--memory-swap -1" in called(machine)[1]
    ask(machine, LimitRequest(f"/machine.slice/libpod-{BOX}.scope", Limit.LOW, MIB)).perform(print)
    assert called(machine)[2] == f"podman update --memory-reservation {MIB} {BOX}"


def test_what_an_engine_cannot_is_written_directly(machine: Path) -> None:
    path = f"/system.slice/docker-{BOX}.scope"
    prepared = ask(machine, LimitRequest(path, Limit.HIGH, 64 * MIB))
    assert prepared.perform(print).status is Status.DONE
    assert not (machine / "called").exists()
    assert (machine / f"cgroup{path}/memory.high").read_text().startswith(str(64 * MIB))


def test_what_lifts_a_limit_is_written_as_each_engine_understands_it(machine: Path) -> None:
    """Docker takes 0 for "as it was": only the kernel's file gives a protection back."""
    path = f"/system.slice/docker-{BOX}.scope"
    prepared = ask(machine, LimitRequest(path, Limit.LOW, Limit.LOW.lifted))
    assert any("docker has no command for this" in warning for warning in prepared.plan.warnings)
    assert prepared.plan.risk == ""
    prepared.perform(print)
    assert not (machine / "called").exists()
    assert (machine / f"cgroup{path}/memory.low").read_text().startswith("0")
    ask(machine, LimitRequest("/system.slice/web.service", Limit.LOW, Limit.LOW.lifted)).perform(print)
    assert called(machine) == ["systemctl set-property --runtime web.service MemoryLow=0"]


def test_lasting_is_for_units_only(machine: Path) -> None:
    request = LimitRequest(f"/system.slice/docker-{BOX}.scope", Limit.MAX, 64 * MIB, lasting=True)
    assert "only a systemd unit" in present(ask(machine, request).plan.refusal)


def test_a_limit_that_kills_is_refused_and_warned_of_when_overridden(machine: Path) -> None:
    request = LimitRequest("/system.slice/web.service", Limit.MAX, 4 * MIB)
    assert "kills in it at once" in present(ask(machine, request).plan.refusal)
    forced = LimitRequest("/system.slice/web.service", Limit.MAX, 4 * MIB, override=True)
    plan = ask(machine, forced).plan
    assert plan.refusal is None
    assert any("KILLS AT ONCE" in warning for warning in plan.warnings)


def test_a_drop_in_is_written_told_and_taken_back(machine: Path) -> None:
    file = machine / "etc/systemd/system/web.service.d/60-oomtop.conf"
    outcome = ask(machine, UnitAdjRequest("web", -900)).perform(print)
    assert outcome.status is Status.DONE
    assert "[Service]\nOOMScoreAdjust=-900\n" in file.read_text()
    assert called(machine) == ["systemctl daemon-reload"]
    second = ask(machine, UnitAdjRequest("web.service", 500)).perform(print)
    ask(machine, undo_of(second)).perform(print)
    assert "OOMScoreAdjust=-900" in file.read_text()
    ask(machine, undo_of(outcome)).perform(print)
    assert not file.parent.exists()


def test_drop_ins_that_are_refused(machine: Path) -> None:
    cases = {
        UnitAdjRequest("../../etc/passwd.service", 0): "needs a systemd service",
        UnitAdjRequest("web.socket", 0): "needs a systemd service",
        UnitAdjRequest("web", 1001): "from -1000 to 1000",
    }
    for request, words in cases.items():
        assert words in present(ask(machine, request).plan.refusal)
    assert "--read-only" in present(ask(machine, UnitAdjRequest("web", 0), guard=Guard(read_only=True)).plan.refusal)
    os.rmdir(machine / "run/systemd/system")
    assert "does not run systemd" in present(ask(machine, UnitAdjRequest("web", 0)).plan.refusal)


def test_a_systemd_that_cannot_be_told_is_said(machine: Path) -> None:
    (machine / "does").write_text("echo 'no bus' >&2; exit 1")
    outcome = ask(machine, UnitAdjRequest("web", -900)).perform(print)
    assert outcome.status is Status.PARTLY
    assert "no bus" in outcome.details[0]


@pytest.fixture
def box() -> CgroupLayout:
    layout = find_layout(Root())
    if layout is None or not os.access(layout.memory_mount, os.W_OK):
        pytest.skip("may not create a cgroup")
    return layout


def where(pid: int, layout: CgroupLayout) -> str | None:
    with open(f"/proc/{pid}/cgroup") as file:
        for line in file.read().splitlines():
            _, controllers, path = line.split(":", 2)
            if "memory" in controllers.split(",") or (layout.version == 2 and not controllers):
                return path
    return None


def test_a_process_is_moved_into_a_group_with_a_limit_and_back(box: CgroupLayout) -> None:
    child = start()
    name = f"test-{os.getpid()}"
    folder = f"{box.memory_mount}/oomtop-{name}"
    limit = f"{folder}/memory.{'max' if box.version == 2 else 'limit_in_bytes'}"
    try:
        home = present(where(child.pid, box))
        processes = [facts(child.pid)]
        request = ConfineRequest((identity(child.pid),), name, max=64 * MIB)
        try:
            outcome = prepare(request, context(processes, layout=box)).perform(print)
        except PermissionError as error:
            pytest.skip(str(error))
        assert outcome.status is Status.DONE, outcome
        assert where(child.pid, box) == f"/oomtop-{name}"
        assert int(open(limit).read()) == 64 * MIB
        again = prepare(request, context(processes, layout=box))
        assert "already exists" in present(again.plan.refusal)
        undo = undo_of(outcome)
        assert isinstance(undo, ReleaseRequest)
        back = prepare(ReleaseRequest(undo.path, ((identity(child.pid), home),)), context(layout=box))
        assert back.perform(print).status is Status.DONE
        assert where(child.pid, box) == home
        assert not os.path.exists(folder)
    finally:
        end(child)
        if os.path.exists(folder):
            os.rmdir(folder)


def test_who_came_into_the_group_after_the_plan_is_moved_out_too(box: CgroupLayout) -> None:
    child, late = start(), start()
    name = f"late-{os.getpid()}"
    folder = f"{box.memory_mount}/oomtop-{name}"
    try:
        home = present(where(child.pid, box))
        asked = ConfineRequest((identity(child.pid),), name, max=64 * MIB)
        assert prepare(asked, context([facts(child.pid)], layout=box)).perform(print).status is Status.DONE
        request = ReleaseRequest(f"/oomtop-{name}", ((identity(child.pid), home),))
        back = prepare(request, context(layout=box))
        with open(f"{folder}/cgroup.procs", "w") as file:
            file.write(str(late.pid))
        end(child)
        outcome = back.perform(print)
        assert (outcome.status, outcome.details) == (Status.DONE, ())
        assert where(late.pid, box) == home
        assert not os.path.exists(folder)
    finally:
        end(child)
        end(late)
        if os.path.exists(folder):
            os.rmdir(folder)


def test_moves_that_are_refused(box: CgroupLayout) -> None:
    child = start()
    try:
        ids = (identity(child.pid),)
        cases = {
            ConfineRequest(ids, "../x", max=MIB): "letters, digits",
            ConfineRequest(ids, "x"): "give --high or --max",
            ConfineRequest(ids, "x", max=0): "the limit must be at least",
            ConfineRequest((), "x", max=MIB): "no process selected",
            ConfineRequest((identity(os.getpid()),), "x", max=MIB): "oomtop itself",
            ConfineRequest((identity(1),), "x", max=MIB): "pid 1",
        }
        for request, words in cases.items():
            assert words in present(prepare(request, context([facts(child.pid)], layout=box)).plan.refusal)
        guard = Guard(replay=True)
        assert "recording" in present(
            prepare(ConfineRequest(ids, "x", max=MIB), context(layout=box, guard=guard)).plan.refusal
        )
        assert "only groups made by oomtop" in present(
            prepare(ReleaseRequest("/other", ()), context(layout=box)).plan.refusal
        )
    finally:
        end(child)


@needs_root
def test_an_unprivileged_user_makes_no_group(box: CgroupLayout) -> None:
    request = ConfineRequest((identity(os.getpid()),), "x", max=MIB, override=True)
    assert "not permitted" in as_nobody(lambda: prepare(request, context(layout=box)).plan.refusal or "allowed")


@pytest.mark.parametrize(
    "path",
    [
        f"/docker/{BOX}/system.slice/ssh.service",
        "/lxc.payload.web/system.slice/nginx.service",
        "/machine.slice/machine-x.scope/payload/system.slice/cron.service",
        "/system.slice/ci.service/sshd.service",
        "/system.slice/web.service/sub",
        "/user.slice/user-5.slice/user@5.service/app.slice/ssh.service",
        f"/user.slice/user-5.slice/user@5.service/app.slice/docker-{BOX}.scope",
        f"/system.slice/ci.service/libpod-{BOX}.scope",
        f"/docker/{BOX}/docker/{BOX}",
    ],
)
def test_what_is_inside_of_a_unit_or_container_is_nobodys(machine: Path, path: str) -> None:
    assert owner_of(path, Root(str(machine))) is None
    assert keeper_of(path) == (Keeper.CGROUP, path)
