"""`/proc/PID/fd`: what a process has open, and which of it is memory (proc_pid_fd(5), memfd_create(2)).

A file on tmpfs, a memfd or a SysV segment is memory that counts as shmem and stays after the last name of it is
gone, until the last descriptor closes.  Sample link: `/memfd:pulseaudio (deleted)`
"""

from __future__ import annotations

import os
import re
import stat

from oomtop.frozen import frozen, replace
from oomtop.host.process import ProcessId
from oomtop.host.process_folder import process_folder, text_at
from oomtop.host.root import Root
from oomtop.host.sockets import read_sockets

MOST = 20_000


@frozen
class OpenFile:
    """One descriptor; `size` is the length and `allocated` what it occupies, in bytes."""

    fd: int
    kind: str
    """`file`, `folder`, `socket`, `pipe`, `device`, `anon`, or `?` where it may not be looked at."""
    target: str
    size: int | None = None
    allocated: int | None = None
    deleted: bool = False
    in_memory: bool = False
    """Whether its content is memory: tmpfs, memfd, SysV."""


@frozen
class OpenFiles:
    """The descriptors of a process, by number; `more` are left out above `MOST`."""

    files: tuple[OpenFile, ...]
    more: int = 0

    @property
    def in_memory(self) -> int:
        """Bytes of memory behind the files, each file once."""
        sizes = {(file.target, file.size): file.allocated or 0 for file in self.files if file.in_memory}
        return sum(sizes.values())


_SHMEM_FILES = ("/memfd:", "/SYSV", "/dev/zero", "/drm mm object", "/i915")
_TMPFS = re.compile(r"^\d+ \d+ (\d+):(\d+) .* - (?:tmpfs|devtmpfs|ramfs) ", re.MULTILINE)


def parse_tmpfs_devices(mountinfo: str) -> frozenset[int]:
    """Return the device numbers of the file systems in memory of a `mountinfo` text."""
    return frozenset(os.makedev(int(major), int(minor)) for major, minor in _TMPFS.findall(mountinfo))


def read_open_files(root: Root, identity: ProcessId) -> OpenFiles:
    """Return what a process holds open; may hang on a file of a dead file server.

    Raises:
        OSError: exited, or no right to look (the same user or CAP_SYS_PTRACE).
    """
    with process_folder(root, identity) as folder:
        devices = parse_tmpfs_devices(text_at(folder, "mountinfo", 1 << 20) or "")
        numbers = sorted(int(name) for name in _list(folder))
        found = (_read_file(folder, number, devices) for number in numbers[:MOST])
        files = tuple(file for file in found if file is not None)
        names = read_sockets(root, identity) if any(file.kind == "socket" for file in files) else {}
        files = tuple(replace(file, target=names.get(file.fd, file.target)) for file in files)
        return OpenFiles(files, max(0, len(numbers) - MOST))


def _list(folder: int) -> list[str]:
    descriptor = os.open("fd", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=folder)
    try:
        return [name for name in os.listdir(descriptor) if name.isdigit()]
    finally:
        os.close(descriptor)


def _read_file(folder: int, number: int, devices: frozenset[int]) -> OpenFile | None:
    name = f"fd/{number}"
    try:
        target = os.readlink(name, dir_fd=folder)
    except FileNotFoundError:
        # Closed since the listing.
        return None
    try:
        status = os.stat(name, dir_fd=folder)
    except FileNotFoundError:
        return None
    except PermissionError:
        return OpenFile(number, "?", target)
    kind = _kind(status.st_mode, target)
    if kind != "file":
        return OpenFile(number, kind, target)
    in_memory = target.startswith(_SHMEM_FILES) or status.st_dev in devices
    return OpenFile(number, kind, target, status.st_size, status.st_blocks * 512, status.st_nlink == 0, in_memory)


def _kind(mode: int, target: str) -> str:
    if stat.S_ISREG(mode):
        return "file"
    if stat.S_ISDIR(mode):
        return "folder"
    if stat.S_ISSOCK(mode):
        return "socket"
    if stat.S_ISFIFO(mode):
        return "pipe"
    return "device" if stat.S_ISCHR(mode) or stat.S_ISBLK(mode) else "anon"
