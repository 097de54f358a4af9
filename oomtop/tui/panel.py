"""`Panel`: a widget of a few text lines that repaints only when its text or style differs."""

from __future__ import annotations

from collections.abc import Callable

from rich.console import Group
from rich.text import Text
from textual.widget import Widget

from oomtop.analysis.model import Assessment
from oomtop.tui.look import Look

Draw = Callable[[Assessment, int, int, Look], list[Text]]
"""(assessment, width, height, look) to the lines of the panel."""


class Panel(Widget):
    """Shows what its drawing function returns; compares before it refreshes."""

    def __init__(self, draw: Draw, look: Look, *, id: str) -> None:
        super().__init__(id=id)
        self._draw = draw
        self._look = look
        self._assessment: Assessment | None = None
        self._shown: list[Text] = []

    def show(self, assessment: Assessment) -> None:
        """Take a tick in."""
        self._assessment = assessment
        self._update()

    def on_resize(self) -> None:
        """Draw for the new width."""
        self._update()

    def _update(self) -> None:
        if self._assessment is None or not self.size.width:
            return
        lines = self._draw(self._assessment, self.size.width, self.size.height, self._look)
        for line in lines:
            line.no_wrap = True
            line.truncate(self.size.width, overflow="crop")
        if lines != self._shown or [line.spans for line in lines] != [line.spans for line in self._shown]:
            self._shown = lines
            self.refresh()

    def render(self) -> Group:
        """Return the lines drawn last."""
        return Group(*self._shown)
