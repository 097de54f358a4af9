"""`Panel`: a widget of a few text lines that repaints only the cells that differ."""

from __future__ import annotations

from collections.abc import Callable

from rich.console import Group
from textual.geometry import Region
from textual.message import Message
from textual.widget import Widget

from oomtop.analysis.model.assessment import Assessment
from oomtop.tui.style.cell_width import cell_len
from oomtop.tui.style.palette import Look
from oomtop.tui.style.rich_text import to_group
from oomtop.tui.style.text import Text
from oomtop.tui.widgets.text_parts import Draw


class PanelCell(Message):
    """A cell of a panel, and what the mouse did there."""

    def __init__(self, panel: Panel, x: int, y: int) -> None:
        super().__init__()
        self.panel = panel
        self.x = x
        self.y = y


class PanelClicked(PanelCell):
    """A cell of a panel was clicked."""


class PanelPointedAt(PanelCell):
    """The pointer moved over a cell of a panel."""


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

    def _lines(self) -> list[Text]:
        """Return what is to be seen at this size, nothing before there is one or something to tell."""
        if self._assessment is None or not self.size.width:
            return []
        lines = self._draw(self._assessment, self.size.width, self.size.height, self._look)
        for line in lines:
            line.truncate(self.size.width, overflow="crop")
        return lines

    def _update(self) -> None:
        lines = self._lines()
        before, self._shown = self._shown, lines
        if len(lines) != len(before):
            self.refresh()
            return
        # Textual paints from the left edge of a widget to the end of what is dirty.
        for y, (old, new) in enumerate(zip(before, lines, strict=True)):
            width = changed_width(old, new, self.size.width)
            if width:
                self.refresh(Region(0, y, width, 1))

    def line_at(self, y: int) -> str:
        """Return the text of a line, empty below the last one."""
        return self._shown[y].plain if 0 <= y < len(self._shown) else ""

    def render(self) -> Group:
        """Return the lines drawn last; the first picture comes before the message that tells the size."""
        self._shown = self._shown or self._lines()
        return to_group(self._shown)


class FittedPanel(Panel):
    """A panel as high as what it has to tell; the screen is laid out anew only when that differs."""

    def __init__(self, draw: Draw, look: Look, *, id: str, height: Callable[[Assessment, int, int], int]) -> None:
        super().__init__(draw, look, id=id)
        self._height = height
        self._fitted = 0

    def show(self, assessment: Assessment) -> None:
        """Take a tick in, and the height that it asks for on a terminal of this size."""
        wanted = self._height(assessment, *self.app.size)
        if wanted != self._fitted:
            self._fitted = wanted
            self.styles.height = wanted
        super().show(assessment)


def changed_width(before: Text, after: Text, width: int) -> int:
    """Return up to which cell two lines differ: 0 for equal ones, all of it where a style differs."""
    old, new = before.plain, after.plain
    is_styled_alike = before.style == after.style and before.spans == after.spans
    if old == new and is_styled_alike:
        return 0
    if not is_styled_alike or len(old) != len(new) or cell_len(old) != cell_len(new):
        return width
    return cell_len(new[: 1 + max(at for at, (a, b) in enumerate(zip(old, new, strict=True)) if a != b)])
