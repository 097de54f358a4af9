"""A hook command: own session, facts in the environment and on stdin, a time limit, no shell.

posix_spawn(3): no Python runs between fork and exec, which threads would make unsafe, and signals that oomtop
blocks are let through again.  stdin is a memfd, so that a command that never reads holds up nobody.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from threading import Event

from oomtop.alerts.notice import Letter
from oomtop.selfguard import SelfGuard

_LOOK_SECONDS = 0.02
GRACE_SECONDS = 2.0


class Hook:
    """Runs one command, one letter at a time, in the thread that calls."""

    def __init__(self, words: Sequence[str], timeout: float, unguarded: SelfGuard, closing: Event) -> None:
        self._words = tuple(words)
        self._timeout = timeout
        self._unguarded = unguarded
        """What oomtop had before it protected itself: a hook is no more worth than that."""
        self._closing = closing
        self._unreaped: list[int] = []

    def __call__(self, letter: Letter) -> str | None:
        """Run it until it exits or times out; return what went wrong."""
        self._unreaped = [pid for pid in self._unreaped if _ended(pid) is None]
        name = os.path.basename(self._words[0])
        try:
            pid = _start(self._unguarded.child_command(self._words), letter)
        except OSError as error:
            return f"{name} cannot be started: {error.strerror}"
        status = self._wait(pid, self._timeout, until_closing=True)
        if status is None:
            self._end(pid)
            return f"{name} did not finish within {self._timeout:g} s and was killed"
        code = os.waitstatus_to_exitcode(status)
        if code == 0:
            return None
        return f"{name} exited with code {code}" if code > 0 else f"{name} was killed by signal {-code}"

    def _wait(self, pid: int, seconds: float, until_closing: bool = False) -> int | None:
        """Return the wait status of the child, None if it does not end in time."""
        end = time.monotonic() + seconds
        while (status := _ended(pid)) is None and time.monotonic() < end:
            if not self._closing.wait(_LOOK_SECONDS):
                continue
            if until_closing:
                break
            time.sleep(_LOOK_SECONDS)
        return status

    def _end(self, pid: int) -> None:
        """End it and all that it started in its session; what even SIGKILL cannot end now is reaped later."""
        for number, seconds in ((signal.SIGTERM, GRACE_SECONDS), (signal.SIGKILL, GRACE_SECONDS)):
            # Its group lives on where only its children ignore the signal.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, number)
            if self._wait(pid, seconds) is not None:
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(pid, signal.SIGKILL)
                return
        self._unreaped.append(pid)


def _start(words: Sequence[str], letter: Letter) -> int:
    environ: Mapping[str, str] = {**os.environ, **letter.environ}
    stdin = os.memfd_create("alert", os.MFD_CLOEXEC)
    try:
        os.write(stdin, letter.body)
        os.lseek(stdin, 0, os.SEEK_SET)
        actions = (
            (os.POSIX_SPAWN_DUP2, stdin, 0),
            (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
            (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
        )
        return os.posix_spawnp(words[0], tuple(words), environ, file_actions=actions, setsid=True, setsigmask=())
    finally:
        os.close(stdin)


def _ended(pid: int) -> int | None:
    """Return the wait status of a child that ended; one that somebody else reaped ended well."""
    try:
        found, status = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return 0
    return status if found else None
