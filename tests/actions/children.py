"""Real processes to act on, and the context that a tick would give of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence

from oomtop.actions.base.context import ActionContext
from oomtop.actions.base.guard import Guard
from oomtop.actions.base.plan import Outcome
from oomtop.actions.base.requests import Request
from oomtop.host.meminfo import Meminfo
from oomtop.host.process import Process, ProcessId
from oomtop.host.process_scan import parse_stat
from oomtop.host.root import Root

GIB = 1 << 30
_READY = "import sys; print('ready', flush=True); "
_IDLE = "import signal\nwhile True: signal.pause()"


def start(code: str = "", *, stubborn: bool = False) -> subprocess.Popen[str]:
    """Start a Python child that has run `code` and waits for signals; `stubborn` ignores SIGTERM."""
    ignore = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" if stubborn else ""
    child = subprocess.Popen(
        [sys.executable, "-S", "-c", f"{ignore}{code}\n{_READY}\n{_IDLE}"], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    return child


def end(child: subprocess.Popen[str] | subprocess.Popen[bytes]) -> None:
    """End a child for good, whatever state it is in."""
    if child.poll() is None:
        child.send_signal(signal.SIGKILL)
        child.wait()
    if child.stdout is not None:
        child.stdout.close()


def facts(pid: int) -> Process:
    """Return what a scan would say of `pid`."""
    with open(f"/proc/{pid}/stat", "rb", buffering=0) as file:
        return parse_stat(file.read(), os.sysconf("SC_PAGE_SIZE"), os.sysconf("SC_CLK_TCK"))


def identity(pid: int) -> ProcessId:
    """Return the identity of `pid`."""
    return facts(pid).id


def context(processes: Sequence[Process] = (), guard: Guard | None = None, **more: object) -> ActionContext:
    """Return a context of these processes on the real machine."""
    values: dict[str, object] = {
        "processes": processes,
        "users": lambda uid: "root" if uid == 0 else str(uid),
        "units": lambda path: None,
        "guard": guard or Guard(),
        "root": Root(),
        "meminfo": Meminfo(4 * GIB, GIB),
    }
    return ActionContext(**(values | more))  # type: ignore[arg-type]


def undo_of(outcome: Outcome) -> Request:
    """Return the request that undoes what was done."""
    assert outcome.undo is not None
    return outcome.undo


def as_nobody(work: Callable[[], str]) -> str:
    """Run `work` in a forked child without any privilege and return what it says."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.setgroups([])
            os.setresgid(65534, 65534, 65534)
            os.setresuid(65534, 65534, 65534)
            os.write(writer, work().encode())
        except Exception as error:
            os.write(writer, repr(error).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        said = pipe.read()
    os.waitpid(pid, 0)
    return said
