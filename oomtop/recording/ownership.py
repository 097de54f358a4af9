"""Whose the file is: the lock of its one recorder; and whether its disk has room for more."""

from __future__ import annotations

import fcntl
import os

from oomtop.host.trusted_file import Place
from oomtop.recording.kinds import RecordingError

_PLENTY = 16 << 20


def take_lock(path: str) -> int:
    """Return the lock's descriptor; the kernel gives the lock back when the process ends, however it ends.

    Raises:
        RecordingError: another recorder has it.
    """
    try:
        os.makedirs(os.path.dirname(os.path.abspath(path)), mode=0o700, exist_ok=True)
        with Place(f"{path}-lock", follows=False) as place:
            descriptor = place.open(os.O_RDWR | os.O_CREAT)
    except OSError as error:
        raise RecordingError(f"{path}: {error.strerror}") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise RecordingError(f"{path}: another recorder is writing to it") from None
    return descriptor


def has_room(path: str) -> bool:
    """Whether the disk of the file has plenty of room."""
    status = os.statvfs(os.path.dirname(os.path.abspath(path)))
    return status.f_bavail * status.f_frsize > _PLENTY
