"""The number of a process given to another one on purpose, 1,000 times: the wrong process is never signalled."""

import subprocess
import sys
from pathlib import Path

import pytest

from oomtop.host.privileges import Capability, has_capability

TRIES = 1000
_SCRIPT = """
import ctypes, os, signal, sys, time
sys.path.insert(0, {root!r})
libc = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNS, CLONE_NEWPID, MS_REC, MS_PRIVATE = 0x20000, 0x20000000, 0x4000, 1 << 18
if libc.unshare(CLONE_NEWNS | CLONE_NEWPID):
    sys.exit(77)
first = os.fork()
if first:
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(first, 0)[1]))
libc.mount(None, b"/", None, MS_REC | MS_PRIVATE, None)
if libc.mount(b"proc", b"/proc", b"proc", 0, None):
    sys.exit(77)
from tests.actions.children import context, facts
from oomtop.actions.base.guard import Guard
from oomtop.actions.process.kill import prepare_kill
from oomtop.actions.base.plan import Status
from oomtop.actions.base.requests import KillRequest

def idle(number=None):
    if number is not None:
        with open("/proc/sys/kernel/ns_last_pid", "w") as file:
            file.write(str(number - 1))
    pid = os.fork()
    if pid == 0:
        os.close(1)
        while True:
            signal.pause()
    return pid

def bury(pid):
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)

reused = wrong = signalled = 0
tick = 1 / os.sysconf("SC_CLK_TCK")
guard = Guard(lineage=())
BATCH = 50
for batch in range({tries} // BATCH):
    firsts = [idle() for _ in range(BATCH)]
    known = [facts(pid) for pid in firsts]
    # A process that a tick has seen is a clock tick older than whoever gets its number.
    time.sleep(2 * tick)
    for at, (pid, process) in enumerate(zip(firsts, known)):
        request = KillRequest((process.id,), signal.SIGKILL, patience=0.0)
        if at % 2:
            # Reused between the tick and the plan.
            bury(pid)
            other = idle(pid)
            prepared = prepare_kill(request, context([process], guard))
        else:
            # Reused between the plan and the signal.
            prepared = prepare_kill(request, context([process], guard))
            assert prepared.plan.refusal is None, prepared.plan.refusal
            bury(pid)
            other = idle(pid)
        reused += other == pid
        outcome = prepared.perform(lambda text: None)
        signalled += outcome.status is not Status.REFUSED
        wrong += os.waitpid(other, os.WNOHANG)[0] != 0
        bury(other)
print(reused, wrong, signalled)
"""


@pytest.mark.skipif(not has_capability(Capability.SYS_ADMIN), reason="needs CAP_SYS_ADMIN for a pid namespace")
def test_the_wrong_process_is_never_signalled() -> None:
    script = _SCRIPT.format(root=str(Path(__file__).parents[3]), tries=TRIES)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False)
    if done.returncode == 77:
        pytest.skip("no pid namespace here")
    assert done.returncode == 0, done.stderr
    reused, wrong, signalled = map(int, done.stdout.split())
    assert (reused, wrong, signalled) == (TRIES, 0, 0)
