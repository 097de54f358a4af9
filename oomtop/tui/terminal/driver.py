"""The terminal's driver: Textual's for Linux, with a reader that no byte ends and a writer that no pause ends.

Textual's own reader ends at the first byte that is no UTF-8 and at the first number out of range; the process then
ends with 0 or goes on without keys.  Its writer ends at the first EAGAIN.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from textual import events
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message
from textual.messages import TerminalSupportsSynchronizedOutput

from oomtop.host.ready import readable, writable
from oomtop.tui.terminal.input_units import ESCAPE, InputUnits, Pasted
from oomtop.tui.terminal.plain_terminal import LEAST_SIZE, PlainTerminal, read_input
from oomtop.tui.terminal.textual_private import FOCUSIN, FOCUSOUT, XTermParser, end_with_report, key_events
from oomtop.tui.terminal.window_title import WindowTitle

if TYPE_CHECKING:
    from textual.app import App

_ALTERNATE_SCREEN = "\x1b[?1049h"
_POLL = 0.1
"""Seconds after which the reader looks whether it is to stop."""
_SYNCHRONIZED = tuple(f"\x1b[?2026;{state}$y" for state in (1, 2, 3))
_POSITION = re.compile(r"\x1b\[(?!1;[2-8]R)\d+;\d+R")
"""An answer to "where is the cursor", which looks like F3 with a modifier."""


class TerminalDriver(LinuxDriver):
    """Reads and writes the terminal whatever it sends and however slowly it takes."""

    def __init__(
        self, app: App[object], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self._file = TerminalFile(self.fileno)  # type: ignore[assignment]
        self._has_begun = False
        """Whether the terminal was taken over already: after a suspension it is the shell's."""
        self._is_open = False
        """Whether the alternate screen is not to be asked for once more."""
        self._units = InputUnits()
        self._typed: list[str | Pasted] = []
        """What was typed before."""
        self.title = WindowTitle(self._write_at_once)

    def _query_in_band_window_resize(self) -> None:
        """Ask for no sizes as text: the kernel's are enough, and a forged one would ask for gigabytes."""

    def _get_terminal_size(self) -> tuple[int, int]:
        """Return a size that widgets can be laid out in; of a smaller terminal only a part is seen."""
        width, height = super()._get_terminal_size()
        return max(width, LEAST_SIZE[0]), max(height, LEAST_SIZE[1])

    def start_application_mode(self) -> None:
        """Set the terminal; one that a first picture stands on is in the alternate screen, and would be cleared."""
        held: PlainTerminal | None = None if self._has_begun else getattr(self._app, "held", None)
        self._has_begun = True
        self._is_open = held is not None
        if held is not None:
            self._units, self._typed = held.units or self._units, held.kept
        super().start_application_mode()  # type: ignore[no-untyped-call]
        if held is not None:
            self.attrs_before = held.hand_over()

    def stop_application_mode(self) -> None:
        """Give the terminal back as it was, with its title."""
        self.title.show("")
        super().stop_application_mode()

    def _write_at_once(self, data: str) -> None:
        self.write(data)
        self.flush()

    def write(self, data: str) -> None:
        """Write what is not done yet."""
        if data == _ALTERNATE_SCREEN and self._is_open:
            self._is_open = False
            return
        super().write(data)

    def _run_input_thread(self) -> None:
        try:
            self.run_input_thread()
        except Exception as error:  # noqa: BLE001 - a thread has no caller; the app ends with a report and with 1
            end_with_report(self._app, error)

    def run_input_thread(self) -> None:
        """Read until the app stops the driver or the terminal is gone."""
        units, translator = self._units, Translator()
        # Once: after a suspension this begins again.
        found, self._typed = self._typed, []
        while not self.exit_event.is_set():
            for unit in found:
                for message in translator.messages(unit):
                    self.process_message(message)
            if readable((self.fileno,), units.wait or _POLL):
                data = read_input(self.fileno)
                if data is None:
                    self._app.call_later(self._app.exit, None, 1, "oomtop: the terminal is gone")
                    return
                found = units.feed(data)
            else:
                found = units.late()


class Translator:
    """From units to Textual's messages; a unit that means nothing is none."""

    def __init__(self) -> None:
        self._parser = XTermParser()

    def messages(self, unit: str | Pasted) -> list[Message]:
        """Return what a unit is to the app."""
        if isinstance(unit, Pasted):
            return [events.Paste(_one_kind_of_lines(unit.text))]
        if unit in (FOCUSIN, FOCUSOUT):
            return [events.AppFocus() if unit == FOCUSIN else events.AppBlur()]
        if unit in _SYNCHRONIZED:
            return [TerminalSupportsSynchronizedOutput()]
        if unit.startswith("\x1b[<"):
            mouse = self._parser.parse_mouse_code(unit)
            return [mouse] if isinstance(mouse, events.MouseEvent) else []
        return list(self._keys(unit))

    def _keys(self, unit: str) -> list[events.Key]:
        if unit.endswith("R") and _POSITION.fullmatch(unit):
            return []
        if unit == ESCAPE:
            return [events.Key("escape", ESCAPE)]
        try:
            keys = list(key_events(self._parser, unit))
            if not keys and len(unit) == 2:
                keys = list(key_events(self._parser, unit[1], alt=True))
        except (ValueError, OverflowError):
            # The number of a character that there is not.
            return []
        return [key for key in keys if key.key != "<ignore>" and _is_text(key.character)]


def _is_text(character: str | None) -> bool:
    """Whether a character can be written; a surrogate cannot."""
    return character is None or not any("\ud800" <= char <= "\udfff" for char in character)


def _one_kind_of_lines(text: str) -> str:
    """Return a text whose lines end with a newline and that holds no other control character."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    return "".join(char for char in lines if char == "\n" or char.isprintable())


class TerminalFile:
    """The terminal as a file that waits where the terminal is not ready (EAGAIN), and drops where it is gone."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._waiting: list[bytes] = []

    def fileno(self) -> int:
        """Return its number."""
        return self._descriptor

    def isatty(self) -> bool:
        """Whether it is a terminal still."""
        return os.isatty(self._descriptor)

    def write(self, text: str) -> int:
        """Keep a text until the next flush."""
        self._waiting.append(text.encode("utf-8", "replace"))
        return len(text)

    def flush(self) -> None:
        """Write what was kept."""
        data = memoryview(b"".join(self._waiting))
        self._waiting.clear()
        while data:
            try:
                data = data[os.write(self._descriptor, data) :]
            except BlockingIOError:
                writable(self._descriptor, 1.0)
            except OSError:
                # The terminal is gone: the reader finds out as well, and ends the program.
                return
