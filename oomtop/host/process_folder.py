"""`/proc/PID` held open as a folder, so that every file read under it is of the same process.

A folder that is open stays with its process: after the exit its files give ESRCH, and never those of the next
owner of the number.  Documentation/filesystems/proc.rst.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

from oomtop.host.process import ProcessId
from oomtop.host.root import Root

_CHUNK = 1 << 16


class ProcessGone(ProcessLookupError):
    """The process has exited, or its number belongs to another one by now."""

    def __init__(self) -> None:
        super().__init__(errno.ESRCH, "the process has exited")


class NoMemoryMap(OSError):
    """It is alive but has no memory map: some kernels answer ESRCH, others an empty file."""

    def __init__(self) -> None:
        super().__init__("it has no memory map: a kernel thread or a zombie")


@contextmanager
def process_folder(root: Root, identity: ProcessId) -> Iterator[int]:
    """Context manager: the descriptor of `/proc/PID` of exactly this process.

    Raises:
        ProcessGone: it has exited; also for what is read inside and fails for that reason.
        NoMemoryMap: what is read inside fails because a kernel thread or zombie has none.
        PermissionError: `/proc` is mounted with `hidepid`, or a file is not ours to read.
    """
    try:
        folder = os.open(root.at(f"/proc/{identity.pid}"), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise ProcessGone from None
    try:
        if _start_time(folder) != identity.start_time:
            raise ProcessGone
        yield folder
    except ProcessLookupError:
        if _start_time(folder) == identity.start_time:
            raise NoMemoryMap from None
        raise ProcessGone from None
    finally:
        os.close(folder)


def has_ended(root: Root, identity: ProcessId) -> bool:
    """Whether a process is gone or a zombie.

    Raises:
        PermissionError: `/proc` is mounted with `hidepid`.
    """
    try:
        with process_folder(root, identity) as folder:
            return read_at(folder, "stat", 4096).rpartition(b")")[2].split(None, 1)[0] in (b"Z", b"X")
    except ProcessGone:
        return True


def _start_time(folder: int) -> int | None:
    try:
        words = read_at(folder, "stat", 4096).rpartition(b")")[2].split(None, 20)
        return int(words[19])
    except (FileNotFoundError, ProcessLookupError, ValueError, IndexError):
        return None


def read_at(folder: int, name: str, most: int) -> bytes:
    """Return at most `most` bytes of a file below the folder.

    Raises:
        OSError: as open(2) and read(2) say it; EACCES where ptrace(2) rights are asked for, ESRCH after the exit.
    """
    parts: list[bytes] = []
    left = most
    for part in chunks_at(folder, name):
        parts.append(part[:left])
        left -= len(part)
        if left <= 0:
            break
    return b"".join(parts)


def chunks_at(folder: int, name: str) -> Iterator[bytes]:
    """Yield a file below the folder in the pieces in which the kernel gives it.

    Raises:
        OSError: as `read_at`.
    """
    descriptor = os.open(name, os.O_RDONLY | os.O_CLOEXEC, dir_fd=folder)
    try:
        while chunk := os.read(descriptor, _CHUNK):
            yield chunk
    finally:
        os.close(descriptor)


def link_at(folder: int, name: str) -> str | None:
    """Return where a link such as `exe` or `cwd` leads, None where it may not be read or leads nowhere."""
    try:
        return os.readlink(name, dir_fd=folder)
    except ProcessLookupError:
        raise
    except OSError:
        return None


def text_at(folder: int, name: str, most: int = _CHUNK) -> str | None:
    """Return the text of a file below the folder, None where it is missing or may not be read."""
    try:
        return read_at(folder, name, most).decode("utf-8", "backslashreplace")
    except ProcessLookupError:
        raise
    except OSError:
        return None


def read_executable(folder: str) -> str | None:
    """Return the program file of the process at `/proc/PID`, None where it has none or may not be looked at.

    The kernel sets this link; the process itself can change its name and command line.
    """
    try:
        return os.readlink(f"{folder}/exe")
    except OSError:
        return None
