"""Texts of the process table: how it is arranged, an empty filter result, a number being typed."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from oomtop.host.process import ProcessId
from oomtop.tui.process_table.rows import Key, View
from oomtop.units import printable

_TYPING_SECONDS = 3.0


def note_of(
    view: View, shown: int, every: int, tagged: int, follows: bool = False, is_pinned: bool = False, typed: str = ""
) -> tuple[str, ...]:
    """Return the note beside the last title, and a shorter form: none for the plain list of all processes."""
    parts = []
    if typed:
        parts.append((f"PID {typed}", f"PID {typed}"))
    if tagged:
        parts.append((f"{tagged} tagged", f"{tagged}*"))
    if is_pinned:
        parts.append(("O: order held", "O held"))
    if follows:
        parts.append(("F: follows the cursor", "F"))
    if view.kernel_threads:
        parts.append(("K: with kernel threads", "K"))
    if view.tree:
        parts.append(("tree", "tree"))
    if view.grouping is not None:
        parts.append((f"by {view.grouping.value}", f"by {view.grouping.value}"))
    if view.user is not None or view.filter_text:
        parts.append((f"{shown}/{every} {_limits(view)}",) * 2)
    return tuple(f"[{', '.join(form)}]" for form in zip(*parts, strict=True))


def _limits(view: View) -> str:
    user = f"user {printable(view.user)}" if view.user is not None else ""
    return " and ".join(part for part in (user, printable(view.filter_text)) if part)


def words_of_none(view: View) -> str:
    """Return the line shown instead of rows if there are none."""
    key = "u" if view.user is not None else "\\"
    limits = _limits(view)
    text = f"No process matches {limits} ({key} to edit, empty shows all)" if limits else "no process"
    return f"   {text}"


class TypedNumber:
    """Digits typed one after the other; a new number starts after three seconds without one, or once it is ended.

    Over a slow link digits of one number arrive more than a second apart: too short a time would make two numbers of
    them, and the cursor would stand on another process.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._text = ""
        self._at = float("-inf")

    @property
    def text(self) -> str:
        """The number that the next digit is appended to, empty if it starts a new one."""
        return self._text if self._clock() - self._at <= _TYPING_SECONDS else ""

    def take(self, digit: str) -> str:
        """Add a digit and return the number so far."""
        self._text, self._at = self.text + digit, self._clock()
        return self._text

    def end(self) -> None:
        """Let the next digit begin a number."""
        self._text = ""

    def is_elsewhere(self, cursor: ProcessId | str | None) -> bool:
        """Whether a number is being typed that is not the pid of the line under the cursor."""
        return bool(self.text) and not (isinstance(cursor, ProcessId) and str(cursor.pid) == self.text)


class TableCursor(NamedTuple):
    """The position of a table, for another one to continue from."""

    cursor: Key | None
    """Where the user put it, None if never moved."""
    top: int
    """The first line in sight."""
    typed: TypedNumber
