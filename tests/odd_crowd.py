"""Processes of random number, size, page tables, adj and oddness in one cgroup, and who of them is foreseen to die."""

import json
import subprocess
import sys
from pathlib import Path
from random import Random

from oomtop.analysis.assessment import assess
from oomtop.analysis.model.assessment import Victims
from oomtop.history import History
from oomtop.snapshot import Tick
from oomtop.sources.sampler import Sampler
from tests.odd_processes import HAS_MACHINE_CODE, PRELUDE
from tests.present import present

# MiB, MiB that only page tables span, adj, kind.
Inhabitant = tuple[int, int, int, str]
ODD = ("dead_leader", "vfork", "clone_vm") if HAS_MACHINE_CODE else ("dead_leader",)
# Forks one child per (MiB, MiB that only page tables span, adj, kind); the last one grows until somebody is killed.
LAUNCHER = (
    PRELUDE
    + """
import json, signal, sys, time
NORESERVE = 0x4000
signal.alarm(120)
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
        signal.alarm(120)
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
    try:
        os.kill(int(pid), signal.SIGKILL)
    except ProcessLookupError:
        pass
for _ in pids[1:]:
    os.wait()
"""
)


def launch(children: list[Inhabitant], procs: str | Path) -> subprocess.Popen[str]:
    """Start the processes in the group of that `cgroup.procs`; a line on stdin lets the last of them grow."""
    command = [sys.executable, "-I", "-S", "-c", LAUNCHER, str(procs), json.dumps(children)]
    launcher = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    present(launcher.stdout).readline()
    return launcher


def let_grow(launcher: subprocess.Popen[str]) -> tuple[int, int]:
    """Let the last one grow, and return (pid, status) of the first that is reaped."""
    stdin = present(launcher.stdin)
    stdin.write("\n")
    stdin.flush()
    pid, status = json.loads(present(launcher.stdout).readline())
    return pid, status


def population(dice: Random, trial: int, most: int = 16) -> list[Inhabitant]:
    """Return who lives in the group of a trial: many in every fifth, and in every second one at least one is odd.

    All but that one hold at most `most` MiB.
    """
    count = dice.randint(5, 50) if trial % 5 == 0 else dice.randint(5, 12)
    adjs = (0, 0, 0, dice.randint(1, 1000), -dice.randint(1, 999))
    kinds = ("plain", "plain", *ODD) if trial % 2 else ("plain",)
    children = [
        (dice.randint(1, most), dice.choice((0, 0, 512, 4096)), dice.choice(adjs), dice.choice(kinds))
        for _ in range(count)
    ]
    if trial % 2:
        # An odd one that is large and so the first, or the one that must not be named.
        children[0] = (24, 0, dice.choice((0, 100)), dice.choice(ODD))
    return [*children, (1, 0, 0, "grows")]


def foresee(sampler: Sampler, path: str | None = None) -> tuple[Victims | None, dict[int, int]]:
    """Return the victims of the group, None for the machine, and who is in it by task; it is the first tick ever."""
    history, tick = History(), Tick(sampler.sample())
    history.add(tick)
    seen = assess(tick, history)
    groups = {figures.cgroup.path: figures.victims for figures in seen.cgroups}
    # The kernel names the thread that lives on where the main thread has ended.
    members = [process for process in tick.snapshot.processes if path is None or process.cgroup == path]
    tasks = {process.thread or process.pid: process.pid for process in members}
    return seen.victims if path is None else groups[path], tasks


def likely(victims: Victims) -> set[int]:
    """Return the pids of which one is the kernel's choice: more than one with shared memory, and in a near tie."""
    first = present(victims.first).badness
    near = [each.id.pid for each in victims.candidates if first - each.badness <= abs(first) * 0.01]
    return {identity.pid for identity in victims.dying} | set(near if victims.near_tie else ())
