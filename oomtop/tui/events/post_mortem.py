"""The post-mortem of one OOM event: sentences, then figures, then the log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from oomtop.analysis.postmortem.explain import explain
from oomtop.oomlog.event import OomEvent
from oomtop.oomlog.mentions.mention import Mention
from oomtop.render.events import render_markdown, render_text
from oomtop.render.mentions import render_mention
from oomtop.tui.base.session import State
from oomtop.tui.events.list import Told
from oomtop.tui.style.palette import Look
from oomtop.tui.style.stylesheet import stylesheet
from oomtop.tui.style.text import Text
from oomtop.tui.widgets.key_bar import KeyBar
from oomtop.tui.widgets.line_view import LineView
from oomtop.tui.widgets.prompt_line import PromptLine
from oomtop.tui.widgets.tab_screen import TabScreen
from oomtop.tui.widgets.text_block import Sheet
from oomtop.units import printable

_KEYS = (("Esc", "Back"), ("c", "Copy as Markdown"), ("B", "Minutes before"), ("/", "Search"), ("\\", "Filter"))


def markdown_of(event: OomEvent) -> str:
    """Return the post-mortem of an event as Markdown."""
    return render_markdown(explain(event))


class PostMortemScreen(TabScreen):
    """The scrollable post-mortem; Esc goes back."""

    CSS = stylesheet("process/text_screens.tcss")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter", "back", "Back", id="post_mortem.back"),
        Binding("c", "copy", "Copy as Markdown", id="post_mortem.copy"),
    ]

    def __init__(self, state: State, look: Look, told: Told, mentions: Sequence[Mention] = ()) -> None:
        """Explain an event with its mentions, or show a mention and where its report is."""
        super().__init__(state, look, name="post-mortem")
        self._told = told
        self._explained = None if isinstance(told, Mention) else explain(told, mentions)
        self._note = ""

    def compose(self) -> ComposeResult:
        """Mount every widget once."""
        yield Sheet(self._head, id="reading-head")
        yield LineView(id="reading-lines")
        yield PromptLine(self._focus)
        yield KeyBar(_KEYS, self.look, id="reading-keys")

    def on_mount(self) -> None:
        """Focus the text."""
        self._focus()

    def on_resize(self, event: events.Resize) -> None:
        """Wrap for the new width, less one cell for the scroll bar."""
        text = self._text(max(20, event.size.width - 1))
        self.view.set_lines([self._line(line) for line in text.splitlines()])

    def _text(self, width: int) -> str:
        if self._explained is not None:
            return render_text(self._explained, width)
        return render_mention(self._told, width) if isinstance(self._told, Mention) else ""

    def _markdown(self) -> str:
        return self._text(100) if self._explained is None else render_markdown(self._explained)

    def _line(self, line: str) -> Text:
        """Return a line with its style: headings in capitals, the chosen process marked."""
        if line.isupper() and not line.startswith(" "):
            return Text(line, self.look.style("accent", bold=True) or "bold")
        if "(chosen)" in line or "(killed)" in line:
            return Text(line, self.look.style("bad", bold=True) or "bold")
        return Text(line)

    @property
    def view(self) -> LineView:
        """The lines."""
        return self.query_one(LineView)

    @property
    def subject(self) -> object:
        """Return the event."""
        return self._told

    def event(self) -> OomEvent | None:
        """Return the explained event, None for a mention."""
        return None if isinstance(self._told, Mention) else self._told

    def action_back(self) -> None:
        """Go back to where it was opened."""
        self.dismiss(None)

    def copies(self) -> tuple[tuple[str, str], ...]:
        """Return the post-mortem as text and as Markdown."""
        return (("Markdown", self._markdown()), ("text", self.view.text))

    def action_copy(self) -> None:
        """Copy the post-mortem as Markdown to the terminal's clipboard (OSC 52)."""
        self.app.copy_to_clipboard(self._markdown())
        self._say("copied as Markdown, if the terminal supports OSC 52; `oomtop events --format md` prints the same")

    def search(self) -> None:
        """Ask for a text and scroll to it."""
        self.query_one(PromptLine).ask("/", self._searched)

    def _searched(self, text: str) -> None:
        self._say(f"{text} not found" if text and not self.view.search(text) else "")

    def filter(self) -> None:
        """Ask which lines to show."""
        self.query_one(PromptLine).ask("filter: only lines with this text", self.view.set_filter)

    def _say(self, note: str) -> None:
        self._note = note
        self.query_one("#reading-head", Sheet).update()

    def _focus(self) -> None:
        self.view.focus()

    def _head(self, width: int) -> list[Text]:
        line = Text(" post-mortem ", self.look.style("accent", bold=True) or "bold")
        return [line.append(printable(self._note), self.look.style("warn"))]
