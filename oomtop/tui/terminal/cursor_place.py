"""Where the cursor of the terminal stands: on the selected line, which screen readers and braille lines follow."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from textual.geometry import Offset
from textual.screen import Screen
from textual.widgets import Input, OptionList


@runtime_checkable
class WithCursor(Protocol):
    """A widget with a selected line."""

    @property
    def cursor_line(self) -> int | None:
        """The line of its content with the selected row, None where that is out of sight."""
        ...


def cursor_place(screen: Screen[object]) -> Offset | None:
    """Return the start of the selected line, the place of what is typed, or the start of the widget with the focus."""
    focused = screen.focused
    if focused is None:
        return None
    if isinstance(focused, Input):
        return focused.cursor_screen_offset
    line = 0
    if isinstance(focused, WithCursor):
        line = focused.cursor_line or 0
    elif isinstance(focused, OptionList) and focused.highlighted is not None:
        line = focused.highlighted - round(focused.scroll_offset.y)
    return focused.content_region.offset + Offset(0, line)
