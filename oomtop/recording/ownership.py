"""Whose the file is: the lock of its one recorder, and a damaged one, which is renamed and kept."""

from __future__ import annotations

import fcntl
import glob
import os
import time
from contextlib import suppress

from oomtop.host.trusted_file import Place, open_trusted
from oomtop.recording.kinds import RecordingError

_MAGIC = b"SQLite format 3\0"
_ALIKE = 12
"""Bytes of the magic that have to be right for a file to be a recording that the disk damaged."""
_KEPT = 2
"""Damaged recordings that are kept: each may be as big as a recording."""
_PLENTY = 16 << 20
_ENDINGS = ("", "-wal", "-shm")


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


def put_aside(path: str) -> str:
    """Rename a damaged recording and its log, and return the new name; the two newest are kept.

    Raises:
        RecordingError: it never was a recording, so it is left where it is, or it cannot be renamed.
    """
    try:
        with open(open_trusted(path), "rb") as file:
            head = file.read(len(_MAGIC))
        if any(head) and sum(map(int.__eq__, head, _MAGIC)) < _ALIKE:
            raise RecordingError(f"{path}: is not an oomtop recording")
        aside = _free_name(f"{path}.damaged-{int(time.time())}")
        for ending in _ENDINGS:
            if os.path.exists(path + ending):
                os.replace(path + ending, aside + ending)
    except OSError as error:
        raise RecordingError(f"{path}: is damaged and cannot be renamed: {error.strerror}") from None
    _forget_oldest(path)
    return aside


def _free_name(name: str) -> str:
    number, free = 1, name
    while os.path.lexists(free):
        number += 1
        free = f"{name}-{number}"
    return free


def _forget_oldest(path: str) -> None:
    names = [name for name in glob.glob(f"{glob.escape(path)}.damaged-*") if not name.endswith(_ENDINGS[1:])]
    for name in sorted(names, key=os.path.getmtime)[:-_KEPT]:
        for ending in _ENDINGS:
            with suppress(FileNotFoundError):
                os.unlink(name + ending)
