"""The programs of a drill: the load, and the sweeper that cleans up after it.

Runs in a separate interpreter (`python -I -S -c`) with the standard library only, so that the
group is charged for the load alone.  prctl(2) PR_SET_PDEATHSIG ends it with its parent.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Mapping

PAGE = mmap.PAGESIZE
CHUNK = 1 << 20
_EACH = 2 << 20
_MOST = 2000
_PR_SET_PDEATHSIG, _PR_SET_NAME = 1, 15
# MADV_NOHUGEPAGE: the mmap module has it, but an interpreter built on an old kernel's headers may not.
_NOHUGEPAGE = 15


def be(name: str, parent: int) -> None:
    """Set the name, and exit when the parent exits or has already exited."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    libc.prctl(_PR_SET_NAME, name.encode(), 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(1)


class RateLimiter:
    """Limits allocation to `rate` bytes per second."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._begun = time.monotonic()
        self._taken = 0

    def take(self, size: int) -> None:
        """Count `size` bytes, and wait until they are due."""
        self._taken += size
        ahead = self._taken / self._rate - (time.monotonic() - self._begun)
        if ahead > 0:
            time.sleep(ahead)


def grow(limit: int, rate: int) -> None:
    """Allocate anonymous memory up to twice the limit: a leak if slow, a surge if fast."""
    area = mmap.mmap(-1, 2 * limit, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    # Random bytes: zram and same-page merging cannot shrink them.
    chunk, pace = os.urandom(CHUNK), RateLimiter(rate)
    for start in range(0, 2 * limit - CHUNK + 1, CHUNK):
        area[start : start + CHUNK] = chunk
        pace.take(CHUNK)
    time.sleep(3600)


def swarm(limit: int, rate: int) -> None:
    """Start small processes one after another; end when the first is killed."""
    pace = RateLimiter(rate)
    parent = os.getpid()
    for _ in range(min(_MOST, 2 * limit // _EACH)):
        if os.fork() == 0:
            be("oomtop-swarm", parent)
            held = os.urandom(_EACH)
            signal.pause()
            sys.exit(len(held) == 0)
        pace.take(_EACH)
        pid, _ = os.waitpid(-1, os.WNOHANG)
        if pid:
            return
    os.waitpid(-1, 0)


def cache(limit: int, rate: int) -> None:
    """Write a file of twice the limit and read it repeatedly: reclaimable page cache."""
    pace, chunk, size = RateLimiter(rate), os.urandom(CHUNK), 2 * limit
    with tempfile.TemporaryFile(dir=os.environ.get("TMPDIR", "/var/tmp"), buffering=0) as file:
        for start in range(0, size, CHUNK):
            file.write(chunk)
            # Only clean pages can be dropped: without this the group would wait for writeback at its limit.
            if start % (16 * CHUNK) == 0:
                os.fdatasync(file.fileno())
            pace.take(CHUNK)
        os.fdatasync(file.fileno())
        while True:
            for start in range(0, size, CHUNK):
                pace.take(len(os.pread(file.fileno(), CHUNK, start)))


def fragment(limit: int, rate: int) -> None:
    """Allocate memory and free every second page, half the limit in total: free memory is in single pages."""
    held: list[mmap.mmap] = []
    step, pace = max(CHUNK, limit // 16), RateLimiter(rate)
    while len(held) * step // 2 + step < limit // 2:
        area = mmap.mmap(-1, step, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        area.madvise(_NOHUGEPAGE)
        for start in range(0, step, PAGE):
            area[start] = 1
        for start in range(0, step - PAGE, 2 * PAGE):
            area.madvise(mmap.MADV_DONTNEED, start, PAGE)
        held.append(area)
        pace.take(step // 2)
    time.sleep(3600)


LOADS: Mapping[str, Callable[[int, int], None]] = {
    "leak": grow,
    "surge": grow,
    "swarm": swarm,
    "cache": cache,
    "fragment": fragment,
}


def sweep(folder: str) -> None:
    """Wait for the drill to end in any way; then kill the rest and remove the group."""
    os.read(0, 1)
    for _ in range(200):
        with open(f"{folder}/cgroup.procs", encoding="ascii") as file:
            members = file.read().split()
        for pid in members:
            try:
                os.kill(int(pid), signal.SIGKILL)
            except ProcessLookupError:
                continue
        try:
            os.rmdir(folder)
        except OSError:
            # EBUSY: killed processes are still freeing their pages.
            time.sleep(0.05)
        else:
            return


def main(role: str, *words: str) -> None:
    """`sweep FOLDER`, or `KIND LIMIT RATE PARENT`, which starts on a line from standard input."""
    if role == "sweep":
        sweep(words[0])
        return
    limit, rate, parent = (int(word) for word in words)
    be(f"oomtop-{role}", parent)
    if os.read(0, 1):
        LOADS[role](limit, rate)
