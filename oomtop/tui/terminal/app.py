"""`PlainApp`: an app on a terminal that may be hostile, poor or slow; every app of oomtop is one."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress

from rich.console import RenderableType
from textual.actions import ActionParseResult
from textual.app import App
from textual.css.query import NoMatches
from textual.dom import DOMNode
from textual.filter import LineFilter
from textual.screen import Screen

from oomtop.tui.style.line_filters import AsciiLines, ColourlessLines, SafeLines
from oomtop.tui.style.palette import Look, has_colour, has_utf8
from oomtop.tui.terminal.changed_cells import ChangedCells, Painted
from oomtop.tui.terminal.clipboard import harmless, tmux_copy
from oomtop.tui.terminal.cursor_place import cursor_place
from oomtop.tui.terminal.driver import TerminalDriver
from oomtop.tui.terminal.plain_terminal import PlainTerminal
from oomtop.tui.terminal.textual_private import ChopsUpdate, wait_until_mounted

_MOUNT_SECONDS = 1.0
_SAFE, _COLOURLESS, _ASCII, _ASCII_NAMES = SafeLines(), ColourlessLines(), AsciiLines(), AsciiLines(names_too=True)


class PlainApp(App[None]):
    """An app that no input can crash, and that writes only what its terminal can show."""

    look: Look
    held: PlainTerminal | None = None
    """The terminal in the alternate screen already, None once it is the driver's."""

    def __init__(self, ansi_color: bool | None = None) -> None:
        super().__init__(driver_class=TerminalDriver, ansi_color=ansi_color)
        # Textual takes an empty NO_COLOR for one as well, and does not know CLICOLOR.
        self.no_color = not has_colour()
        self._has_utf8 = has_utf8()
        self._painted = Painted()

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Return what every line passes on its way to the terminal."""
        filters = [_SAFE, *((_COLOURLESS,) if self.no_color else super().get_line_filters())]
        if not self._has_utf8:
            filters.append(_ASCII_NAMES)
        elif self.look.ascii:
            filters.append(_ASCII)
        return filters

    def is_moot(self, error: Exception) -> bool:
        """Whether an error is of a screen that opens while the app is left: it gets no widgets any more."""
        return self._exit and isinstance(error, NoMatches)

    def _handle_exception(self, error: Exception) -> None:
        if not self.is_moot(error):
            super()._handle_exception(error)

    def on_resize(self) -> None:
        """Have all sent anew: a terminal may have moved its lines."""
        self._painted.forget()

    def _display(self, screen: Screen[object], renderable: RenderableType | None) -> None:
        """Send of an update of parts of lines what differs, and anything else as it is; put the cursor in its place."""
        self.cursor_position = cursor_place(self.screen) or self.cursor_position
        if isinstance(renderable, ChopsUpdate):
            renderable = ChangedCells(renderable, self._painted)
        elif renderable is not None:
            self._painted.forget()
        super()._display(screen, renderable)

    async def run_action(
        self,
        action: str | ActionParseResult,
        default_namespace: DOMNode | None = None,
        namespaces: Mapping[str, DOMNode] | None = None,
    ) -> bool:
        """Run an action once the screen it is for stands: a key may come while that is being built."""
        if self.screen_stack and not self.screen.is_mounted:
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(wait_until_mounted(self.screen), _MOUNT_SECONDS)
            if not self.screen.is_mounted:
                return False
        return await super().run_action(action, default_namespace, namespaces)

    def show_title(self, text: str) -> None:
        """Have the terminal's window called `text`; empty: as it was before."""
        if isinstance(self._driver, TerminalDriver):
            self._driver.title.show(text)

    def copy_to_clipboard(self, text: str) -> None:
        """Hand a text to the terminal's clipboard, or to tmux: lines without any control character in them."""
        text = harmless(text)
        if not tmux_copy(text):
            super().copy_to_clipboard(text)
