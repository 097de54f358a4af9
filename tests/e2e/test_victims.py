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
from tests.odd_processes import HAS_MACHINE_CODE, PRELUDE

TRIALS = int(os.environ.get("OOMTOP_VICTIM_TRIALS", "20"))
"""A long run: `OOMTOP_VICTIM_TRIALS=200 pytest tests/e2e/test_victims.py`."""
MIB = 1 << 20
ODD = ("dead_leader", "vfork", "clone_vm") if HAS_MACHINE_CODE else ("dead_leader",)
# Forks one child per (MiB, MiB that only page tables span, adj, kind); the last one grows until somebody is killed.
LAUNCHER = (
    PRELUDE
    + """
import json, signal, sys, time
NORESERVE = 0x4000
signal.alarm(30)
procs, children = sys.argv[1], json.loads(sys.argv[2])
go_read, go_write = os.pipe()
up_read, up_write = os.pipe()
pids = []

def ready():
    os.write(up_write, b".")

def take(size, span):
    held = mmap.mmap(-1, size << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    for at in range(0, size << 20, 4096):
        held[at] = 1
    # One page in 2 MiB: its page table costs as much as the page.
    wide = mmap.mmap(-1, (span << 20) + 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | NORESERVE)
    wide.madvise(mmap.MADV_NOHUGEPAGE)
    for at in range(0, span << 20, 2 << 20):
        wide[at] = 1
    return held, wide

def grow():
    os.read(go_read, 1)
    more = mmap.mmap(-1, 64 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    for at in range(0, 64 << 20, 4096):
        more[at] = 1
        time.sleep(0.0001)

def idle():
    ready()
    threading.Event().wait()

def live(kind):
    if kind == "dead_leader":
        end_main_thread(idle)
    if kind == "vfork":
        vfork()
    if kind == "clone_vm":
        clone_vm()
    if kind == "grows":
        ready()
        grow()
    idle()

def children_of(pid):
    return open(f"/proc/{pid}/task/{pid}/children").read()

for size, span, adj, kind in children:
    pid = os.fork()
    if pid == 0:
        signal.alarm(30)
        open(procs, "w").write(str(os.getpid()))
        open("/proc/self/oom_score_adj", "w").write(str(adj))
        everything = take(size, span)
        live(kind)
    pids.append(pid)
for pid, (_, _, _, kind) in zip(pids, children):
    # The vfork child is the sign of its parent, which waits for it.
    if kind == "vfork":
        while not children_of(pid):
            os.sched_yield()
    else:
        os.read(up_read, 1)
print(json.dumps(pids), flush=True)
sys.stdin.readline()
os.write(go_write, b".")
dead, status = os.wait()
print(json.dumps([dead, status]), flush=True)
for pid in open(procs).read().split():
    os.kill(int(pid), signal.SIGKILL)
for _ in pids[1:]:
    os.wait()
"""
)


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
    """Return the victims of the group and who is in it by task; the oldest history has one tick, as at the start."""
    history, tick = History(), Tick(sampler.sample())
    history.add(tick)
    victims = next(figures.victims for figures in assess(tick, history).cgroups if figures.cgroup.path == path)
    members = [process for process in tick.snapshot.processes if process.cgroup == path]
    # The kernel names the thread that lives on where the main thread has ended.
    return victims, {process.thread or process.pid: process.pid for process in members}


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


def killed_first(log, tasks, reaped):
    """Return who was killed first: a second one may die for the same lack, and be reaped before the first."""
    while log is not None:
        try:
            record = os.read(log, 8192)
        except BlockingIOError:
            break
        found = re.search(rb"Killed process (\d+)", record)
        if found is not None and int(found[1]) in tasks:
            return tasks[int(found[1])]
    return reaped


def population(dice, trial):
    """Return who lives in the group of a trial: many in every fifth, and in every second one at least one is odd."""
    count = dice.randint(5, 50) if trial % 5 == 0 else dice.randint(5, 12)
    adjs = (0, 0, 0, dice.randint(1, 1000), -dice.randint(1, 999))
    kinds = ("plain", "plain", *ODD) if trial % 2 else ("plain",)
    children = [
        (dice.randint(1, 16), dice.choice((0, 0, 512, 4096)), dice.choice(adjs), dice.choice(kinds))
        for _ in range(count)
    ]
    if trial % 2:
        # An odd one that is large and so the first, or the one that must not be named.
        children[0] = (24, 0, dice.choice((0, 100)), dice.choice(ODD))
    return [*children, (1, 0, 0, "grows")]


@pytest.mark.parametrize("trial", range(TRIALS))
def test_the_one_foreseen_is_killed(group, log, trial):
    folder, limit, usage = group
    children = population(random.Random(trial), trial)
    command = [sys.executable, "-I", "-S", "-c", LAUNCHER, str(folder / "cgroup.procs"), json.dumps(children)]
    limit.write_text(str(2 << 30))
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as launcher:
        json.loads(launcher.stdout.readline())
        limit.write_text(str((int(usage.read_text()) + 2 * MIB) // 4096 * 4096))
        sampler = Sampler()
        victims, tasks = foresee(sampler, f"/{folder.name}")
        sampler.close()
        launcher.stdin.write("\n")
        launcher.stdin.flush()
        dead, status = json.loads(launcher.stdout.readline())
    assert status == 9
    likely = {identity.pid for identity in victims.dying}
    if victims.near_tie:
        likely |= {candidate.id.pid for candidate in victims.candidates if is_near(victims, candidate)}
    assert killed_first(log, tasks, dead) in likely


def is_near(victims, candidate):
    """Whether the choice may fall on a candidate as well."""
    first = victims.first.badness
    return first - candidate.badness <= abs(first) * 0.01
