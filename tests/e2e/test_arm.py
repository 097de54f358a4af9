"""`oomtop arm` on real groups: the action comes before the kill, once, and on nobody else."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.test_schemas import hold
from tests.present import present

MOUNT = Path("/sys/fs/cgroup/memory")
OOMTOP = [sys.executable, "-m", "oomtop", "arm"]
GROW = """
import mmap, os, sys, time
open(sys.argv[1] + "/cgroup.procs", "w").write(str(os.getpid()))
print("in", flush=True)
sys.stdin.readline()
held, rate, begun = [], int(sys.argv[2]) << 20, time.monotonic()
while True:
    held.append(mmap.mmap(-1, 1 << 20))
    held[-1].write(b"x" * (1 << 20))
    time.sleep(max(0.0, begun + len(held) * (1 << 20) / rate - time.monotonic()))
"""
pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not os.access(MOUNT, os.W_OK), reason="needs a memory cgroup of version 1 and root"
)


@pytest.fixture
def group() -> Iterator[tuple[Path, subprocess.Popen[str]]]:
    folder = MOUNT / f"oomtop-arm-{os.getpid()}"
    folder.mkdir()
    (folder / "memory.limit_in_bytes").write_text("300M")
    grower = subprocess.Popen([sys.executable, "-c", GROW, str(folder), "60"], stdin=-1, stdout=-1, text=True)
    assert present(grower.stdout).readline() == "in\n"
    yield folder, grower
    grower.kill()
    grower.communicate()
    end = time.monotonic() + 20
    while time.monotonic() < end:
        try:
            return folder.rmdir()
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"{folder} is in use")


def armed(*words: str) -> subprocess.Popen[str]:
    """Start the command and wait until it is armed."""
    process = subprocess.Popen([*OOMTOP, *words, "--yes"], stdout=-1, stderr=-1, text=True)
    for line in present(process.stderr):
        if line.startswith("armed"):
            return process
    raise AssertionError(present(process.stdout).read())


def kills(folder: Path) -> int:
    words = (folder / "memory.oom_control").read_text().split()
    return int(words[words.index("oom_kill") + 1])


def test_the_freeze_comes_before_the_kill(group: tuple[Path, subprocess.Popen[str]]) -> None:
    folder, grower = group
    armer = armed("freeze", str(grower.pid), "--before", "1.5")
    present(grower.stdin).write("\n")
    present(grower.stdin).flush()
    out, _ = armer.communicate(timeout=60)
    assert armer.returncode == 0, out
    assert "is stopped" in out
    assert Path(f"/proc/{grower.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
    assert kills(folder) == 0


def test_the_outcome_is_json(group: tuple[Path, subprocess.Popen[str]]) -> None:
    folder, grower = group
    armer = armed("freeze", str(grower.pid), "--before", "1.5", "--json")
    present(grower.stdin).write("\n")
    present(grower.stdin).flush()
    said = json.loads(armer.communicate(timeout=60)[0])
    hold("action", said)
    assert said["condition"] == f"1.5 s before /{folder.name} is full, within 3600 s"
    assert (said["status"], said["disarmed"]) == ("done", None)
    (action,) = said["actions"]
    assert [target["pid"] for target in action["targets"]] == [grower.pid]
    assert action["outcome"]["can_undo"]


def test_why_it_was_disarmed_is_json(group: tuple[Path, subprocess.Popen[str]]) -> None:
    armer = armed("freeze", str(group[1].pid), "--for", "1", "--json")
    said = json.loads(armer.communicate(timeout=60)[0])
    hold("action", said)
    assert (said["status"], said["disarmed"], said["actions"][0]["outcome"]) == ("planned", "1 s are over", None)


def test_the_limit_is_raised_once(group: tuple[Path, subprocess.Popen[str]]) -> None:
    folder, grower = group
    armer = armed("limit", "--cgroup", f"/{folder.name}", "--before", "1.5", "--size", "200M")
    present(grower.stdin).write("\n")
    present(grower.stdin).flush()
    armer.communicate(timeout=60)
    grower.send_signal(signal.SIGSTOP)
    assert armer.returncode == 0
    assert int((folder / "memory.limit_in_bytes").read_text()) == 500 << 20


@pytest.mark.parametrize("how", ["told to end", "the target has ended", "1 s are over"])
def test_it_is_disarmed(group: tuple[Path, subprocess.Popen[str]], how: str) -> None:
    _, grower = group
    armer = armed("freeze", str(grower.pid), "--for", "1" if how == "1 s are over" else "60")
    if how == "told to end":
        armer.send_signal(signal.SIGTERM)
    elif how == "the target has ended":
        grower.kill()
    out, _ = armer.communicate(timeout=60)
    assert armer.returncode == 0
    assert out.endswith(f"disarmed, nothing was done: {how}\n")


def test_without_a_yes_nothing_is_armed(group: tuple[Path, subprocess.Popen[str]]) -> None:
    folder, grower = group
    done = subprocess.run([*OOMTOP, "term", str(grower.pid), "--dry-run"], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert f"when: 5 s before /{folder.name} is full, within 3600 s" in done.stdout
    done = subprocess.run([*OOMTOP, "freeze", "1"], capture_output=True, text=True, stdin=-3, check=False)
    assert done.returncode == 4


@pytest.mark.parametrize(("watched", "where"), [("machine", "the machine"), (None, "/{name}")])
def test_the_limit_to_watch_can_be_named(
    group: tuple[Path, subprocess.Popen[str]], watched: str | None, where: str
) -> None:
    folder, grower = group
    words = ["freeze", str(grower.pid), "--dry-run", *(["--watch", watched] if watched else [])]
    done = subprocess.run([*OOMTOP, *words], capture_output=True, text=True, check=False)
    assert f"before {where.format(name=folder.name)} is full" in done.stdout


def test_pid_1_is_armed_for_with_the_override_only() -> None:
    for words, code in (((), 4), (("--override",), 0)):
        command = [*OOMTOP, "freeze", "1", "--dry-run", *words]
        assert subprocess.run(command, capture_output=True, check=False).returncode == code
