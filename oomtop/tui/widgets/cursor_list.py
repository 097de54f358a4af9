"""`CursorList`: rows with a cursor; only what is in sight is drawn."""

from __future__ import annotations

from collections.abc import Callable

from textual import events
from textual.binding import Binding
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from oomtop.tui.style.rich_text import to_rich
from oomtop.tui.style.text import Text

_FAR = 99_999


def move_keys(owner: str) -> list[Binding]:
    """Return the bindings that move the cursor, with ids such as `events.up` for `owner` "events"."""
    keys = (
        ("up", "move(-1)", "Up", "up"),
        ("down", "move(1)", "Down", "down"),
        ("pageup", "page(-1)", "Page up", "page_up"),
        ("pagedown", "page(1)", "Page down", "page_down"),
        ("home", f"move(-{_FAR})", "First", "home"),
        ("end", f"move({_FAR})", "Last", "end"),
    )
    return [Binding(key, action, title, show=False, id=f"{owner}.{name}") for key, action, title, name in keys]


class CursorList(ScrollView, can_focus=True):
    """A list whose owner draws each row; `moved` is called when the cursor moves."""

    DEFAULT_CSS = """
    CursorList { height: 1fr; overflow-x: hidden; overflow-y: auto; scrollbar-size-vertical: 1; }
    """

    def __init__(self, *, id: str, moved: Callable[[], object] = lambda: None) -> None:
        super().__init__(id=id)
        self._moved = moved
        self._count = 0
        self.cursor = 0
        """The index of the row under the cursor."""

    @property
    def cursor_line(self) -> int | None:
        """The line of the widget with the cursor, None where that is out of sight."""
        y = self.cursor - int(self.scroll_offset.y)
        return y if 0 <= y < self.size.height else None

    def set_rows(self, count: int, cursor: int) -> None:
        """Show `count` rows with the cursor on one of them."""
        self._count = count
        self.cursor = max(0, min(cursor, count - 1))
        if count != self.virtual_size.height:
            self.virtual_size = Size(self.size.width, count)

    def draw_row(self, at: int, width: int) -> Text:
        """Return the row with index `at`; the cursor is added to it."""
        raise NotImplementedError

    def go_to(self, at: int) -> None:
        """Put the cursor on a row, or on the nearest one there is, and scroll as little as needed."""
        if not self._count:
            return
        self.cursor = max(0, min(at, self._count - 1))
        top, height = int(self.scroll_offset.y), max(1, self.size.height)
        if not top <= self.cursor < top + height:
            self.scroll_to(y=self.cursor if self.cursor < top else self.cursor - height + 1, animate=False)
        self.refresh()
        self._moved()

    def action_move(self, step: int) -> None:
        """Move the cursor."""
        self.go_to(self.cursor + step)

    def action_page(self, step: int) -> None:
        """Move the cursor by a screenful."""
        self.go_to(self.cursor + step * max(1, self.size.height - 1))

    def action_open(self) -> None:
        """Open what is under the cursor, where that can be opened."""

    def on_click(self, event: events.Click) -> None:
        """Put the cursor where the mouse is; the second click of two opens."""
        at = int(self.scroll_offset.y) + event.y
        if at < self._count:
            self.go_to(at)
            if event.chain == 2:
                self.action_open()

    def render_line(self, y: int) -> Strip:
        """Return the row that stands at `y` after scrolling."""
        at, width, style = int(self.scroll_offset.y) + y, self.size.width, self.rich_style
        if at >= self._count:
            return Strip.blank(width, style)
        line = self.draw_row(at, width)
        if at == self.cursor:
            line.stylize("reverse")
        line.truncate(width, pad=True)
        return Strip(list(to_rich(line).render(self.app.console)), width).apply_style(style)
