"""Who is foreseen is who dies: processes of random number, size, page tables and adj in one limited cgroup."""

import json
import os
import random
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from oomtop.analysis.assessment import assess
from oomtop.history import History
from oomtop.host.cgroup import find_layout
from oomtop.host.root import Root
from oomtop.snapshot import Tick
from oomtop.sources.sampler import Sampler

TRIALS = 20
MIB = 1 << 20
# Forks one child per (MiB, MiB that only page tables span, adj); "push" lets the last one grow until somebody is killed.
LAUNCHER = """
import json, mmap, os, signal, sys, time
NORESERVE = 0x4000
signal.alarm(30)
procs, children = sys.argv[1], json.loads(sys.argv[2])
go_read, go_write = os.pipe()
up_read, up_write = os.pipe()
pids = []
for number, (size, span, adj) in enumerate(children):
    pid = os.fork()
    if pid == 0:
        signal.alarm(30)
        open(procs, "w").write(str(os.getpid()))
        open("/proc/self/oom_score_adj", "w").write(str(adj))
        held = mmap.mmap(-1, size << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        for at in range(0, size << 20, 4096):
            held[at] = 1
        # One page in 2 MiB: its page table costs as much as the page.
        wide = mmap.mmap(-1, (span << 20) + 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | NORESERVE)
        wide.madvise(mmap.MADV_NOHUGEPAGE)
        for at in range(0, span << 20, 2 << 20):
            wide[at] = 1
        os.write(up_write, b".")
        if number == len(children) - 1:
            os.read(go_read, 1)
            more = mmap.mmap(-1, 64 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
            for at in range(0, 64 << 20, 4096):
                more[at] = 1
                time.sleep(0.0001)
        signal.pause()
    pids.append(pid)
for _ in pids:
    os.read(up_read, 1)
print(json.dumps(pids), flush=True)
sys.stdin.readline()
os.write(go_write, b".")
dead, status = os.wait()
print(json.dumps([dead, status]), flush=True)
for pid in set(pids) - {dead}:
    os.kill(pid, signal.SIGKILL)
for _ in pids[1:]:
    os.wait()
"""


@pytest.fixture
def group():
    layout = find_layout(Root())
    if layout is None:
        pytest.skip("no memory cgroup controller is mounted")
    folder = Path(layout.memory_mount, f"oomtop-victims-{os.getpid()}")
    try:
        folder.mkdir()
    except OSError as error:
        pytest.skip(f"may not create a cgroup: {error}")
    folder_limit = folder / ("memory.limit_in_bytes" if layout.version == 1 else "memory.max")
    usage = folder / ("memory.usage_in_bytes" if layout.version == 1 else "memory.current")
    yield folder, folder_limit, usage
    for _ in range(100):
        try:
            folder.rmdir()
            return
        except OSError:
            time.sleep(0.05)


def foresee(sampler, path):
    """Return the victims of the group; the oldest history has one tick, as at the start of the monitor."""
    history, tick = History(), Tick(sampler.sample())
    history.add(tick)
    return next(figures.victims for figures in assess(tick, history).cgroups if figures.cgroup.path == path)


@pytest.fixture
def log():
    """The kernel log from now on, None where it may not be read."""
    try:
        descriptor = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        yield None
        return
    os.lseek(descriptor, 0, os.SEEK_END)
    yield descriptor
    os.close(descriptor)


def killed_first(log, pids, reaped):
    """Return who was killed first: a second one may die for the same lack, and be reaped before the first."""
    while log is not None:
        try:
            record = os.read(log, 8192)
        except BlockingIOError:
            break
        found = re.search(rb"Killed process (\d+)", record)
        if found is not None and int(found[1]) in pids:
            return int(found[1])
    return reaped


@pytest.mark.parametrize("trial", range(TRIALS))
def test_the_one_foreseen_is_killed(group, log, trial):
    folder, limit, usage = group
    dice = random.Random(trial)
    count = dice.randint(5, 50) if trial % 5 == 0 else dice.randint(5, 12)
    children = [
        (dice.randint(1, 16), dice.choice((0, 0, 512, 4096)), dice.choice((0, 0, 0, dice.randint(1, 1000))))
        for _ in range(count)
    ]
    children.append((1, 0, 0))
    command = [sys.executable, "-I", "-S", "-c", LAUNCHER, str(folder / "cgroup.procs"), json.dumps(children)]
    limit.write_text(str(2 << 30))
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as launcher:
        pids = json.loads(launcher.stdout.readline())
        limit.write_text(str((int(usage.read_text()) + 2 * MIB) // 4096 * 4096))
        sampler = Sampler()
        victims = foresee(sampler, f"/{folder.name}")
        sampler.close()
        launcher.stdin.write("\n")
        launcher.stdin.flush()
        dead, status = json.loads(launcher.stdout.readline())
    assert status == 9
    assert victims.candidates[0].id.pid in pids
    likely = [candidate.id.pid for candidate in victims.candidates[: 2 if victims.near_tie else 1]]
    assert killed_first(log, pids, dead) in likely
