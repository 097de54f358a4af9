"""`ReplayBar`: the time line at the foot of every screen of a replay."""

from __future__ import annotations

from rich.console import Group
from textual.widget import Widget

from oomtop.tui.replay.time_line import TimeLineState, draw_time_line
from oomtop.tui.style.palette import Look
from oomtop.tui.style.rich_text import to_group
from oomtop.tui.style.text import Text


class ReplayBar(Widget):
    """Shows the position of the replay; compares before it refreshes."""

    DEFAULT_CSS = "ReplayBar { dock: bottom; height: 2; background: $panel; color: $foreground; }"

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look
        self._standing: TimeLineState | None = None
        self._lines: list[Text] = []

    def show(self, standing: TimeLineState) -> None:
        """Take the standing in."""
        if standing != self._standing:
            self._standing = standing
            self._draw()

    def on_resize(self) -> None:
        """Draw for the new width."""
        self._draw()

    def _draw(self) -> None:
        if self._standing is None or not self.size.width:
            return
        self._lines = draw_time_line(self._standing, self.size.width, self._look)
        for line in self._lines:
            line.truncate(self.size.width, overflow="crop")
        self.refresh()

    def render(self) -> Group:
        """Return the two lines."""
        return to_group(self._lines)
