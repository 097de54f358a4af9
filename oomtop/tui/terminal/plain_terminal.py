"""The terminal while no Textual has it: raw, in the alternate screen, and given back however the program ends."""

from __future__ import annotations

import os
import termios
from collections.abc import Sequence
from typing import TYPE_CHECKING

from oomtop.host.ready import readable, writable
from oomtop.tui.terminal.window_title import WindowTitle

if TYPE_CHECKING:
    from oomtop.tui.terminal.input_units import InputUnits, Pasted

LEAST_SIZE = (20, 5)
"""(columns, lines); of a smaller terminal only a part is seen."""
_OPEN = "\x1b[?1049h\x1b[?25l"
_CLOSE = "\x1b[0m\x1b[?25h\x1b[?1049l"
# As Textual sets them.
_LOCAL = termios.ECHO | termios.ICANON | termios.IEXTEN | termios.ISIG
_INPUT = termios.IXON | termios.IXOFF | termios.ICRNL | termios.INLCR | termios.IGNCR


def read_input(descriptor: int) -> bytes | None:
    """Return what was sent to a terminal that does not block, None at its end."""
    try:
        return os.read(descriptor, 4096) or None
    except BlockingIOError:
        return b""
    except OSError:
        return None


class PlainTerminal:
    """Descriptor 0 as the screen; keys that nobody reads stay in its queue for whoever comes next."""

    def __init__(self, descriptor: int = 0) -> None:
        self._descriptor = descriptor
        self.before: list[int | list[bytes | int]] | None = None
        """The attributes that it had, None while it is not open."""
        self.units: InputUnits | None = None
        """What cuts the input, once somebody reads it."""
        self.kept: list[str | Pasted] = []
        """What was typed for whoever has the terminal next."""
        self.title = WindowTitle(self.write)

    def open(self) -> None:
        """Switch to the alternate screen, and have no key echoed."""
        self.before = termios.tcgetattr(self._descriptor)
        raw = termios.tcgetattr(self._descriptor)
        raw[3] &= ~_LOCAL
        raw[0] &= ~_INPUT
        raw[6][termios.VMIN] = 1
        termios.tcsetattr(self._descriptor, termios.TCSANOW, raw)
        self.write(_OPEN)

    def close(self) -> None:
        """Show what was there before."""
        if self.before is not None:
            self.title.show("")
            self.write(_CLOSE)
            termios.tcsetattr(self._descriptor, termios.TCSANOW, self.before)
            self.before = None

    def hand_over(self) -> list[int | list[bytes | int]] | None:
        """Let somebody else have the terminal as it is; return what to set it to at the end."""
        self.title.show("")
        before, self.before = self.before, None
        return before

    def size(self) -> tuple[int, int]:
        """Return (columns, lines), as `shutil.get_terminal_size` finds them."""
        columns, lines = _said("COLUMNS"), _said("LINES")
        if not (columns and lines):
            found = os.get_terminal_size(self._descriptor)
            columns, lines = columns or found.columns or 80, lines or found.lines or 24
        return max(columns, LEAST_SIZE[0]), max(lines, LEAST_SIZE[1])

    def write(self, text: str) -> None:
        """Write all of a text, waiting where the terminal is not ready."""
        data = memoryview(text.encode("utf-8", "replace"))
        while data:
            try:
                data = data[os.write(self._descriptor, data) :]
            except BlockingIOError:
                writable(self._descriptor, 1.0)

    def read(self) -> bytes | None:
        """Return what was typed, None at the end of the terminal."""
        return read_input(self._descriptor)

    def wait(self, others: Sequence[int], seconds: float | None) -> list[int]:
        """Wait for keys or for one of the other descriptors; return those that are ready, 0 for keys."""
        ready = readable((self._descriptor, *others), seconds)
        return [0 if one == self._descriptor else one for one in ready]


def _said(name: str) -> int:
    text = os.environ.get(name, "")
    return int(text) if text.isdecimal() else 0
