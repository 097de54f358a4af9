"""The loop of the plain screen: refresh, cursor, next danger, kill."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from oomtop.analysis.dangers.order import step
from oomtop.crash import reason_of
from oomtop.tui.base.sampling import Sample
from oomtop.tui.plain.full_screen_loading import Loading
from oomtop.tui.plain.screen import PlainScreen
from oomtop.tui.style.text import Text
from oomtop.tui.terminal.input_units import ESCAPE, InputUnits, Pasted

if TYPE_CHECKING:
    from oomtop.tui.plain.kill_dialog import KillDialog

_QUIT = ("q", "\x03", "\x1b[21~")
_ALWAYS_QUIT = "\x03"
_KILL = ("k", "\x1b[20~")
_MOVES: Mapping[str, int] = {"\x1b[A": -1, "\x1bOA": -1, "\x1b[B": 1, "\x1bOB": 1}
_PAGES: Mapping[str, int] = {"\x1b[5~": -1, "\x1b[6~": 1}
_FAR = 1 << 30
_EDGES: Mapping[str, int] = {
    **dict.fromkeys(("\x1b[H", "\x1bOH", "\x1b[1~"), -_FAR),
    **dict.fromkeys(("\x1b[F", "\x1bOF", "\x1b[4~"), _FAR),
}
_KEPT = Text(" loading the full screen; keys are kept for it   Ctrl-C: quit", "bold")
_LOADING_SECONDS = 1.0


class PlainLoop:
    """Runs until `q`, a signal, the end of the terminal, or until the full screen is loaded.

    Keys that only the full screen knows are kept for it, with all that come after them.
    """

    def __init__(self, screen: PlainScreen, load: Callable[[], object] | None = None) -> None:
        """`load` loads the full screen; without it this screen stays."""
        self._screen = screen
        self._loading = Loading(screen, load, self._ring)
        screen.picture.is_alone = load is None
        self._units = screen.terminal.units = screen.terminal.units or InputUnits()
        self._dialog: KillDialog | None = None
        self._code: int | None = None
        self._has_changed = not screen.is_open
        self._reader, self._writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def run(self) -> int | None:
        """Show every tick and answer every key; return the exit code, None once the full screen can take over."""
        if not self._screen.is_open and not self._loading.has_failed:
            # Without a picture no key can be answered.
            self._loading.run()
            if self._loading.is_loaded:
                return None
        else:
            self._loading.begin()
        self._screen.stay()
        before = signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        signal.signal(signal.SIGWINCH, self._change_size)
        try:
            self._follow()
            while self._code is None:
                if self._has_changed:
                    self._paint()
                if self._loading.is_loaded and self._dialog is None:
                    return None
                self._answer()
        finally:
            signal.set_wakeup_fd(before)
        return self._code

    def _follow(self) -> None:
        """Start sampling, once a second until the full screen takes over."""
        if not self._loading.has_failed:
            self._screen.source.interval = min(_LOADING_SECONDS, self._screen.options.interval)
        try:
            self._screen.follow(self._take_sample)
        except RuntimeError as error:
            # What was seen stays on the screen, and can be acted on.
            self._screen.tell(f"no figure is refreshed: {error}")
            self._has_changed = True

    def _take_sample(self, sample: Sample) -> None:
        self._screen.latest = sample
        self.wake()

    def _change_size(self, number: int, frame: object) -> None:
        self._screen.forget()
        self._has_changed = True

    def wake(self) -> None:
        """Have the screen painted."""
        self._has_changed = True
        self._ring()

    def _ring(self) -> None:
        with suppress(BlockingIOError):
            os.write(self._writer, b".")

    def _paint(self) -> None:
        self._has_changed = False
        if self._dialog is not None:
            self._screen.paint(self._dialog.lines())
        else:
            self._screen.paint([_KEPT] if self._screen.terminal.kept and not self._loading.has_failed else ())

    def _answer(self) -> None:
        """Wait for a key, a tick or a resize, and handle it."""
        terminal = self._screen.terminal
        ready = terminal.wait([self._reader], self._units.wait)
        if self._reader in ready:
            os.read(self._reader, 4096)
        if 0 not in ready:
            self._take(self._units.late() if not ready else [])
            return
        data = terminal.read()
        if data is None:
            self._code = 1
        else:
            self._take(self._units.feed(data))

    def _take(self, units: list[str | Pasted]) -> None:
        kept, self._has_changed = self._screen.terminal.kept, self._has_changed or bool(units)
        for unit in units:
            if unit == _ALWAYS_QUIT:
                self._code = 0
            elif self._loading.has_failed:
                kept.clear()
                self._press(unit)
            elif kept or not self._press(unit):
                kept.append(unit)

    def _press(self, key: str | Pasted) -> bool:
        """Handle a key; return whether this screen has it."""
        if isinstance(key, Pasted):
            return False
        if self._dialog is not None:
            self._dialog = self._dialog.press(key)
            return True
        table = self._screen.picture.table
        if key in _QUIT:
            self._code = 0
        elif key in _KILL:
            self._ask_for_kill()
        elif key == "J":
            table.select_victim()
        elif key in _MOVES:
            table.move(_MOVES[key])
        elif key in _PAGES:
            table.page(_PAGES[key])
        elif key in _EDGES:
            table.move(_EDGES[key])
        elif key.isdecimal() and key.isascii():
            table.jump(key)
        else:
            return self._turn(key)
        return True

    def _ask_for_kill(self) -> None:
        try:
            from oomtop.tui.plain.kill_dialog import KillDialog

            self._dialog = KillDialog.of(self._screen, self.wake)
        except (ImportError, MemoryError, OSError) as error:
            self._screen.tell(reason_of(error))

    def _turn(self, key: str) -> bool:
        """Show the next danger, the previous one, or the nearest."""
        state, latest = self._screen.state, self._screen.latest
        if key == ESCAPE:
            state.choice = None
        elif key in ("n", "N") and latest is not None:
            state.choice = step(latest.assessment.dangers, state.choice, 1 if key == "n" else -1)
        else:
            return False
        return True
