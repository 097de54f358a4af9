"""Damage: the error that says that a recording cannot be gone on with, and where such a file is kept."""

from __future__ import annotations

import glob
import os
import time
from contextlib import suppress

from oomtop.host.trusted_file import open_trusted
from oomtop.recording.kinds import RecordingError

_MAGIC = b"SQLite format 3\0"
_ALIKE = 12
"""Bytes of the magic that have to be right for a file to be a recording that the disk damaged."""
_KEPT = 2
"""Damaged recordings that are kept: each may be as big as a recording."""
_ENDINGS = ("", "-wal", "-shm")


class Damaged(RecordingError):
    """A recording that cannot be gone on with: the disk changed it, or somebody did."""


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
