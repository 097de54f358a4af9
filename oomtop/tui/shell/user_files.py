"""The files that the screen writes for its user: its picture as SVG, and the report of a crash.

Both are new files, never written over another one, readable by their owner only: command lines may hold secrets.
"""

from __future__ import annotations

import errno
import os
import platform
import sys
import time
import traceback
from collections.abc import Iterable, Iterator, Mapping
from itertools import count
from pathlib import Path

from rich.text import Text
from textual.app import App

from oomtop import __version__
from oomtop.errors import OomtopError
from oomtop.host.trusted_file import Place
from oomtop.units import printable

_MOST = 1000


def write_new(name: str, suffix: str, text: str, folders: Iterable[Path]) -> Path:
    """Write `text` to `name`, or `name-2` and so on, in the first folder that takes it, and return its path.

    Raises:
        OomtopError: none of the folders does; names the last of them and why.
    """
    problem = "there is no folder to write to"
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
            # A link of somebody else would lead root into a folder of the system.
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


def export_screen(app: App[None]) -> str:
    """Write the screen as SVG to the folder oomtop was started in, or the home folder; return what to say of it."""
    name = time.strftime("oomtop-%Y%m%d-%H%M%S")
    try:
        path = write_new(name, ".svg", app.export_screenshot(title="oomtop"), (Path.cwd(), Path.home()))
    except (OomtopError, OSError) as error:
        return f"the screen could not be written: {error}"
    return f"the screen is in {path}"


def state_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Return where reports go: `$XDG_STATE_HOME/oomtop`, `~/.local/state/oomtop` without one."""
    state = environ.get("XDG_STATE_HOME", "")
    return (Path(state) if os.path.isabs(state) else Path.home() / ".local" / "state") / "oomtop"


def save_crash(error: BaseException, now: float) -> Path | None:
    """Write what is known about an error of oomtop's own, without the values of its variables.

    Returns:
        The path of the report, None where no folder takes it.
    """
    folder = state_folder()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        folder = Path.cwd()
    try:
        return write_new(time.strftime("crash-%Y%m%d-%H%M%S", time.localtime(now)), ".txt", crash_text(error),
                         (folder, Path("/tmp")))  # fmt: skip
    except OomtopError:
        return None


class Crash(Exception):
    """An error of oomtop's own, as the user is told of it; Rich prints it as its text."""

    def __init__(self, error: BaseException, report: Path | None) -> None:
        where = f"the report is in {report}" if report else "no report could be written"
        super().__init__(f"oomtop failed: {type(error).__name__}: {printable(str(error))[:200]}; {where}")

    def __rich__(self) -> Text:
        """Return the text, without markup."""
        return Text(str(self))


def crash_of(error: BaseException) -> Crash:
    """Write a report of an error and return what the user is told."""
    return Crash(error, save_crash(error, time.time()))


def crash_text(error: BaseException) -> str:
    """Return the report: versions and the calls that led to the error."""
    calls = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    versions = f"oomtop {__version__}, Python {platform.python_version()}, {platform.platform()}"
    terminal = ", ".join(f"{name}={os.environ[name]}" for name in ("TERM", "COLORTERM", "LANG") if name in os.environ)
    return f"{versions}\n{terminal}\narguments: {' '.join(sys.argv[1:])}\n\n{calls}"
