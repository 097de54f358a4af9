"""Evidence as people hand it over: one file, a folder of a sosreport or must-gather, an archive, a binary journal."""

from __future__ import annotations

import os
import stat
import tarfile
import zipfile
from collections.abc import Iterator
from io import BufferedReader
from typing import BinaryIO, cast

from oomtop.errors import OomtopError
from oomtop.frozen import replace
from oomtop.oomlog.evidence import Evidence, Unread, together
from oomtop.oomlog.log_files import MAGIC, read_journal_file, read_log, read_packed, read_stream

_JOURNAL = b"LPKSHHRH"
_ZIP = b"PK\x03\x04"
_TAR_AT, _TAR = 257, b"ustar"
_START = 8192
_KINDS = {"journal": "a binary journal", "zip": "a zip archive", "tar": "a tar archive", "binary": "binary data"}
_OPEN_FILES = ("/dev/fd/", "/dev/stdin", "/proc/self/fd/")
_MOST_FILES = 20_000
_MOST_BYTES = 1 << 33
# What a tree has besides logs; a core or an image is big, and holds no line.
_NO_LOG = (".png", ".jpg", ".gif", ".so", ".pyc", ".rpm", ".deb", ".img", ".iso", ".qcow2", ".pcap", ".core")


def read_path(path: str) -> Evidence:
    """Return what a file, a folder or an archive tells, each kill once.

    Raises:
        OSError: it cannot be read.
        OomtopError: it is no text, damaged, or by a tool that is not installed.
    """
    if os.path.isdir(path):
        return _folder(path)
    if _is_pipe(path):
        with open(path, "rb") as stream:
            return read_pipe(stream, path)
    kind = _kind_of(path)
    if kind == "journal":
        return read_journal_file(path)
    if kind == "binary":
        raise OomtopError(f"{path}: binary data, neither text nor a log that is known")
    if kind == "zip":
        return together(list(_zip(path)))
    if kind == "tar" or _may_be_tar(path):
        return _tar(path)
    return read_log(path, is_own=os.path.abspath(path).startswith("/var/log/"))


def read_pipe(stream: BufferedReader, name: str) -> Evidence:
    """Return what a pipe tells, plain or compressed; what is read to tell its kind cannot be read again.

    Raises:
        OomtopError: it is an archive, a binary journal or no text, or damaged.
    """
    start = stream.peek(_START)
    kind = kind_of(start)
    if kind != "text":
        raise OomtopError(f"{name}: {_KINDS[kind]} from a pipe cannot be read: name its file")
    is_packed = start.startswith(tuple(MAGIC))
    return read_packed(stream.read(_START), stream, name) if is_packed else read_stream(stream, name)


def _is_pipe(path: str) -> bool:
    """Return whether a path is the open pipe that a shell makes of `<(command)`, not a regular file.

    Raises:
        OomtopError: it is neither: reading a device has no end, and a FIFO waits for somebody to write.
        OSError: there is no such file.
    """
    if stat.S_ISREG(os.stat(path).st_mode):
        return False
    if not path.startswith(_OPEN_FILES):
        raise OomtopError(f"{path}: is no regular file; what a command writes is read by `command | oomtop events -`")
    return True


def _folder(path: str) -> Evidence:
    parts, read = [], 0
    for name in _files_below(path):
        try:
            read += 1
            parts.append(read_path(name))
        except (OSError, OomtopError) as error:
            parts.extend(_problem(name, error))
    if not read:
        raise OomtopError(f"{path}: a folder without a file that could be a log")
    return together(parts)


def _problem(name: str, error: OSError | OomtopError) -> Iterator[Evidence]:
    """Yield what could not be read; binary files are no news in a tree."""
    why = (os.strerror(error.errno or 0) if isinstance(error, OSError) else str(error)).removeprefix(f"{name}: ")
    if not why.startswith("binary data"):
        yield Evidence(problems=(Unread(name, why),))


def _files_below(path: str) -> Iterator[str]:
    """Yield the regular files below a folder in the order of their names, never through a link."""
    count = 0
    for folder, folders, names in os.walk(path):
        folders.sort()
        for name in sorted(names):
            full = os.path.join(folder, name)
            if count >= _MOST_FILES:
                raise OomtopError(f"{path}: more than {_MOST_FILES} files; name a folder below it")
            if not name.endswith(_NO_LOG) and not os.path.islink(full) and os.path.isfile(full):
                count += 1
                yield full


def _kind_of(path: str) -> str:
    with open(path, "rb", buffering=0) as file:
        return kind_of(file.read(_START))


def kind_of(start: bytes) -> str:
    """Return `journal`, `zip`, `tar`, `text` or `binary` by the first bytes of a file."""
    if start.startswith(_JOURNAL):
        return "journal"
    if start.startswith(_ZIP):
        return "zip"
    if start[_TAR_AT : _TAR_AT + len(_TAR)] == _TAR:
        return "tar"
    is_packed = start.startswith(tuple(MAGIC))
    return "text" if is_packed or _is_text(start) else "binary"


def _is_text(start: bytes) -> bool:
    """Whether bytes are text: UTF-16 has a mark or a zero in every second byte, a console log a few zeros."""
    if start.startswith((b"\xff\xfe", b"\xfe\xff")) or not start:
        return True
    odd = sum(byte < 9 or 13 < byte < 27 for byte in start)
    zeros = start.count(0)
    is_wide = zeros > len(start) / 3 and (not any(start[1::2]) or not any(start[::2]))
    return is_wide or odd <= len(start) / 20


def _may_be_tar(path: str) -> bool:
    name = path.lower()
    return ".tar" in name or name.endswith((".tgz", ".txz", ".tbz", ".tbz2"))


def _tar(path: str) -> Evidence:
    """Return what the members of an archive tell; a file that only has the name of one is read as a log."""
    try:
        with tarfile.open(path) as archive:
            return together(list(_members(archive, path)))
    except tarfile.ReadError as error:
        found = read_log(path)
        return replace(found, problems=(*found.problems, Unread(path, f"no whole archive, read as one log: {error}")))
    except (EOFError, tarfile.TarError) as error:
        raise OomtopError(f"{path}: damaged archive: {error}") from error


def _members(archive: tarfile.TarFile, path: str) -> Iterator[Evidence]:
    total = 0
    for member in archive:
        stream = archive.extractfile(member) if member.isfile() and not member.name.endswith(_NO_LOG) else None
        total += member.size
        if total > _MOST_BYTES:
            yield Evidence(problems=(Unread(path, f"more than {_MOST_BYTES >> 30} GiB: what comes later is left out"),))
            return
        if stream is not None:
            yield from _member(cast(BinaryIO, stream), f"{path}:{member.name}")


def _zip(path: str) -> Iterator[Evidence]:
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                if not member.is_dir() and not member.filename.endswith(_NO_LOG):
                    with archive.open(member) as stream:
                        yield from _member(cast(BinaryIO, stream), f"{path}:{member.filename}")
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
        raise OomtopError(f"{path}: damaged or encrypted archive: {error}") from error


def _member(stream: BinaryIO, name: str) -> Iterator[Evidence]:
    """Yield what one member of an archive tells; a journal needs to be unpacked first."""
    start = stream.read(_START)
    kind = kind_of(start)
    if kind == "journal":
        yield Evidence(problems=(Unread(name, "a binary journal inside an archive: unpack it first"),))
    elif kind == "text":
        try:
            yield read_packed(start, stream, name)
        except (OSError, OomtopError) as error:
            yield from _problem(name, error)
