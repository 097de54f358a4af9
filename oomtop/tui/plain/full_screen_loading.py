"""`Loading`: protects the program and loads the full screen in a thread, while the plain one answers keys."""

from __future__ import annotations

import gc
import resource
import threading
from collections.abc import Callable
from contextlib import suppress

from oomtop.crash import reason_of
from oomtop.errors import OomtopError
from oomtop.threads import begin
from oomtop.tui.plain.screen import PlainScreen
from oomtop.units import format_bytes

_FULL_SCREEN = 192 << 20
"""Bytes of address space; with 100 MB it ends with an abort or an error now and then, with 120 MB it runs."""


class Loading:
    """Loads with `load`; without it, or if it fails, what the plain screen needs to go on by itself."""

    def __init__(self, screen: PlainScreen, load: Callable[[], object] | None, wake: Callable[[], object]) -> None:
        self._screen, self._load, self._wake = screen, load, wake
        self.is_loaded = False
        """Whether the full screen can take over."""
        self.has_failed = load is None
        """Whether it is not going to."""

    def begin(self) -> None:
        """Load in a thread, or at once if no thread can be started."""
        try:
            begin(threading.Thread(target=self.run, name="loading", daemon=True))
        except RuntimeError:
            self.run()

    def run(self) -> None:
        """Lock memory before anything big is loaded into it, then load."""
        try:
            from oomtop.selfguard import shield

            self._screen.guard = shield()
            if self._load is not None:
                _require_room()
                self._load()
                self.is_loaded = True
        except Exception as error:  # noqa: BLE001 - whatever is wrong with a library, the plain screen goes on
            self.has_failed = True
            self._screen.source.interval = self._screen.options.interval
            self._screen.stay(error)
        if self.has_failed:
            self._prepare()
        self._wake()

    def _prepare(self) -> None:
        """Load what a kill needs, and lock it in memory."""
        # A failed import may leave half of a library.
        gc.collect()
        try:
            from oomtop.selfguard import end_start, guard_self
            from oomtop.tui.plain.kill_dialog import KillDialog

            KillDialog.load()
            _load_for_any_text()
            end_start()
            self._screen.state.guard = guard_self(self._screen.guard).describe()
        except Exception as error:  # noqa: BLE001 - a thread has no caller; it is told
            self._screen.tell(reason_of(error))


def _require_room() -> None:
    """Refuse to load what memory may run out under: Python aborts there, and leaves the terminal as it is.

    Raises:
        OomtopError: `ulimit -v` is too low.
    """
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit != resource.RLIM_INFINITY and limit < _FULL_SCREEN:
        raise OomtopError(f"it maps {format_bytes(_FULL_SCREEN)}, and ulimit -v is {format_bytes(limit)}")


def _load_for_any_text() -> None:
    """Import what wide characters and the rail of kills need; without it, narrow ones are still shown."""
    with suppress(ImportError):
        import textwrap  # noqa: F401

        import rich.cells  # noqa: F401
