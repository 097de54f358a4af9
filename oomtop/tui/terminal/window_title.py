"""The title of the terminal's window, changed for a while; the terminal itself keeps the one before.

XTerm Control Sequences: OSC 2 sets the title, CSI 22;2t and 23;2t put the one before on a stack and take it back.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from oomtop.units import printable

_WITHOUT = ("", "dumb", "linux")
"""Kinds of terminal that have no window."""


class WindowTitle:
    """What the window is called while there is something to say in its title."""

    def __init__(self, write: Callable[[str], object], environ: Mapping[str, str] = os.environ) -> None:
        self._write = write
        self._has_window = environ.get("TERM", "") not in _WITHOUT
        self._shown = ""

    def show(self, text: str) -> None:
        """Show a text without any control character; an empty one gives back the title that was there before."""
        text = printable(text)
        if text == self._shown or not self._has_window:
            return
        keep, back = "" if self._shown else "\x1b[22;2t", "" if text else "\x1b[23;2t"
        self._write(f"{keep}\x1b]2;{text}\x07{back}")
        self._shown = text
