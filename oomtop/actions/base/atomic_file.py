"""A small file of the system's configuration, replaced as a whole: a crash leaves the old one or the new one.

rename(2).  The fresh text stands in `NAME.oomtop-new` until it is on the disk.
"""

from __future__ import annotations

import contextlib
import os
import stat

_FRESH = ".oomtop-new"


def replace_text(path: str, text: str) -> None:
    """Write `path` anew with the mode and owner that it has, 0644 where it is new.

    A link is followed: some systems keep the file elsewhere.

    Raises:
        OSError: the folder is missing or may not be written, the disk is full, or the file is a mount point.
    """
    path = os.path.realpath(path)
    fresh = path + _FRESH
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
    try:
        # On a full disk a single write may succeed in part; a file object goes on until all is written or it fails.
        with open(descriptor, "wb") as file:
            _take_after(path, descriptor)
            file.write(text.encode("utf-8", "surrogateescape"))
            file.flush()
            os.fsync(descriptor)
        os.replace(fresh, path)
    except OSError:
        os.unlink(fresh)
        raise
    _settle(path)


def remove_text(path: str) -> None:
    """Remove `path` and what a cut-off `replace_text` left beside it; neither has to be there.

    Raises:
        OSError: the folder may not be written.
    """
    for name in (path, path + _FRESH):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)
    _settle(path)


def has_fresh(path: str) -> bool:
    """Whether a cut-off `replace_text` left its text beside `path`."""
    return os.path.lexists(os.path.realpath(path) + _FRESH)


def remove_fresh(path: str) -> None:
    """Remove what a cut-off `replace_text` left beside `path`.

    Raises:
        OSError: the folder may not be written.
    """
    with contextlib.suppress(FileNotFoundError):
        os.unlink(os.path.realpath(path) + _FRESH)


def read_text(path: str) -> str | None:
    """Return the text of `path`, byte for byte, None where there is no such file.

    Raises:
        OSError: it is there and cannot be read.
    """
    try:
        with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
            return file.read()
    except FileNotFoundError:
        return None


def _take_after(path: str, descriptor: int) -> None:
    try:
        known = os.stat(path)
    except FileNotFoundError:
        return
    os.fchmod(descriptor, stat.S_IMODE(known.st_mode))
    if (known.st_uid, known.st_gid) != (os.geteuid(), os.getegid()):
        os.fchown(descriptor, known.st_uid, known.st_gid)


def _settle(path: str) -> None:
    """Bring the folder's entry to the disk too: without it a power failure brings the old name back."""
    with contextlib.suppress(FileNotFoundError):
        folder = os.open(os.path.dirname(path), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
