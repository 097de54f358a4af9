"""Describes in one line why the program or a thread ended, and writes crash reports without secrets.

A report has the traceback and the option names of the command line, no variables and no environment; what
looks like a credential in a message is left out.  The newest ten reports are kept.
"""

from __future__ import annotations

import errno
import os
import re
import sys
import time
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path

from oomtop import __version__
from oomtop.errors import OomtopError
from oomtop.host.trusted_file import Place
from oomtop.host.user_names import state_home
from oomtop.units import printable

_MOST = 1000
_KEPT = 10
_MOST_TEXT = 1 << 18
_URL = re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://)(?:[^\s/@'\"]*@)?([^\s/@?#'\"]+)[^\s'\"]*")
_HEADER = re.compile(r"(?i)\b(authorization|cookie)(\W{1,4})[^'\"\n]+")
_SECRET = re.compile(r"(?i)\b(bearer|basic|token|password|passwd|secret|api[-_]?key)(\W{1,4})[^\s,;'\"]+")


def write_new(name: str, suffix: str, text: str, folders: Iterable[Path]) -> Path:
    """Write `text` to `name`, or `name-2` and so on, in the first folder that takes it, and return its path.

    Raises:
        OomtopError: no folder could be written; names the last one and why.
    """
    problem = "no folder to write to"
    for folder in folders:
        try:
            return _write(_names(folder, name, suffix), text)
        except OSError as error:
            problem = f"{folder}: {error.strerror}"
    raise OomtopError(problem)


def _names(folder: Path, name: str, suffix: str) -> Iterator[Path]:
    yield folder / f"{name}{suffix}"
    yield from (folder / f"{name}-{number}{suffix}" for number in count(2))


def _write(paths: Iterator[Path], text: str) -> Path:
    for path in paths:
        try:
            # A symbolic link of another user could lead root into a system folder.
            with Place(str(path), obeyed=False) as place:
                descriptor = place.open(os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        except FileExistsError:
            if path.stem.endswith(f"-{_MOST}"):
                break
            continue
        with open(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
        return path
    raise OSError(errno.EEXIST, os.strerror(errno.EEXIST))


def state_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder of the reports: `$XDG_STATE_HOME/oomtop`, else `~/.local/state/oomtop`."""
    return Path(state_home(environ)) / "oomtop"


def reason_of(error: BaseException) -> str:
    """Return in one line why something ended; a bug in oomtop leaves a report, which the line names."""
    if isinstance(error, OomtopError):
        return str(error)
    if isinstance(error, MemoryError):
        return "not enough memory (ulimit -v, or the machine is full)"
    if isinstance(error, RuntimeError) and "start new thread" in str(error):
        return "cannot start another thread (ulimit -u, ulimit -v, pids.max)"
    if isinstance(error, OSError) and error.errno is not None:
        where = f"{printable(os.fsdecode(error.filename))}: " if isinstance(error.filename, (str, bytes)) else ""
        return f"{where}{os.strerror(error.errno)}"
    if isinstance(error, ImportError):
        return f"a part of oomtop cannot be loaded: {printable(str(error))[:200]}"
    report = save_crash(error, time.time())
    where = f"the report is in {report}" if report else "no report could be written"
    return f"{type(error).__name__}: {printable(without_secrets(str(error)))[:200]}; {where}"


def save_crash(error: BaseException, now: float) -> Path | None:
    """Write a crash report and delete the oldest ones.

    Returns:
        The path of the report, or None if no folder can be written.
    """
    folder = state_folder()
    with suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = time.strftime("crash-%Y%m%d-%H%M%S", time.localtime(now))
    try:
        report = write_new(name, ".txt", crash_text(error, sys.argv[1:]), (folder, Path("/tmp")))
    except OomtopError:
        return None
    _forget_oldest(report.parent)
    return report


def _forget_oldest(folder: Path) -> None:
    """Keep only the newest reports of this user, so that a restart loop does not fill the disk."""
    with suppress(OSError):
        own = [(status.st_mtime_ns, path) for path in folder.glob("crash-*-*.txt") if _is_own(status := path.lstat())]
        for _, path in sorted(own)[:-_KEPT]:
            path.unlink(missing_ok=True)


def _is_own(status: os.stat_result) -> bool:
    return status.st_uid == os.geteuid()


def crash_text(error: BaseException, words: Sequence[str]) -> str:
    """Return the report: versions, command-line options and the traceback."""
    calls = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    system = os.uname()
    python = sys.version.split(maxsplit=1)[0]
    versions = f"oomtop {__version__}, Python {python}, {system.sysname} {system.release} {system.machine}"
    terminal = ", ".join(f"{name}={os.environ[name]}" for name in ("TERM", "COLORTERM", "LANG") if name in os.environ)
    options = " ".join(map(_option, words))
    return f"{versions}\n{terminal}\narguments: {options}\n\n{without_secrets(calls[-_MOST_TEXT:])}"


def _option(word: str) -> str:
    """Return an argument for the report; values are left out, as they may be passwords or private paths."""
    name, equals, _ = word.partition("=")
    if name.startswith("-") and not name.lstrip("-").isdigit():
        return f"{name}=..." if equals else name
    return word if word.isalpha() and word.islower() and len(word) <= 12 else "..."


def without_secrets(text: str) -> str:
    """Return the text without what looks like a credential: URL users, paths and queries, tokens, passwords."""
    return _SECRET.sub(r"\1\2...", _HEADER.sub(r"\1\2...", _URL.sub(r"\1\2/...", text)))
