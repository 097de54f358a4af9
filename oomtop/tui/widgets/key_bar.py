"""`KeyBar`: the line of keys as a widget."""

from __future__ import annotations

from rich import text as rich
from textual import events
from textual.widget import Widget

from oomtop.tui.style.palette import Look
from oomtop.tui.style.rich_text import to_rich
from oomtop.tui.widgets.keys_line import Keys, draw_keys, fitting, key_at


class KeyBar(Widget):
    """Shows as many keys as fit; a click on one presses it."""

    DEFAULT_CSS = """
    KeyBar { height: 1; background: $panel; }
    """

    def __init__(self, keys: Keys, look: Look, *, id: str) -> None:
        super().__init__(id=id)
        self._keys = keys
        self._look = look

    def render(self) -> rich.Text:
        """Return the keys."""
        return to_rich(draw_keys(self._keys, self.size.width, self._look))

    def on_click(self, event: events.Click) -> None:
        """Press the key that was clicked."""
        key = key_at(fitting(self._keys, self.size.width), event.x)
        if key is not None:
            self.app.simulate_key(key)
