"""What is refused, for every kind of action that it can be asked of: on real processes, groups and users."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from typing import Any, get_args

import pytest

from oomtop.actions.base import requests
from oomtop.actions.base.guard import Guard
from oomtop.actions.base.plan import Prepared, Status
from oomtop.actions.base.requests import Limit, Request
from oomtop.actions.dispatch import prepare
from oomtop.host.cgroup import find_layout
from oomtop.host.process import ProcessId
from oomtop.host.root import Root
from tests.actions.children import GIB, as_nobody, context, end, facts, identity, start
from tests.present import present

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
MIB = 1 << 20
NAME = f"/oomtop-refused-{os.getpid()}"

OF_PROCESS: dict[str, Callable[..., Request]] = {
    "kill": lambda who, **more: requests.KillRequest((who,), **more),
    "kill tree": lambda who, **more: requests.KillRequest((who,), signal.SIGKILL, tree=True, **more),
    "adjust": lambda who, **more: requests.AdjustRequest((who,), 500, **more),
    "restore": lambda who, **more: requests.RestoreAdjRequest(((who, 500),), **more),
    "freeze": lambda who, **more: requests.FreezeRequest((who,), **more),
    "thaw": lambda who, **more: requests.FreezeRequest((who,), thaw=True, **more),
    "page out": lambda who, **more: requests.ReclaimProcessRequest(who, **more),
    "confine": lambda who, **more: requests.ConfineRequest((who,), f"refused-{os.getpid()}", max=GIB, **more),
}
OF_GROUP: dict[str, Callable[..., Request]] = {
    "kill": lambda path, **more: requests.KillCgroupRequest(path, **more),
    "freeze": lambda path, **more: requests.FreezeCgroupRequest(path, **more),
    "thaw": lambda path, **more: requests.FreezeCgroupRequest(path, thaw=True, **more),
    "limit": lambda path, **more: requests.LimitRequest(path, Limit.MAX, GIB, **more),
    "reclaim": lambda path: requests.ReclaimCgroupRequest(path),
    "dissolve": lambda path: requests.ReleaseRequest(path, ()),
}
OF_MACHINE: dict[str, Request] = {
    "drop caches": requests.DropCachesRequest(),
    "compact": requests.CompactRequest(),
    "sysctl": requests.SysctlRequest("swappiness", 7),
    "swap file": requests.SwapFileRequest(f"/var/tmp/oomtop-refused-{os.getpid()}", 2 * MIB),
    "swapoff": requests.SwapOffRequest("/nothing"),
    "zram": requests.ZramRequest(2 * MIB),
    "sweep": requests.SweepZramRequest(()),
    "unit": requests.UnitAdjRequest("none.service", -500),
    "drill": requests.DrillRequest(requests.DrillKind.LEAK),
}
DENIED = ("not permitted", "permission denied", "to run as root", "to be root")
of_process = pytest.mark.parametrize("make", OF_PROCESS.values(), ids=OF_PROCESS)
of_group = pytest.mark.parametrize("make", OF_GROUP.values(), ids=OF_GROUP)


@pytest.fixture
def child() -> Iterator[subprocess.Popen[str]]:
    process = start()
    yield process
    end(process)


@pytest.fixture
def group() -> Iterator[subprocess.Popen[str]]:
    """A real group with a process in it, in the memory hierarchy and in v1's freezer."""
    layout = find_layout(Root())
    if layout is None:
        pytest.skip("no memory controller here")
    mounts = [layout.memory_mount]
    if layout.version == 1:
        mounts.append(os.path.join(os.path.dirname(layout.memory_mount), "freezer"))
    folders = [mount + NAME for mount in mounts if os.path.isdir(mount)]
    try:
        for folder in folders:
            os.mkdir(folder)
        process = start("".join(f"open({folder + '/cgroup.procs'!r}, 'w').write('0')\n" for folder in folders))
    except OSError as error:
        pytest.skip(f"may not create a cgroup: {error}")
    yield process
    end(process)
    for folder in folders:
        if os.path.isdir(folder):
            os.rmdir(folder)


def ask(request: Request, *processes: int, **more: Any) -> Prepared:
    return prepare(request, context([facts(pid) for pid in processes], layout=find_layout(Root()), **more))


def refusal(request: Request, *processes: int, **more: Any) -> str | None:
    """Return why it is refused, None if it is not; a refused plan does nothing even when it is performed."""
    prepared = ask(request, *processes, **more)
    said = prepared.plan.refusal
    if said is not None:
        outcome = prepared.perform(print)
        assert (outcome.status, outcome.summary) == (Status.REFUSED, said)
    prepared.close()
    return said


@contextmanager
def untouched(pid: int) -> Iterator[None]:
    """Everything that any action could change of a process is the same afterwards."""

    def seen() -> list[bool | str]:
        found: list[bool | str] = [facts(pid).state in "Tt"]
        for name in ("oom_score_adj", "cgroup"):
            with open(f"/proc/{pid}/{name}") as file:
                found.append(file.read())
        return found

    before = seen()
    yield
    assert seen() == before


@of_process
def test_gone(child: subprocess.Popen[str], make: Callable[..., Request]) -> None:
    request = make(identity(child.pid))
    end(child)
    assert "already exited" in present(refusal(request))


@of_process
def test_a_reused_pid(child: subprocess.Popen[str], make: Callable[..., Request]) -> None:
    now = identity(child.pid)
    with untouched(child.pid):
        assert "now another process" in present(refusal(make(ProcessId(now.pid, now.start_time - 500)), child.pid))


