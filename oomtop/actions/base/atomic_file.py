"""Writes files atomically (replace, append, create), safe against other users' links and folders.

rename(2), open(2) (O_EXCL).  New text goes to a randomly named file next to the target until it is on disk; a crash
leaves the old or the new file.  If another user can write the folder, or made a link in the path, nothing is
written.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator

from oomtop.host.trusted_file import Place, read_trusted, trusted_users

_FRESH = ".oomtop-new"


def replace_text(path: str, text: str, mode: int = 0o644) -> None:
    """Replace `path`, keeping its mode and owner; a new file gets `mode` and its folder's owner.

    Links of root or of oomtop's user are followed: some systems keep the file elsewhere.

    Raises:
        UntrustedFile: another user can write the file or a folder above it, or made a link in the path.
        OSError: the folder is missing or not writable, the disk is full, or the file is a mount point.
    """
    with Place(path) as place:
        known = _known(place)
        fresh = f".{place.name}.{os.urandom(8).hex()}{_FRESH}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(fresh, flags, 0o600, dir_fd=place.folder)
        try:
            # On a full disk a single write may be partial; a file object retries until all is written or it fails.
            with open(descriptor, "wb") as file:
                _take_after(known, mode, place, descriptor)
                file.write(text.encode("utf-8", "surrogateescape"))
                file.flush()
                os.fsync(descriptor)
            os.replace(fresh, place.name, src_dir_fd=place.folder, dst_dir_fd=place.folder)
        except OSError:
            os.unlink(fresh, dir_fd=place.folder)
            raise
        _settle(place)


def append_bytes(path: str, data: bytes, durable: bool = False) -> None:
    """Append to `path` in one write, so that concurrent programs do not mix lines; a new file has mode 0600.

    `durable` waits for the disk, which may take seconds: only for lines that must survive a power failure.

    Raises:
        UntrustedFile: as `replace_text`, or the file has a second name.
        OSError: it cannot be written, or the disk is full.
    """
    with Place(path, follows=False) as place:
        descriptor = place.open(os.O_RDWR | os.O_APPEND | os.O_CREAT)
        try:
            _append(descriptor, data)
            if durable:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)


def remove_text(path: str) -> None:
    """Remove `path` and the leftover of an interrupted `replace_text`; neither needs to exist.

    Raises:
        UntrustedFile, OSError: as `replace_text`.
    """
    remove_fresh(path)
    with contextlib.suppress(FileNotFoundError), Place(path) as place:
        os.unlink(place.name, dir_fd=place.folder)
        _settle(place)


def has_fresh(path: str) -> bool:
    """Whether an interrupted `replace_text` left its temporary file next to `path`.

    Raises:
        UntrustedFile, OSError: as `replace_text`.
    """
    try:
        with Place(path) as place:
            return next(_fresh(place), None) is not None
    except FileNotFoundError:
        return False


def remove_fresh(path: str) -> None:
    """Remove the temporary file that an interrupted `replace_text` left next to `path`.

    Raises:
        UntrustedFile, OSError: as `replace_text`.
    """
    with contextlib.suppress(FileNotFoundError), Place(path) as place:
        for name in _fresh(place):
            os.unlink(name, dir_fd=place.folder)


def read_text(path: str) -> str | None:
    """Return the text of `path` unchanged, None if it does not exist.

    Raises:
        UntrustedFile: another user can write it.
        OSError: it exists and cannot be read.
    """
    try:
        return read_trusted(path).decode("utf-8", "surrogateescape")
    except FileNotFoundError:
        return None


def _known(place: Place) -> os.stat_result | None:
    """Return the status of the file to replace after checking its owner; the file is not read."""
    if place.status() is None:
        return None
    descriptor = place.open(os.O_RDONLY)
    try:
        return os.fstat(descriptor)
    finally:
        os.close(descriptor)


def _take_after(known: os.stat_result | None, mode: int, place: Place, descriptor: int) -> None:
    """Set the owner, then the mode: until then only oomtop's user can read it."""
    like = known or os.stat(place.folder)
    is_given = known is not None or (os.geteuid() == 0 and like.st_uid in trusted_users())
    if is_given and (like.st_uid, like.st_gid) != (os.geteuid(), os.getegid()):
        os.fchown(descriptor, like.st_uid, like.st_gid)
    os.fchmod(descriptor, mode if known is None else stat.S_IMODE(known.st_mode) & 0o777)


def _append(descriptor: int, data: bytes) -> None:
    size = os.fstat(descriptor).st_size
    # A full disk or a power failure left half a line: start a new one.
    whole = size == 0 or os.pread(descriptor, 1, size - 1) == b"\n"
    text = data if whole else b"\n" + data
    if os.write(descriptor, text) < len(text):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _fresh(place: Place) -> Iterator[str]:
    folder = _opened(place)
    try:
        names = os.listdir(folder)
    finally:
        os.close(folder)
    for name in names:
        if name.startswith(f".{place.name}.") and name.endswith(_FRESH):
            yield name


def _settle(place: Place) -> None:
    """Sync the folder entry too, or a power failure restores the old name."""
    folder = _opened(place)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _opened(place: Place) -> int:
    """Return a folder descriptor that can be listed and synced; that of `place` is opened with O_PATH."""
    return os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=place.folder)
