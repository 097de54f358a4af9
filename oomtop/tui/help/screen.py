"""The help screen: scrollable and searchable; opened from a figure it starts at that figure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from oomtop.tui.base.screens import Dialog
from oomtop.tui.help.topics import Topic
from oomtop.tui.style.palette import Look
from oomtop.tui.style.text import Text
from oomtop.tui.widgets.line_view import LineView
from oomtop.tui.widgets.prompt_line import PromptLine
from oomtop.tui.widgets.text_parts import section

_NAME = 14


class HelpScreen(Dialog[None]):
    """Topics with their lines, wrapped to the width."""

    DEFAULT_CSS = """
    HelpScreen { align: center middle; background: $background; }
    HelpScreen Vertical { width: 100%; max-width: 130; height: 100%; background: $background; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,f1,question_mark,h,enter", "dismiss", "Close", id="help.close"),
        Binding("slash,f3", "search", "Search", id="help.search"),
        Binding("n", "again", "Search on", id="help.again"),
    ]

    covers_all: ClassVar[bool] = True
    """It covers everything, so the screen behind is not drawn: each tick would send it again (2 kB/s)."""

    def __init__(self, topics: Sequence[Topic], look: Look, figure: str | None = None) -> None:
        super().__init__()
        self._topics = topics
        self._look = look
        self._figure = figure
        self._text = ""

    def compose(self) -> ComposeResult:
        """Mount the lines and the search prompt."""
        with Vertical():
            yield LineView(id="help-lines")
            yield PromptLine(self._focus)

    def on_mount(self) -> None:
        """Keys go to the lines."""
        self._focus()

    def on_resize(self, event: events.Resize) -> None:
        """Wrap for the new width, less one cell for the scroll bar."""
        width = min(130, event.size.width) - 2
        self.view.set_lines([*self._head(width), *self._lines(width)])
        if self._figure is not None:
            self.call_after_refresh(self._go_to_figure)

    @property
    def view(self) -> LineView:
        """The lines."""
        return self.query_one(LineView)

    def _focus(self) -> None:
        self.view.focus()

    def _head(self, width: int) -> Iterator[Text]:
        keys = "Esc close   / search   PgDn scroll; click a figure to open its line"
        yield Text(" Help ", self._look.style("accent", bold=True) or "bold").append(keys, self._look.style("dim"))

    def _lines(self, width: int) -> Iterator[Text]:
        for topic in self._topics:
            yield Text("")
            yield section(topic.title, width, self._look)
            for name, meaning in topic.lines:
                yield from self._entry(name, meaning, width)

    def _entry(self, name: str, meaning: str, width: int) -> Iterator[Text]:
        """Yield a name and its wrapped meaning, a long name on a line of its own; the requested figure is marked."""
        style = self._look.style("accent", bold=True) or "bold"
        if self._look.ascii:
            name = name.replace("»", ">")
        marked = "reverse" if name == self._figure else ""
        if len(name) > _NAME:
            yield Text(f" {name} ", style)
            name = ""
        for at, part in enumerate(wrap(meaning, max(20, width - _NAME - 3)) or [""]):
            line = Text(f" {name if at == 0 else '':{_NAME}} ", style)
            yield line.append(part, marked or "none")

    def _go_to_figure(self) -> None:
        if self._figure is not None:
            self.view.go_to(f" {self._figure} ")

    def action_search(self) -> None:
        """Ask for a text and go to it."""
        self.query_one(PromptLine).ask("/", self._searched, self._text)

    def _searched(self, text: str) -> None:
        self._text = text
        self.action_again()

    def action_again(self) -> None:
        """Go to the next line with the search text."""
        if self._text and not self.view.search(self._text):
            self.app.bell()
