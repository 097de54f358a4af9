"""`Lookout`: detects rising pressure between ticks, from the stall time of `/proc/pressure/memory`.

One `pread` of 130 bytes, 0.03 ms; Documentation/accounting/psi.rst.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

from oomtop.errors import ParseError
from oomtop.host.pressure import parse_pressure
from oomtop.host.root import Root
from oomtop.threads import begin

_SECONDS = 1.0
_STALLED = 0.05
"""Share of a second in which some task waited for memory: as much as 5 % for the ten-second average."""


class Lookout:
    """A thread that calls `wake` when tasks begin to wait for memory; does nothing where there is no PSI."""

    def __init__(self, root: Root, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._ended = threading.Event()
        try:
            self._descriptor = os.open(root.at("/proc/pressure/memory"), os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return
        try:
            begin(threading.Thread(target=self._run, name="lookout", daemon=True))
        except (RuntimeError, MemoryError):
            # No further thread can be made: the ticks come as they are due.
            os.close(self._descriptor)

    def close(self) -> None:
        """End the thread."""
        self._ended.set()

    def _run(self) -> None:
        before = self._total_us()
        while not self._ended.wait(_SECONDS):
            now = self._total_us()
            if now is not None and before is not None and now - before > _STALLED * _SECONDS * 1e6:
                self._wake()
            before = now
        os.close(self._descriptor)

    def _total_us(self) -> int | None:
        try:
            return parse_pressure(os.pread(self._descriptor, 512, 0).decode("ascii")).some.total_us
        except (OSError, ParseError, UnicodeDecodeError):
            return None
