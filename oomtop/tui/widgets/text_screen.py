"""`TextScreen`: a text that scrolls, with a heading, search and filter; Esc goes back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult

from oomtop.tui.style.text import Text
from oomtop.tui.widgets.key_bar import KeyBar
from oomtop.tui.widgets.line_view import LineView
from oomtop.tui.widgets.prompt_line import PromptLine
from oomtop.tui.widgets.tab_screen import TabScreen
from oomtop.tui.widgets.text_block import Sheet


class TextScreen(TabScreen):
    """Base of the screens of one text; a subclass sets the lines of `view`."""

    DEFAULT_CSS = """
    TextScreen { layout: vertical; background: $background; color: $foreground; }
    #reading-head, #reading-keys { height: 1; background: $panel; }
    """
    KEYS: ClassVar[Sequence[tuple[str, str]]]
    """The keys in the last line, with what they do."""

    _note = ""

    def compose(self) -> ComposeResult:
        """Mount every widget once."""
        yield Sheet(self.heading, id="reading-head")
        yield LineView(id="reading-lines")
        yield PromptLine(self._focus)
        yield KeyBar(self.KEYS, self.look, id="reading-keys")

    def on_mount(self) -> None:
        """Focus the text."""
        self._focus()

    def heading(self, width: int) -> list[Text]:
        """Return the first line."""
        raise NotImplementedError

    @property
    def view(self) -> LineView:
        """The lines."""
        return self.query_one(LineView)

    def action_back(self) -> None:
        """Go back to where it was opened."""
        self.dismiss(None)

    def search(self) -> None:
        """Ask for a text and scroll to it."""
        self.query_one(PromptLine).ask("/", self._searched)

    def _searched(self, text: str) -> None:
        self.say(f"{text} not found" if text and not self.view.search(text) else "")

    def filter(self) -> None:
        """Ask which lines to show."""
        self.query_one(PromptLine).ask("filter: only lines with this text", self.view.set_filter)

    def say(self, note: str) -> None:
        """Show a note in the first line."""
        self._note = note
        self.query_one("#reading-head", Sheet).update()

    def _focus(self) -> None:
        self.view.focus()