@of_process
@pytest.mark.parametrize(
    ("pid", "words"),
    [(lambda: 1, "pid 1"), (os.getpid, "oomtop itself"), (os.getppid, "ancestor of oomtop")],
    ids=["init", "itself", "ancestor"],
)
def test_init_oomtop_itself_and_its_ancestors(make: Callable[..., Request], pid: Callable[[], int], words: str) -> None:
    with untouched(pid()):
        assert words in present(refusal(make(identity(pid())), pid()))


@of_process
def test_a_kernel_thread(make: Callable[..., Request]) -> None:
    if not os.path.exists("/proc/2/stat") or not facts(2).is_kernel_thread:
        pytest.skip("no kernel threads are seen here")
    with untouched(2):
        assert "kernel thread" in present(refusal(make(identity(2)), 2))


@of_process
def test_the_protected_list(child: subprocess.Popen[str], make: Callable[..., Request]) -> None:
    guard = Guard(protected=(facts(child.pid).comm,))
    request = make(identity(child.pid))
    with untouched(child.pid):
        assert "protected by your list" in present(refusal(request, child.pid, guard=guard))
        lifted = ask(make(identity(child.pid), override=True), child.pid, guard=guard)
        lifted.close()
    assert lifted.plan.refusal is None


@needs_root
@of_process
def test_a_process_of_another_user(child: subprocess.Popen[str], make: Callable[..., Request]) -> None:
    request = make(identity(child.pid))
    with untouched(child.pid):
        said = as_nobody(lambda: refusal(request, child.pid) or "no refusal")
    assert any(words in said for words in DENIED), said


@needs_root
@of_group
def test_a_group_of_another_user(group: subprocess.Popen[str], make: Callable[..., Request]) -> None:
    with untouched(group.pid):
        said = as_nobody(lambda: refusal(make(NAME), group.pid) or "no refusal")
    assert any(words in said for words in DENIED), said


@of_group
@pytest.mark.parametrize("path", ["/", "", "//"])
def test_the_root_group(make: Callable[..., Request], path: str) -> None:
    assert refusal(make(path)) in (
        "the root cgroup is the whole machine",
        "only groups made by oomtop can be dissolved",
        "no memory controller is mounted",
    )


@of_group
@pytest.mark.parametrize(
    "path",
    [f"{NAME}/../..", f"{NAME}/../../../etc", "/oomtop-x/..", "/oomtop-gone\n", "/oomtop-\0"],
    ids=["root", "etc", "up", "newline", "nul"],
)
def test_a_path_that_leads_elsewhere_or_nowhere(make: Callable[..., Request], path: str) -> None:
    said = present(refusal(make(path)))
    assert "cannot contain '..'" in said or "no such cgroup" in said or "no memory controller" in said


@of_group
def test_a_group_that_vanished_before_the_plan(make: Callable[..., Request]) -> None:
    assert "no such cgroup" in present(refusal(make(NAME))) or find_layout(Root()) is None


@of_group
def test_a_group_that_vanishes_between_plan_and_action(
    group: subprocess.Popen[str], make: Callable[..., Request]
) -> None:
    prepared = ask(make(NAME), group.pid)
    end(group)
    layout = present(find_layout(Root()))
    for mount in (layout.memory_mount, os.path.join(os.path.dirname(layout.memory_mount), "freezer")):
        if os.path.isdir(mount + NAME):
            os.rmdir(mount + NAME)
    outcome = prepared.perform(print)
    assert outcome.status in (Status.REFUSED, Status.FAILED)
    words = ("no longer exists", "already exited", "no such file", "only groups made by oomtop")
    assert any(text in outcome.summary for text in words), outcome


@pytest.mark.parametrize("name", ["kill", "freeze", "limit"])
def test_a_group_with_a_guarded_process(group: subprocess.Popen[str], name: str) -> None:
    make = OF_GROUP[name]
    protected = Guard(protected=(facts(group.pid).comm,))
    ancestor = Guard(lineage=(identity(os.getpid()), identity(group.pid)))
    with untouched(group.pid):
        assert "is in it: protected" in present(refusal(make(NAME), group.pid, guard=protected))
        assert "is in it: an ancestor of oomtop" in present(refusal(make(NAME), group.pid, guard=ancestor))
        lifted = ask(make(NAME, override=True), group.pid, guard=protected)
        lifted.close()
    assert lifted.plan.refusal is None


@needs_root
@pytest.mark.parametrize("name", OF_MACHINE)
def test_the_machine_without_the_right(name: str) -> None:
    said = as_nobody(lambda: refusal(OF_MACHINE[name]) or "no refusal")
    assert any(words in said for words in (*DENIED, "does not run systemd", "no memory controller")), said


def every_request() -> list[Request]:
    """One of each kind there is; a kind that is missing here fails the test below."""
    made: list[Request] = [make(ProcessId(4194303, 1)) for make in OF_PROCESS.values()]
    return [*made, *(make(NAME) for make in OF_GROUP.values()), *OF_MACHINE.values()]


@pytest.mark.parametrize("mode", [{"read_only": True}, {"replay": True}], ids=["read-only", "replay"])
def test_nothing_at_all_is_done_read_only_or_in_a_replay(mode: dict[str, Any]) -> None:
    every = every_request()
    assert {type(request) for request in every} == set(get_args(Request))
    guard = Guard(**mode)
    for request in every:
        assert refusal(request, guard=guard) == guard.mode_refusal(), request
        if any(field.name == "override" for field in fields(request)):
            values = {field.name: getattr(request, field.name) for field in fields(request)}
            lifted = type(request)(**(values | {"override": True}))
            assert refusal(lifted, guard=guard) == guard.mode_refusal(), request
