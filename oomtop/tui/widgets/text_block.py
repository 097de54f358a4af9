"""`Sheet`: text widget whose height is its number of lines; `Page` scrolls sheets with the usual keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from rich.console import Group
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.geometry import Region
from textual.widget import Widget

from oomtop.tui.style.rich_text import to_group
from oomtop.tui.style.text import Text

Draw = Callable[[int], list[Text]]
"""(width) to the lines of a sheet."""


class Sheet(Widget):
    """Shows what its drawing function returns; repaints the lines that differ, lays out when their number does."""

    DEFAULT_CSS = """
    Sheet { width: 1fr; height: 0; }
    """

    def __init__(self, draw: Draw, *, id: str) -> None:
        super().__init__(id=id)
        self._draw = draw
        self._lines: list[Text] = []

    def update(self) -> None:
        """Draw anew; nothing is sent where nothing differs."""
        width = self.size.width or (self.parent.size.width if isinstance(self.parent, Widget) else 0)
        if not width:
            return
        lines = self._draw(width)
        for line in lines:
            line.truncate(width, overflow="crop")
        before, self._lines = self._lines, lines
        if len(lines) != len(before):
            self.styles.height = len(lines)
            self.refresh()
            return
        for y, (old, new) in enumerate(zip(before, lines, strict=True)):
            if old != new:
                self.refresh(Region(0, y, width, 1))

    def on_resize(self) -> None:
        """Draw for the new width."""
        self.update()

    def render(self) -> Group:
        """Return the lines drawn last."""
        return to_group(self._lines)

    @property
    def text(self) -> str:
        """What it shows, without colours."""
        return "\n".join(line.plain for line in self._lines)


class Page(VerticalScroll):
    """A column of sheets that scrolls with arrows, PgUp, PgDn, Home and End."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "scroll_up", "Up", show=False, id="page.up"),
        Binding("down", "scroll_down", "Down", show=False, id="page.down"),
        Binding("space", "page_down", "Page down", show=False, id="page.space"),
    ]
