"""The plain screen on its own: it refreshes, moves its cursor, goes from danger to danger, and kills."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Mapping
from contextlib import suppress

from oomtop.analysis.dangers.order import step
from oomtop.crash import reason_of
from oomtop.selfguard import end_start, guard_self
from oomtop.tui.plain.kill_dialog import KillDialog
from oomtop.tui.plain.screen import PlainScreen
from oomtop.tui.terminal.input_units import ESCAPE, InputUnits, Pasted

_QUIT = ("q", "\x03", "\x1b[21~")
_KILL = ("k", "\x1b[20~")
_MOVES: Mapping[str, int] = {"\x1b[A": -1, "\x1bOA": -1, "\x1b[B": 1, "\x1bOB": 1}
_PAGES: Mapping[str, int] = {"\x1b[5~": -1, "\x1b[6~": 1}
_FAR = 1 << 30
_EDGES: Mapping[str, int] = {
    **dict.fromkeys(("\x1b[H", "\x1bOH", "\x1b[1~"), -_FAR),
    **dict.fromkeys(("\x1b[F", "\x1bOF", "\x1b[4~"), _FAR),
}


class Rescue:
    """Runs until `q`, a signal, or the end of the terminal."""

    def __init__(self, screen: PlainScreen) -> None:
        self._screen = screen
        self._units = InputUnits()
        self._dialog: KillDialog | None = None
        self._code: int | None = None
        self._reader, self._writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def run(self) -> int:
        """Show every tick and answer every key; return the exit code."""
        self._screen.paint()
        self._prepare()
        threading.Thread(target=self._sample, name="sampling", daemon=True).start()
        before = signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        signal.signal(signal.SIGWINCH, lambda number, frame: None)
        try:
            while self._code is None:
                self._paint()
                self._answer()
        finally:
            signal.set_wakeup_fd(before)
            self._screen.source.close()
        return self._code

    def _prepare(self) -> None:
        """Have what a kill needs in memory, and lock it there."""
        state = self._screen.state
        KillDialog.load()
        end_start()
        state.guard = guard_self().describe()

    def _sample(self) -> None:
        try:
            for sample in self._screen.samples:
                self._screen.latest = sample
                self.wake()
        except Exception as error:  # noqa: BLE001 - a thread has no caller; what was seen stays on the screen
            self._screen.tell(f"sampling failed: {reason_of(error)}")
            self.wake()

    def wake(self) -> None:
        """Have the screen painted."""
        with suppress(BlockingIOError):
            os.write(self._writer, b".")

    def _paint(self) -> None:
        self._screen.paint(() if self._dialog is None else self._dialog.lines())

    def _answer(self) -> None:
        """Wait for a key, a tick or another size, and take it in."""
        ready = self._screen.terminal.wait([self._reader], self._units.wait)
        if self._reader in ready:
            os.read(self._reader, 4096)
        if 0 not in ready:
            self._take(self._units.late() if not ready else [])
            return
        data = self._screen.terminal.read()
        if data is None:
            self._code = 1
        else:
            self._take(self._units.feed(data))

    def _take(self, units: list[str | Pasted]) -> None:
        for unit in units:
            if isinstance(unit, str):
                self._press(unit)

    def _press(self, key: str) -> None:
        if self._dialog is not None:
            self._dialog = self._dialog.press(key)
            return
        table = self._screen.picture.table
        if key in _QUIT:
            self._code = 0
        elif key in _KILL:
            self._dialog = KillDialog.of(self._screen, self.wake)
        elif key in _MOVES:
            table.move(_MOVES[key])
        elif key in _PAGES:
            table.page(_PAGES[key])
        elif key in _EDGES:
            table.move(_EDGES[key])
        elif key.isdecimal() and key.isascii():
            table.jump(key)
        else:
            self._turn(key)

    def _turn(self, key: str) -> None:
        """Speak of the next danger, the one before, or the nearest."""
        state, latest = self._screen.state, self._screen.latest
        if key == ESCAPE:
            state.choice = None
        elif key in ("n", "N") and latest is not None:
            state.choice = step(latest.assessment.dangers, state.choice, 1 if key == "n" else -1)
