"""`ProcessHandle`: one process, held by a pidfd and its `/proc` folder so that a reused pid is never hit.

pidfd_open(2) (5.3+), process_mrelease(2) (5.15+).  Access through the folder of a process that is
gone fails with ESRCH, and so does a signal through its pidfd, even if the pid was reused.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import resource
import signal
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from oomtop.actions.base.context import ActionContext
from oomtop.actions.base.errno_text import in_words
from oomtop.actions.base.guard import Guard
from oomtop.errors import ActionRefused, NothingLeft, ParseError
from oomtop.frozen import replace
from oomtop.host.cmdline import parse_cmdline
from oomtop.host.living_thread import has_dead_leader, with_living_thread
from oomtop.host.process import Process, ProcessId
from oomtop.host.process_scan import parse_stat, parse_status
from oomtop.host.ready import readable
from oomtop.host.root import Root
from oomtop.units import printable

# The same number on every architecture except alpha.
_PROCESS_MRELEASE = 448
_SIGKILL_BIT = 1 << (signal.SIGKILL - 1)
_PROGRAM = (28, 48, 49)
# What else an action opens: the audit log, files of the targets, folders of groups.
_RESERVED = 32
_NONE_LEFT = (errno.EMFILE, errno.ENFILE)
_T = TypeVar("_T")
_LIBC = ctypes.CDLL(None, use_errno=True)


class ProcessHandle:
    """An open process; the opener closes it."""

    def __init__(self, identity: ProcessId, pidfd: int, folder: int) -> None:
        self.id = identity
        self.pidfd = pidfd
        self._folder = folder
        self._ask: Callable[[], str | None] | None = None

    def close(self) -> None:
        """Close both descriptors."""
        os.close(self._folder)
        os.close(self.pidfd)

    def facts(self, known: Process | None = None) -> Process | None:
        """Return the current facts, with those of `known` that `stat` and `status` lack; None if it is gone."""
        try:
            fresh = self._stat("stat")
            if has_dead_leader(fresh):
                fresh = with_living_thread(fresh, self._threads())
            folder = "" if fresh.thread is None else f"task/{fresh.thread}/"
            status = parse_status(self.read(f"{folder}status"))
        except (OSError, ParseError):
            return None
        if fresh.id != self.id:
            return None
        fresh = replace(
            fresh,
            rss_anon=status.get("rss_anon"),
            swap=status.get("swap"),
            page_tables=status.get("page_tables"),
            uid=status.get("uid"),
            euid=status.get("euid"),
        )
        if known is None:
            return fresh
        return replace(
            fresh,
            cgroup=known.cgroup,
            command=known.command,
            oom_score_adj=known.oom_score_adj,
            oom_score=known.oom_score,
        )

    def refusal(self, guard: Guard, known: Process, override: bool = False) -> str | None:
        """Return why the guard refuses it, or None; `require_same` asks again."""
        program = self._program()
        self._ask = lambda: guard.refusal(self._now(known, program), override)
        return guard.refusal(known, override)

    def _stat(self, name: str) -> Process:
        return parse_stat(self.read(name), os.sysconf("SC_PAGE_SIZE"), os.sysconf("SC_CLK_TCK"))

    def _threads(self) -> Iterator[Process]:
        descriptor = self.open("task", os.O_RDONLY | os.O_DIRECTORY)
        try:
            tids = os.listdir(descriptor)
        finally:
            os.close(descriptor)
        for tid in tids:
            with contextlib.suppress(OSError):
                yield self._stat(f"task/{tid}/stat")

    def require_same(self) -> None:
        """Check again, just before acting, that this is the requested process and that the guard allows it.

        Its program, name, user or group may have changed meanwhile.

        Raises:
            ActionRefused: it is gone, its pid was reused, or the guard now forbids it.
        """
        reason = None if self._ask is None else self._ask()
        _require_identity(self, self.id)
        if reason is not None:
            raise ActionRefused(f"{self.id.pid} has changed: {reason}")

    def _now(self, known: Process, program: tuple[bytes, ...]) -> Process:
        fresh = self.facts(known)
        if fresh is None:
            return known
        if self._program() == program:
            return fresh
        try:
            # It has a new memory map, so no old holder can block this read.
            return replace(fresh, command=parse_cmdline(self.read("cmdline")))
        except OSError:
            return fresh

    def _program(self) -> tuple[bytes, ...]:
        """Return what differs for each program: addresses of stack and arguments (fields 28, 48 and 49)."""
        try:
            words = self.read("stat").rpartition(b")")[2].split()
        except OSError:
            return ()
        return tuple(words[field - 3] for field in _PROGRAM if field - 3 < len(words))

    def has_exited(self) -> bool:
        """Whether it has exited, reaped or not: its pidfd is then readable."""
        return bool(readable((self.pidfd,), 0))

    def is_kill_pending(self) -> bool:
        """Whether a SIGKILL is pending for it."""
        try:
            return parse_kill_pending(self.read("status"))
        except OSError:
            return False

    def handles(self, number: int) -> bool:
        """Whether it handles a signal; pid 1 of a namespace gets no other from inside (pid_namespaces(7))."""
        try:
            return parse_handled(self.read("status"), number)
        except OSError:
            return False

    def send(self, number: int) -> None:
        """Send it a signal.

        Raises:
            OSError: EPERM, or ESRCH when it is gone.
        """
        signal.pidfd_send_signal(self.pidfd, number)

    def release_memory(self) -> int:
        """Have the kernel free the memory of a dying process early; return 0 or the errno."""
        ctypes.set_errno(0)
        done: int = _LIBC.syscall(ctypes.c_long(_PROCESS_MRELEASE), ctypes.c_long(self.pidfd), ctypes.c_long(0))
        return 0 if done == 0 else ctypes.get_errno()

    def read(self, name: str) -> bytes:
        """Return the contents of a file of its folder.

        Raises:
            OSError: it is gone, or the file is not readable.
        """
        descriptor = self.open(name, os.O_RDONLY)
        try:
            parts = []
            while part := os.read(descriptor, 65536):
                parts.append(part)
            return b"".join(parts)
        finally:
            os.close(descriptor)

    def open(self, name: str, flags: int) -> int:
        """Open a file of its folder and return the descriptor; the caller closes it."""
        return os.open(name, flags | os.O_CLOEXEC, dir_fd=self._folder)


def parse_kill_pending(status: bytes) -> bool:
    """Whether `SigPnd` or `ShdPnd` of `/proc/PID/status` holds SIGKILL."""
    for line in status.split(b"\n"):
        name, _, value = line.partition(b":")
        if name in (b"SigPnd", b"ShdPnd") and int(value, 16) & _SIGKILL_BIT:
            return True
    return False


def parse_handled(status: bytes, number: int) -> bool:
    """Whether `SigCgt` of `/proc/PID/status` holds a signal."""
    caught = next((line for line in status.split(b"\n") if line.startswith(b"SigCgt:")), b"SigCgt:\t0")
    return bool(int(caught.split()[1], 16) >> (number - 1) & 1)


def open_process(root: Root, identity: ProcessId) -> ProcessHandle:
    """Open a process and check that it is the requested one.

    The process was seen before the call, so at that time its pid was its own or it had exited; either
    way the start time in the folder, opened after the pidfd, shows whether both are that process.

    Raises:
        ActionRefused: gone, its pid reused, or the kernel has no pidfd.
        OSError: out of descriptors, or not permitted.
    """
    try:
        pidfd = os.pidfd_open(identity.pid)
    except ProcessLookupError:
        raise NothingLeft(f"{identity.pid} has already exited") from None
    try:
        folder = os.open(root.at(f"/proc/{identity.pid}"), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        os.close(pidfd)
        if isinstance(error, FileNotFoundError):
            raise NothingLeft(f"{identity.pid} has already exited") from None
        raise
    handle = ProcessHandle(identity, pidfd, folder)
    try:
        _require_room(max(pidfd, folder))
        _require_identity(handle, identity)
    except (ActionRefused, OSError):
        handle.close()
        raise
    return handle


def _require_room(descriptor: int) -> None:
    """Raise EMFILE when a newly opened descriptor is one of the last; the kernel gives the lowest free number."""
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY and descriptor >= most - min(_RESERVED, most // 4):
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))


@contextlib.contextmanager
def open_allowed(
    identity: ProcessId, context: ActionContext, override: bool
) -> Iterator[tuple[ProcessHandle, Process]]:
    """Open a process that the guard allows; the handle is closed if the body raises.

    Raises:
        ActionRefused: it is gone, or the guard refuses it.
        OSError: out of descriptors, or not permitted.
    """
    handle = open_process(context.root, identity)
    try:
        process = handle.facts(context.find(identity))
        if process is None:
            raise NothingLeft(f"{identity.pid} has already exited")
        require(handle.refusal(context.guard, process, override), process)
        yield handle, process
    except BaseException:
        handle.close()
        raise


def require(reason: str | None, process: Process) -> None:
    """Raise ActionRefused with the process it is about, unless `reason` is None."""
    if reason is not None:
        raise ActionRefused(f"{process.pid} ({printable(process.comm)}): {reason}")


def open_each(
    targets: Iterable[ProcessId], open_one: Callable[[ProcessId], _T]
) -> tuple[list[_T], list[ActionRefused]]:
    """Return what `open_one` opens, and why it failed for the others; without descriptors it stops."""
    wanted = tuple(targets)
    opened: list[_T] = []
    left_out: list[ActionRefused] = []
    for at, identity in enumerate(wanted):
        try:
            opened.append(open_one(identity))
        except ActionRefused as refusal:
            left_out.append(refusal)
        except OSError as error:
            if error.errno in _NONE_LEFT:
                left = f"{len(wanted) - at} of {len(wanted)} processes"
                left_out.append(ActionRefused(f"{left}: {in_words(error)}: repeat it for them, or raise ulimit -n"))
                break
            left_out.append(ActionRefused(f"{identity.pid}: {in_words(error)}"))
    return opened, left_out


def _require_identity(handle: ProcessHandle, identity: ProcessId) -> None:
    try:
        found = parse_stat(handle.read("stat"), 1, 1)
    except (OSError, ParseError) as error:
        if isinstance(error, OSError) and error.errno in _NONE_LEFT:
            raise
        raise NothingLeft(f"{identity.pid} has already exited") from None
    if found.id != identity:
        raise NothingLeft(f"{identity.pid} is now another process ({printable(found.comm)}): yours has exited")
