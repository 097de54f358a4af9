"""Log files by name, plain or compressed, and which ones a machine keeps; the journal through journalctl.

syslog's `kern.log`, `syslog`, `messages`, `dmesg` with what logrotate makes of them (`.1`, `-20261123`, `.2.gz`);
journalctl(1) `-o json`.  gzip, xz and bzip2 are Python's own; zstd and lz4 are the tools of that name, where installed.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import BinaryIO, cast

from oomtop.errors import OomtopError
from oomtop.frozen import replace
from oomtop.oomlog.carriers.fields import FIELDS, UNITS
from oomtop.oomlog.event import OomEvent
from oomtop.oomlog.evidence import Evidence, Unread, of_document, together
from oomtop.oomlog.merge import once
from oomtop.oomlog.scan import LogScanner, scan_file, scan_stream
from oomtop.oomlog.tool import through

_MOST_MEMBER = 1 << 31
_NAMES = ("kern.log", "messages", "syslog", "dmesg")
# systemd.journal-fields(7), sd-messages.h: "A process of unit has been killed by the OOM killer".
_UNIT_OUT_OF_MEMORY = "fe6faa94e7774663a0da52717891d8ef"
MAGIC: Mapping[bytes, str] = {
    b"\x1f\x8b": "gzip", b"\xfd7zXZ\x00": "lzma", b"\x5d\x00\x00": "lzma", b"BZh": "bz2", b"\x28\xb5\x2f\xfd": "zstd",
    b"\x04\x22\x4d\x18": "lz4",
}  # fmt: skip
"""How compressed files begin."""
_TOOLS = ("zstd", "lz4")


def read_log(path: str, is_own: bool = False) -> Evidence:
    """Return the evidence of one log file; dates without a year are known in the machine's own logs.

    Raises:
        OSError: the file cannot be read.
        OomtopError: it is compressed and damaged, or by a tool that is not installed.
    """
    scanner = LogScanner(path, os.stat(path).st_mtime if is_own else None)
    kind = compression_of(path)
    if kind is None:
        return _evidence(scan_file(path, path, scanner=scanner), scanner, path)
    with _unpacked(path, kind) as stream:
        damage: tuple[type[Exception], ...] = (EOFError, ValueError, *_damage(kind))
        try:
            return _evidence(scan_stream(stream, path, scanner=scanner), scanner, path)
        except damage as error:
            raise OomtopError(f"{path}: damaged {kind} file: {error}") from error


def read_stream(stream: BinaryIO, name: str) -> Evidence:
    """Return the evidence of a stream of text, as `read_log` does of a file."""
    scanner = LogScanner(name)
    return _evidence(scan_stream(stream, name, scanner=scanner), scanner, name)


def read_packed(start: bytes, stream: BinaryIO, name: str) -> Evidence:
    """Return what a member of an archive or a pipe tells, plain or compressed; `start` was read from it already."""
    kind = next((kind for magic, kind in MAGIC.items() if start.startswith(magic)), None)
    whole = io.BytesIO(start + stream.read(_MOST_MEMBER))
    if kind is None:
        return read_stream(whole, name)
    if kind in _TOOLS:
        raise OomtopError(f"{name}: {kind} inside an archive or a pipe: unpack it first")
    damage: tuple[type[Exception], ...] = (EOFError, ValueError, *_damage(kind))
    try:
        return read_stream(_open_packed(whole, kind), name)
    except damage as error:
        raise OomtopError(f"{name}: damaged {kind} file: {error}") from error


def read_journal_file(path: str) -> Evidence:
    """Return the evidence of a binary journal, through journalctl.

    Raises:
        OomtopError: journalctl cannot read it, or is not installed.
    """
    scanner = LogScanner(path)
    with through(("journalctl", "-o", "json", "-q", "--no-pager", f"--file={path}"), path) as stream:
        return _evidence(scan_stream(stream, path, scanner=scanner), scanner, path)


def _evidence(events: Iterable[OomEvent], scanner: LogScanner, name: str) -> Evidence:
    found = scanner.mentions.evidence(once(events))
    if scanner.document is not None:
        found = of_document(found, scanner.document)
    return replace(found, problems=tuple(Unread(name, why) for why in scanner.problems))


def read_file(path: str, is_own: bool = False) -> tuple[OomEvent, ...]:
    """Return the events alone of `read_log`."""
    return read_log(path, is_own).events


def compression_of(path: str) -> str | None:
    """Return how a file is compressed, by its first bytes; None for plain text."""
    with open(path, "rb", buffering=0) as file:
        start = file.read(6)
    return next((kind for magic, kind in MAGIC.items() if start.startswith(magic)), None)


def _damage(kind: str) -> tuple[type[Exception], ...]:
    """Return what the decompressor raises besides EOFError; gzip's and bz2's is an OSError."""
    if kind == "lzma":
        import lzma

        return (lzma.LZMAError,)
    if kind == "gzip":
        import gzip
        import zlib

        return (gzip.BadGzipFile, zlib.error)
    return ()


@contextmanager
def _unpacked(path: str, kind: str) -> Iterator[BinaryIO]:
    if kind in _TOOLS:
        with through((kind, "-dcq", "--", path), path) as stream:
            yield stream
        return
    with _open_packed(path, kind) as stream:
        yield stream


def _open_packed(path: str | BinaryIO, kind: str) -> BinaryIO:
    # Imported here: three libraries that a machine's logs need once a week.
    if kind == "gzip":
        import gzip

        return cast(BinaryIO, gzip.open(path, "rb"))
    if kind == "lzma":
        import lzma

        return cast(BinaryIO, lzma.open(path, "rb"))
    import bz2

    return cast(BinaryIO, bz2.open(path, "rb"))


def list_machine_logs(folder: str = "/var/log") -> tuple[str, ...]:
    """Return the log files that may hold kernel messages, oldest first by their times."""
    found: list[tuple[float, str]] = []
    for entry in os.scandir(folder):
        # logrotate's `kern.log.2.gz` and `messages-20261123.xz`.
        is_log = any(entry.name == name or entry.name.startswith((f"{name}.", f"{name}-")) for name in _NAMES)
        if is_log and entry.is_file():
            found.append((entry.stat().st_mtime, entry.path))
    return tuple(path for _, path in sorted(found))


def read_machine_logs(folder: str = "/var/log", since: float | None = None) -> Evidence:
    """Return what all log files of a machine tell, and what could not be read."""
    try:
        paths = list_machine_logs(folder)
    except OSError as error:
        return Evidence(problems=(Unread(folder, os.strerror(error.errno or 0)),))
    return together([_own_log(path, since) for path in paths])


def _own_log(path: str, since: float | None) -> Evidence:
    try:
        # A file that was last written before `since` holds nothing after it.
        is_old = since is not None and os.stat(path).st_mtime < since
        return Evidence() if is_old else read_log(path, is_own=True)
    except OSError as error:
        return Evidence(problems=(Unread(path, os.strerror(error.errno or 0)),))
    except OomtopError as error:
        return Evidence(problems=(Unread(path, str(error)),))


def read_journal(since: float | None = None) -> Evidence:
    """Return what the journal tells, of this boot and those before; a machine without journalctl has none."""
    units = [word for name in sorted(UNITS) for word in ("+", f"_SYSTEMD_UNIT={name}.service")]
    when = [] if since is None else [f"--since=@{int(since)}"]
    output = ("-o", "json", "-q", "--no-pager", f"--output-fields={FIELDS}")
    argv = (
        "journalctl",
        *output,
        *when,
        "_TRANSPORT=kernel",
        *units,
        "+",
        "_COMM=systemd",
        f"MESSAGE_ID={_UNIT_OUT_OF_MEMORY}",
    )
    scanner = LogScanner("journal")
    events: list[OomEvent] = []
    try:
        with through(argv, "journal") as stream:
            events.extend(scan_stream(stream, "journal", scanner=scanner))
    except OomtopError as error:
        is_missing = "not installed" in str(error)
        # journalctl ends with 1 where there is no entry, and where there is no journal.
        is_empty = "exit code 1" in str(error) or "No journal files" in str(error)
        return Evidence(tuple(events), problems=() if is_missing or is_empty else (Unread("journal", str(error)),))
    return _evidence(events, scanner, "journal")
