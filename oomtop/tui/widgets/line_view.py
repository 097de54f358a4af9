"""`LineView`: many lines of text that scroll; only what is in sight is drawn, and what is too long is folded."""

from __future__ import annotations

from collections.abc import Sequence

from rich import text as rich
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from oomtop.tui.style.rich_text import to_rich
from oomtop.tui.style.text import Text


class LineView(ScrollView, can_focus=True):
    """Shows lines; a filter leaves out those without a text, a search goes to the next one with it."""

    DEFAULT_CSS = """
    LineView { height: 1fr; overflow-x: hidden; overflow-y: auto; scrollbar-size-vertical: 1; }
    """

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._all: Sequence[Text] = ()
        self._needle = ""
        self._folded: list[rich.Text] = []

    @property
    def text(self) -> str:
        """All lines as they are shown."""
        return "\n".join(line.plain for line in self._folded)

    def set_lines(self, lines: Sequence[Text]) -> None:
        """Show other lines; the view stays where it is as far as there are that many."""
        self._all = lines
        self._fold()

    def set_filter(self, text: str) -> None:
        """Show only lines that hold `text`, all with an empty one."""
        self._needle = text.casefold()
        self._fold()

    def search(self, text: str) -> bool:
        """Scroll to the next line below the top one that holds `text`, from the start again at the end."""
        needle, count = text.casefold(), len(self._folded)
        start = int(self.scroll_offset.y) + 1
        for at in (*range(start, count), *range(min(start, count))):
            if needle in self._folded[at].plain.casefold():
                self.scroll_to(y=at, animate=False, force=True)
                return True
        return False

    def go_to(self, start: str) -> None:
        """Scroll to the first line that begins with `start`."""
        at = next((at for at, line in enumerate(self._folded) if line.plain.startswith(start)), 0)
        self.scroll_to(y=max(0, at - 1), animate=False, force=True)

    def _fold(self) -> None:
        width = self.scrollable_content_region.width
        if not width:
            return
        self._folded = []
        for line in self._all:
            if self._needle and self._needle not in line.plain.casefold():
                continue
            if line.cell_len <= width:
                self._folded.append(to_rich(line))
            else:
                self._folded.extend(to_rich(line).wrap(self.app.console, width, overflow="fold", no_wrap=False))
        self.virtual_size = Size(width, len(self._folded))
        self.refresh()

    def on_resize(self) -> None:
        """Fold for the new width."""
        self._fold()

    def render_line(self, y: int) -> Strip:
        """Return the line that stands at `y` after scrolling."""
        at, width = int(self.scroll_offset.y) + y, self.size.width
        style = self.rich_style
        if at >= len(self._folded):
            return Strip.blank(width, style)
        line = self._folded[at]
        strip = Strip(list(line.render(self.app.console)), line.cell_len)
        return strip.apply_style(style).adjust_cell_length(width, style)
