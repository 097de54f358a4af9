"""Drills on the real machine: they end as they say, leave nothing, and do not start where they could hurt."""

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from oomtop.actions.base.context import ActionContext, context_of
from oomtop.actions.base.guard import Guard
from oomtop.actions.base.requests import DrillKind, DrillRequest
from oomtop.actions.drill.group import remove_leftovers
from oomtop.actions.drill.plan import prepare_drill
from oomtop.host.cgroup import find_layout
from oomtop.host.root import Root
from oomtop.sources.sampler import Sampler
from tests.present import present

LAYOUT = find_layout(Root())
needs_groups = pytest.mark.skipif(
    LAYOUT is None or not os.access(LAYOUT.memory_mount, os.W_OK) or os.geteuid() != 0, reason="may not make a cgroup"
)
OOMTOP = [sys.executable, "-m", "oomtop"]


@pytest.fixture(scope="module")
def context() -> Iterator[ActionContext]:
    sampler = Sampler()
    yield context_of(sampler.sample(), Guard(), Root())
    sampler.close()


def groups() -> set[str]:
    assert LAYOUT is not None
    return {folder.name for folder in Path(LAYOUT.memory_mount).glob("oomtop-drill-*")}


def refusal(context: ActionContext, size: int, kind: DrillKind = DrillKind.LEAK) -> str | None:
    return prepare_drill(DrillRequest(kind, size), context).plan.refusal


@needs_groups
def test_it_is_refused_without_twice_the_room(context: ActionContext) -> None:
    small = replace(context, meminfo=replace(context.meminfo, mem_available=199 << 20), cgroups=())
    assert "needs twice that to spare; 199M is free" in present(refusal(small, 100 << 20))
    assert refusal(replace(small, meminfo=replace(small.meminfo, mem_available=200 << 20)), 100 << 20) is None
    assert "too small" in present(refusal(context, 1 << 20))


@needs_groups
def test_it_is_refused_in_a_container_without_room(context: ActionContext) -> None:
    group = next(group for group in context.cgroups if group.path == "/")
    tight = replace(context, cgroups=(replace(group, max=300 << 20, current=150 << 20),))
    assert "150M is free" in present(refusal(tight, 100 << 20))


@needs_groups
def test_a_cache_of_files_in_memory_is_refused(context: ActionContext, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", "/dev/shm")
    if Path("/dev/shm").is_mount():
        assert "is on tmpfs" in present(refusal(context, 64 << 20, DrillKind.CACHE))


def test_without_the_right_or_in_read_only_mode_nothing_starts(context: ActionContext) -> None:
    assert "read-only" in present(refusal(replace(context, guard=Guard(read_only=True)), 64 << 20))
    assert "no memory controller" in present(refusal(replace(context, layout=None), 64 << 20))


@needs_groups
@pytest.mark.parametrize(("kind", "end"), [("surge", "killed"), ("swarm", "killed"), ("fragment", "time is up")])
def test_a_drill_ends_as_it_says_and_leaves_nothing(kind: str, end: str) -> None:
    words = [kind, "--size", "64M", "--rate", "256M", "--seconds", "3" if end == "killed" else "0.5", "--yes", "--json"]
    done = subprocess.run([*OOMTOP, "drill", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert (said["schema"], said["status"], said["end"]) == (1, "done", end)
    assert "limit 64.0M" in done.stderr
    assert (said["pids"] != []) == (end == "killed")
    group = next(line.split()[0] for line in done.stderr.splitlines() if line.endswith("is removed"))
    assert group[1:] not in groups()


@needs_groups
def test_killed_in_the_middle_it_leaves_no_process_and_no_group() -> None:
    drill = subprocess.Popen(
        [*OOMTOP, "drill", "leak", "--size", "64M", "--rate", "1M", "--yes"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    assert drill.stderr is not None
    words = drill.stderr.readline().split()
    load, name = int(words[4]), words[6].decode().strip("/,")
    assert name in groups()
    descriptor = os.pidfd_open(load)
    drill.send_signal(signal.SIGKILL)
    # The end of the sweeper's standard error is its end: load, sweeper and drill share the pipe.
    drill.stderr.read()
    drill.wait()
    drill.stderr.close()
    # Readable when it has ended, also while nobody has reaped it; select() takes no descriptor above 1023.
    ended = select.poll()
    ended.register(descriptor, select.POLLIN)
    assert ended.poll(10_000)
    os.close(descriptor)
    assert name not in groups()


@needs_groups
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_told_to_end_it_says_so_and_leaves_nothing(number: signal.Signals, tmp_path: Path) -> None:
    drill = subprocess.Popen(
        [*OOMTOP, "drill", "leak", "--size", "64M", "--rate", "1M", "--yes", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "OOMTOP_AUDIT_LOG": str(tmp_path / "audit.jsonl")},
    )
    assert drill.stderr is not None
    # The plan comes before the load.
    line = next(line for line in drill.stderr if b"runs as pid" in line)
    name = line.split()[6].decode().strip("/,")
    drill.send_signal(number)
    said = json.loads(drill.communicate(timeout=20)[0])
    assert (drill.returncode, said["end"], said["pids"]) == (0, "stopped", [])
    assert name not in groups()
    phases = [json.loads(line)["phase"] for line in (tmp_path / "audit.jsonl").read_text().splitlines()]
    assert phases == ["start", "end"]


@needs_groups
def test_an_empty_group_of_a_dead_drill_is_removed_by_the_next() -> None:
    assert LAYOUT is not None
    gone = subprocess.Popen(["true"])
    gone.wait()
    dead, mine = (Path(LAYOUT.memory_mount, f"oomtop-drill-{pid}") for pid in (gone.pid, os.getpid()))
    dead.mkdir()
    mine.mkdir()
    try:
        assert f"/{dead.name}" in remove_leftovers(LAYOUT)
        assert not dead.exists()
        assert mine.exists()
    finally:
        mine.rmdir()
