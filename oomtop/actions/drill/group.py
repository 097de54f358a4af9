"""The cgroup of a drill: made with a hard limit, cleaned up by a sweeper process or else by the next drill.

cgroup v2: `memory.max`, `memory.swap.max`, `pids.max` (Documentation/admin-guide/cgroup-v2.rst);
v1: `memory.limit_in_bytes`, `memory.memsw.limit_in_bytes` (Documentation/admin-guide/cgroup-v1/memory.rst).
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path

from oomtop.frozen import frozen
from oomtop.host.cgroup import CgroupLayout, read_cgroup
from oomtop.host.root import read_optional

PREFIX = "/oomtop-drill-"
# Through the import path, as the file may be inside a zip archive.
_CODE = "import sys; sys.path.insert(0, sys.argv[1]); from oomtop.actions.drill.load import main; main(*sys.argv[2:])"
_PROGRAM = (sys.executable, "-I", "-S", "-c", _CODE, str(Path(__file__).resolve().parents[3]))


@frozen
class DrillGroup:
    """The path and limit of the group."""

    layout: CgroupLayout
    path: str
    limit: int

    @property
    def folder(self) -> str:
        """The folder of the group."""
        return self.layout.memory_mount + self.path

    def writes(self) -> tuple[tuple[str, str], ...]:
        """Return the writes in order; swap is limited to 0, so that the memory limit is hard."""
        if self.layout.version == 1:
            return (("memory.limit_in_bytes", str(self.limit)), ("memory.memsw.limit_in_bytes", str(self.limit)))
        return (("memory.max", str(self.limit)), ("memory.swap.max", "0"))

    def make(self) -> None:
        """Make the group.

        Raises:
            OSError: the kernel's error; the group does not exist then.
        """
        if self.layout.version == 2:
            hand_down_memory(self.layout.memory_mount)
        os.mkdir(self.folder)
        try:
            for name, value in self.writes():
                # The swap files exist only if the kernel accounts swap.
                if os.path.exists(f"{self.folder}/{name}") or "swap" not in name.replace("memsw", "swap"):
                    write(f"{self.folder}/{name}", value)
        except OSError:
            os.rmdir(self.folder)
            raise

    def peak(self) -> int | None:
        """Return the peak use if the kernel records it (v2 since 5.19), else the current use."""
        group = read_cgroup(self.layout, self.path)
        return None if group is None else group.peak or group.current

    def kills(self) -> int:
        """Return the number of kernel kills in it."""
        group = read_cgroup(self.layout, self.path)
        return 0 if group is None else group.events.oom_kill or 0

    def start_sweeper(self) -> subprocess.Popen[bytes]:
        """Start the process that removes the group once its standard input is closed."""
        return subprocess.Popen(
            [*_PROGRAM, "sweep", self.folder], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True
        )

    def start_load(self, kind: str, rate: int) -> subprocess.Popen[bytes]:
        """Start the load in the group; it allocates nothing before `begin`."""
        words = [*_PROGRAM, kind, str(self.limit), str(rate), str(os.getpid())]
        load = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        try:
            write(f"{self.folder}/cgroup.procs", str(load.pid))
        except OSError:
            load.kill()
            load.wait()
            raise
        return load


def begin(load: subprocess.Popen[bytes]) -> None:
    """Let a load allocate, with oom_score_adj reset: a drill must not inherit protection."""
    with contextlib.suppress(PermissionError):
        write(f"/proc/{load.pid}/oom_score_adj", "0")
    with load.stdin or contextlib.nullcontext() as pipe:
        if pipe is not None:
            pipe.write(b"\n")


def remove_leftovers(layout: CgroupLayout) -> tuple[str, ...]:
    """Remove empty groups of drills that were killed with their sweeper, and return their paths."""
    removed = []
    for folder in sorted(Path(layout.memory_mount).glob(f"{PREFIX[1:]}*")):
        number = folder.name.rpartition("-")[2]
        if read_optional(f"{folder}/cgroup.procs") == "" and not os.path.exists(f"/proc/{number}"):
            with contextlib.suppress(OSError):
                folder.rmdir()
                removed.append(f"/{folder.name}")
    return tuple(removed)


def hand_down_memory(mount: str) -> None:
    """Delegate the memory controller: without it a new group has no memory files."""
    if "memory" not in (read_optional(f"{mount}/cgroup.subtree_control") or "").split():
        write(f"{mount}/cgroup.subtree_control", "+memory")


def write(path: str, text: str) -> None:
    """Write a control file in one call.

    Raises:
        OSError: what the kernel answered.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, text.encode("ascii"))
    finally:
        os.close(descriptor)
