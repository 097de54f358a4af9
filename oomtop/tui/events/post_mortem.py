"""The post-mortem of one OOM event: sentences, then figures, then the log."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType

from oomtop.analysis.model.assessment import Assessment
from oomtop.analysis.model.danger import Danger
from oomtop.analysis.postmortem.explain import explain
from oomtop.oomlog.event import OomEvent
from oomtop.oomlog.mentions.mention import Mention
from oomtop.render.events import render_markdown, render_text
from oomtop.render.mentions import render_mention
from oomtop.tui.base.session import State
from oomtop.tui.base.slow_read import Answer, ask
from oomtop.tui.events.last_minutes import draw_minutes, recorded_minutes, remembered_minutes
from oomtop.tui.events.list import Told
from oomtop.tui.style.palette import Look
from oomtop.tui.style.text import Text
from oomtop.tui.widgets.shell import Shell
from oomtop.tui.widgets.text_screen import TextScreen
from oomtop.units import printable


def markdown_of(event: OomEvent) -> str:
    """Return the post-mortem of an event as Markdown."""
    return render_markdown(explain(event))


class PostMortemScreen(TextScreen):
    """The scrollable post-mortem."""

    KEYS = (("Esc", "Back"), ("c", "Copy as Markdown"), ("B", "Minutes before"), ("/", "Search"), ("\\", "Filter"))
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter", "back", "Back", id="post_mortem.back"),
        Binding("c", "copy", "Copy as Markdown", id="post_mortem.copy"),
    ]

    def __init__(self, state: State, look: Look, told: Told, mentions: Sequence[Mention] = ()) -> None:
        """Explain an event with its mentions, or show a mention and where its report is."""
        super().__init__(state, look, name="post-mortem")
        self._told = told
        self._explained = None if isinstance(told, Mention) else explain(told, mentions)
        self._minutes: Danger | None = None
        """The limit that killed in the minutes before, once it is known."""

    def on_mount(self) -> None:
        """Look up the minutes before the kill: in the history, else in the recording."""
        super().on_mount()
        if isinstance(self.app, Shell) and self.app.latest is not None:
            self.watch_assessment(self.app.latest)
        event = self.event()
        if event is not None and self._minutes is None and isinstance(self.app, Shell):
            read = partial(recorded_minutes, self.app.options.recording, event)
            ask(self, self.state.slow, read, self._take_minutes, "minutes")

    def _take_minutes(self, answer: Answer[Danger | None]) -> None:
        if answer.value is not None and self._minutes is None:
            self._minutes = answer.value
            self._write(self.size.width)

    def watch_assessment(self, assessment: Assessment | None) -> None:
        """Take the minutes before the kill from the history of its limit."""
        event = self.event()
        if assessment is None or event is None or self._minutes is not None:
            return
        self._minutes = remembered_minutes(event, assessment.dangers)
        if self._minutes is not None and self.size.width:
            self._write(self.size.width)

    def on_resize(self, event: events.Resize) -> None:
        """Wrap for the new width."""
        self._write(event.size.width)

    def _write(self, width: int) -> None:
        """Show the chart and the text, with one cell for the scroll bar."""
        width = max(20, width - 1)
        chart = [] if self._minutes is None else draw_minutes(self._minutes, width, self.look)
        self.view.set_lines([*chart, *(self._line(line) for line in self._text(width).splitlines())])

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
    def subject(self) -> object:
        """Return the event."""
        return self._told

    def event(self) -> OomEvent | None:
        """Return the explained event, None for a mention."""
        return None if isinstance(self._told, Mention) else self._told

    def copies(self) -> tuple[tuple[str, str], ...]:
        """Return the post-mortem as text and as Markdown."""
        return (("Markdown", self._markdown()), ("text", self.view.text))

    def action_copy(self) -> None:
        """Copy the post-mortem as Markdown to the terminal's clipboard (OSC 52)."""
        self.app.copy_to_clipboard(self._markdown())
        self.say("copied as Markdown, if the terminal supports OSC 52; `oomtop events --format md` prints the same")

    def heading(self, width: int) -> list[Text]:
        """Return the title and a note."""
        line = Text(" post-mortem ", self.look.style("accent", bold=True) or "bold")
        return [line.append(printable(self._note), self.look.style("warn"))]
