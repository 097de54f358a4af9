"""The guard matches every name of a process, and is asked again at the moment of acting."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from oomtop.actions.base.guard import Guard
from oomtop.actions.base.plan import Status
from oomtop.actions.base.requests import (
    AdjustRequest,
    FreezeCgroupRequest,
    FreezeRequest,
    KillCgroupRequest,
    KillRequest,
    Request,
)
from oomtop.actions.dispatch import prepare
from oomtop.host.cgroup import find_layout
from oomtop.host.root import Root
from tests.actions.children import context, end, facts, identity
from tests.present import present

LONG = "my-very-long-daemon-name"
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="makes groups and changes users")
_OBEY = """
import os, sys
print("ready", flush=True)
for line in sys.stdin:
    exec(line)
    print("done", flush=True)
"""


class Obeying:
    """A child that runs the lines it is sent."""

    def __init__(self) -> None:
        self.child = subprocess.Popen(
            [sys.executable, "-S", "-c", _OBEY], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert present(self.child.stdout).readline() == "ready\n"
        self.pid = self.child.pid

    def tell(self, line: str) -> None:
        present(self.child.stdin).write(line + "\n")
        present(self.child.stdin).flush()
        assert present(self.child.stdout).readline().strip() in ("ready", "done")


@pytest.fixture
def child() -> Iterator[Obeying]:
    made = Obeying()
    yield made
    present(made.child.stdin).close()
    end(made.child)


@pytest.fixture
def unit() -> Iterator[Path]:
    """A group that systemd would take for the one of a unit."""
    layout = find_layout(Root())
    if layout is None or not os.access(layout.memory_mount, os.W_OK):
        pytest.skip("needs a hierarchy to write to")
    folder = Path(layout.memory_mount, f"guarded-{os.getpid()}.service")
    folder.mkdir()
    yield folder
    for pid in (folder / "cgroup.procs").read_text().split():
        Path(layout.memory_mount, "cgroup.procs").write_text(pid)
    folder.rmdir()


def _exec(title: str) -> str:
    # Another program, then one that obeys as well.
    return f"os.execv(sys.executable, [{title!r}, '-S', '-c', {_OBEY!r}])"


CHANGES = {
    "runs another program": (["important*"], _exec("important-daemon")),
    "has another command line": (
        ["*--important*"],
        f"os.execv(sys.executable, [sys.executable, '-S', '-c', {_OBEY!r}, '--important'])",
    ),
    "has another name": (["renamed"], "open('/proc/self/comm', 'w').write('renamed')"),
    "has another user": (["65534"], "os.setresuid(65534, 65534, 65534)"),
}


@root_only
@pytest.mark.parametrize("change", [*CHANGES, "is in another group"])
@pytest.mark.parametrize("kind", ["kill", "adjust", "freeze"])
def test_what_it_has_become_is_asked_for_when_it_is_acted_on(
    child: Obeying, unit: Path, change: str, kind: str
) -> None:
    protected, line = CHANGES.get(change, ([unit.name], f"open('{unit}/cgroup.procs', 'w').write(str(os.getpid()))"))
    target = identity(child.pid)
    known = replace(facts(child.pid), euid=0, command=f"{sys.executable} -S")
    guard = Guard(tuple(protected), users=str)
    requests: dict[str, Request] = {
        "kill": KillRequest((target,), 9),
        "adjust": AdjustRequest((target,), 300),
        "freeze": FreezeRequest((target,)),
    }
    prepared = prepare(requests[kind], context([known], guard))
    assert prepared.plan.refusal is None
    child.tell(line)
    outcome = prepared.perform(lambda text: None)
    assert outcome.status is Status.REFUSED
    assert "protected by your list" in outcome.summary
    assert "exited" not in outcome.summary
    assert facts(child.pid).state not in "TZ"
    assert Path(f"/proc/{child.pid}/oom_score_adj").read_text() == Path("/proc/self/oom_score_adj").read_text()


@root_only
@pytest.mark.parametrize("kind", ["kill", "freeze"])
def test_who_came_into_the_group_is_asked_for_when_it_is_acted_on(child: Obeying, unit: Path, kind: str) -> None:
    layout = present(find_layout(Root()))
    freezer = unit if layout.version == 2 else Path(os.path.dirname(layout.memory_mount), "freezer", unit.name)
    if kind == "freeze" and layout.version == 1:
        freezer.mkdir()
    other = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(60)"])
    try:
        target = freezer if kind == "freeze" else unit
        (target / "cgroup.procs").write_text(str(other.pid))
        guard = Guard(("renamed",))
        request = (KillCgroupRequest if kind == "kill" else FreezeCgroupRequest)(f"/{unit.name}")
        prepared = prepare(request, context([facts(other.pid)], guard, layout=layout))
        assert prepared.plan.refusal is None
        child.tell("open('/proc/self/comm', 'w').write('renamed')")
        (target / "cgroup.procs").write_text(str(child.pid))
        outcome = prepared.perform(lambda text: None)
        if layout.version == 2 or kind == "freeze":
            assert outcome.status is Status.REFUSED
            assert "protected by your list" in outcome.summary
        assert child.child.poll() is None
    finally:
        other.kill()
        other.wait()
        if freezer.exists() and freezer != unit:
            for pid in (freezer / "cgroup.procs").read_text().split():
                Path(freezer.parent, "cgroup.procs").write_text(pid)
            freezer.rmdir()


@pytest.fixture
def titled(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A program with a long name under another title."""
    program = tmp_path / LONG
    shutil.copy("/bin/sleep", program)
    made = subprocess.Popen(["other title", "60"], executable=str(program))
    yield made
    made.kill()
    made.wait()


@pytest.mark.parametrize(
    "pattern",
    [LONG, "my-very-long-*", f"*/{LONG}", "other title 60", "*title*", "my-very-long-da", "nob*", "web.service"],
)
def test_a_pattern_fits_any_name_of_a_process(titled: subprocess.Popen[bytes], pattern: str) -> None:
    known = replace(facts(titled.pid), euid=os.geteuid(), command="other title 60", cgroup="/system.slice/web.service")
    guard = Guard((pattern,), users=lambda uid: "nobody")
    assert guard.refusal(known) == f"protected by your list ({pattern})"


@pytest.mark.parametrize("pattern", ["my-very-long-daemon", "other tit", "web", "ssh.service", "root", f"{LONG}-2"])
def test_a_pattern_of_something_else_does_not_fit(titled: subprocess.Popen[bytes], pattern: str) -> None:
    known = replace(
        facts(titled.pid), euid=os.geteuid(), command="other title 60",
        cgroup="/docker/" + "a" * 64 + "/system.slice/ssh.service",
    )  # fmt: skip
    assert Guard((pattern,), users=lambda uid: "nobody").refusal(known) is None


def test_a_name_that_the_kernel_cut_is_taken_for_the_one_that_is_meant() -> None:
    known = replace(facts(os.getpid()), comm=LONG[:15], command=None)
    guard = Guard((LONG,), lineage=(), root=Root("/nonexistent"))
    assert guard.refusal(known) == f"protected by your list ({LONG})"
