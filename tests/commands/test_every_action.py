"""Every action as a command: what it ends with, and that nothing is written where nothing may be."""

import importlib
import os
import pkgutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

import oomtop
from oomtop import cli
from oomtop.analysis.settings.table import SETTINGS
from oomtop.host.cgroup import find_layout
from oomtop.host.root import Root
from tests.actions.children import as_nobody
from tests.present import present

MIB = 1 << 20
NAME = f"oomtop-every-{os.getpid()}"
SWAP = f"/var/tmp/{NAME}"
ACTIONS = {
    "kill": "kill PID",
    "kill a group": f"kill --cgroup {NAME}",
    "protect": "protect PID --adj 300",
    "protect a unit": "protect --unit none.service",
    "freeze": "freeze PID",
    "freeze a group": f"freeze --cgroup {NAME}",
    "thaw": "thaw PID",
    "thaw a group": f"thaw --cgroup {NAME}",
    "limit": f"limit {NAME} --max 512M",
    "move": f"limit {NAME}-new --max 512M --move PID",
    "page out": "reclaim PID",
    "reclaim": f"reclaim --cgroup {NAME}",
    "swap file": f"swap add {SWAP} 2M --persist",
    "zram": "swap zram 2M",
    "swapoff": "swap off /nothing --remove",
    "sysctl": "sysctl swappiness 7 --persist",
    "drop caches": "drop-caches",
    "compact": "compact",
    "drill": "drill leak --size 64M --seconds 1",
}
every_action = pytest.mark.parametrize("words", ACTIONS.values(), ids=ACTIONS)


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    """A process in a group of its own, in the memory hierarchy and in v1's freezer."""
    layout = find_layout(Root())
    process = subprocess.Popen(["sleep", "1000"])
    mounts = [] if layout is None else [layout.memory_mount]
    if layout is not None and layout.version == 1:
        mounts.append(os.path.join(os.path.dirname(layout.memory_mount), "freezer"))
    folders = [f"{mount}/{NAME}" for mount in mounts if os.access(mount, os.W_OK)]
    if not folders:
        process.kill()
        process.wait()
        pytest.skip("may not create a cgroup")
    for folder in folders:
        os.mkdir(folder)
        with open(f"{folder}/cgroup.procs", "w") as file:
            file.write(str(process.pid))
    yield process
    process.kill()
    process.wait()
    for folder in folders:
        os.rmdir(folder)


def argv(words: str, child: subprocess.Popen[bytes]) -> list[str]:
    return [str(child.pid) if word == "PID" else word for word in words.split()]


def run(
    words: str, child: subprocess.Popen[bytes], *more: str, before: Sequence[str] = ()
) -> subprocess.CompletedProcess[str]:
    arguments = [sys.executable, "-m", "oomtop", *before, *argv(words, child), *more]
    return subprocess.run(arguments, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)


def machine(child: subprocess.Popen[bytes]) -> dict[str, Any]:
    """Return everything that one of the commands could change."""
    layout = present(find_layout(Root()))
    files = [setting.file for setting in SETTINGS]
    files += [f"/proc/{child.pid}/{name}" for name in ("oom_score_adj", "cgroup")]
    files += ["/proc/swaps", "/etc/fstab", "/etc/sysctl.d/60-oomtop.conf"]
    for mount in {layout.memory_mount, os.path.join(os.path.dirname(layout.memory_mount), "freezer")}:
        names = ("memory.max", "memory.high", "memory.low", "memory.limit_in_bytes", "cgroup.freeze", "freezer.state")
        files += [f"{mount}/{NAME}/{name}" for name in names]
    found: dict[str, Any] = {}
    for file in files:
        if os.path.exists(file):
            with open(file) as text:
                found[file] = text.read()
    with open(f"/proc/{child.pid}/stat") as text:
        found["stands"] = text.read().rsplit(")", 1)[1].split()[0] in "Tt"
    found["made"] = [path for path in (SWAP, f"{layout.memory_mount}/oomtop-{NAME}-new") if os.path.lexists(path)]
    return found


@every_action
def test_a_dry_run_writes_nothing_at_all(child: subprocess.Popen[bytes], words: str) -> None:
    before = machine(child)
    done = run(words, child, "--dry-run")
    assert done.returncode == (4 if "refused: " in done.stdout else 0), done.stderr
    assert "Traceback" not in done.stderr
    assert machine(child) == before
    assert not os.path.exists(os.environ["OOMTOP_AUDIT_LOG"])


@every_action
def test_read_only_refuses(child: subprocess.Popen[bytes], words: str) -> None:
    before = machine(child)
    done = run(words, child, "--yes", before=["--read-only"])
    assert (done.returncode, "--read-only" in done.stdout) == (4, True), done.stdout + done.stderr
    assert machine(child) == before
    assert not os.path.exists(os.environ["OOMTOP_AUDIT_LOG"])


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
@every_action
def test_a_user_without_rights_is_refused(child: subprocess.Popen[bytes], words: str) -> None:
    # Imported before: this user may not be able to read the interpreter's files.
    for module in pkgutil.walk_packages(oomtop.__path__, "oomtop."):
        if not module.name.startswith(("oomtop.tui", "oomtop.__main__")):
            importlib.import_module(module.name)
    before = machine(child)
    command = [*argv(words, child), "--yes"]
    assert as_nobody(lambda: str(cli.run(command))) == "4"
    assert machine(child) == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may do all of these")
def test_what_is_done_ends_with_0_and_what_is_undone_too(child: subprocess.Popen[bytes]) -> None:
    before = machine(child)
    for name in ("protect", "freeze", "freeze a group", "limit", "move"):
        done = run(ACTIONS[name], child, "--yes")
        assert (done.returncode, "\ndone: " in done.stdout) == (0, True), (name, done.stdout, done.stderr)
        assert machine(child) != before, name
        undone = run("undo", child, "--yes")
        assert (undone.returncode, "\ndone: " in undone.stdout) == (0, True), (name, undone.stdout, undone.stderr)
        assert machine(child) == before, name
    assert run(ACTIONS["kill a group"], child, "--yes").returncode == 0
    assert child.wait() == -9


def test_an_undo_shown_or_refused_takes_nothing_back(child: subprocess.Popen[bytes]) -> None:
    assert run(ACTIONS["protect"], child, "--yes").returncode == 0
    before = machine(child)
    with open(os.environ["OOMTOP_AUDIT_LOG"]) as file:
        log = file.read()
    assert run("undo", child, "--dry-run").returncode == 0
    assert run("undo", child, "--yes", before=["--read-only"]).returncode == 4
    assert run("undo", child).returncode == 4
    with open(os.environ["OOMTOP_AUDIT_LOG"]) as file:
        assert file.read() == log
    assert machine(child) == before
