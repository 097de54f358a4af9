"""The Events tab: every OOM event of every log of this machine, newest first; Enter explains one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from textwrap import wrap
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from oomtop.analysis.model.assessment import Assessment
from oomtop.analysis.unlogged_kills import describe_unlogged
from oomtop.oomlog.event import OomEvent
from oomtop.oomlog.evidence import Evidence
from oomtop.oomlog.mentions.mention import Mention
from oomtop.tui.base.aim import Aim, KeyPlace
from oomtop.tui.base.session import State
from oomtop.tui.dangers.panel import tab_head
from oomtop.tui.events.list import EventList, Told, list_head
from oomtop.tui.events.post_mortem import PostMortemScreen
from oomtop.tui.style.palette import Look
from oomtop.tui.style.stylesheet import stylesheet
from oomtop.tui.style.text import Text
from oomtop.tui.widgets.key_bar import KeyBar
from oomtop.tui.widgets.panel import Panel
from oomtop.tui.widgets.prompt_line import PromptLine
from oomtop.tui.widgets.tab_screen import TabScreen, open_once
from oomtop.tui.widgets.text_block import Sheet
from oomtop.tui.widgets.text_parts import keep_start
from oomtop.units import printable

_KEYS = (
    ("?", "Help"), ("Tab", "Next tab"), ("Enter", "Post-mortem"), ("B", "Minutes before"), ("q", "Quit"),
    ("/", "Search"), ("C", "Copy"), ("F5", "Read logs again"),
)  # fmt: skip
_EMPTY = (
    "Kills by the kernel, systemd-oomd, earlyoom, nohang and oomd, and mentions by systemd, the kubelet and others, "
    "from /dev/kmsg, the journal and /var/log.  `oomtop events FILE` reads any other log; `oomtop drill leak` causes a "
    "test kill."
)
_OTHERS = 7
"""Lines taken by header, strip, keys and list, besides the notes about the logs."""


class EventsScreen(TabScreen):
    """Live events, and those of older logs, which are read once when the tab opens."""

    DEFAULT_CSS = stylesheet("events/screen.tcss")
    BINDINGS: ClassVar[list[BindingType]] = [Binding("f5", "read_logs", "Read the logs again", id="events.read")]

    def __init__(self, state: State, look: Look) -> None:
        super().__init__(state, look, name="events-tab")
        self._older = Evidence()
        self._live: tuple[OomEvent, ...] = ()
        self._found = Evidence()
        self._shown: Sequence[Told] = ()
        self._note = ""
        self._is_built = False

    def compose(self) -> ComposeResult:
        """Mount every widget once."""
        yield from tab_head(self, "events")
        yield Sheet(self._head, id="events-head")
        yield EventList(self.look, id="events-list", moved=self._show_strip)
        yield PromptLine(self._focus)
        yield KeyBar(_KEYS, self.look, id="events-keys")

    def on_mount(self) -> None:
        """Focus the list and read older logs in the background."""
        self._focus()
        self._is_built = True
        self.watch_assessment(self.assessment)
        self.action_read_logs()

    @property
    def view(self) -> EventList:
        """The list."""
        return self.query_one(EventList)

    def _focus(self) -> None:
        self.view.focus()

    def _show_strip(self) -> None:
        if self.assessment is not None:
            self.show_strip(self.assessment)

    def aim(self, assessment: Assessment) -> Aim:
        """Return the event that Enter explains."""
        return Aim(KeyPlace.EVENTS, event=self.event())

    def event(self) -> OomEvent | None:
        """Return the event under the cursor, None for a mention."""
        return None if isinstance(self.view.current, Mention) else self.view.current

    def copies(self) -> tuple[tuple[str, str], ...]:
        """Return the event's line, its post-mortem as Markdown, and all lines."""
        from oomtop.tui.events.post_mortem import markdown_of

        if self.view.current is None:
            return ()
        event = self.event()
        markdown = () if event is None else (("Markdown", markdown_of(event)),)
        return (("line", self.view.line_text), *markdown, ("all lines", self.view.text))

    def watch_assessment(self, assessment: Assessment | None) -> None:
        """Show a tick; the list changes only on new events."""
        if assessment is None or not self._is_built:
            return
        self.query_one("#events-header", Panel).show(assessment)
        if assessment.events != self._live or not self._shown:
            self._live = assessment.events
            self._show(assessment.time)
        else:
            self.view.set_events(self._shown, assessment.time)
        self.show_strip(assessment)

    def show_remarks(self) -> None:
        """Draw the header anew."""
        if self.assessment is not None and self._is_built:
            self.query_one("#events-header", Panel).show(self.assessment)

    def action_read_logs(self) -> None:
        """Read the journal and the log files in a thread of the app; a recording has its own events only."""
        if self.state.replay:
            return
        self._note = "reading the journal and /var/log"
        self.app.run_worker(self._read_logs, thread=True, group="logs", exclusive=True, exit_on_error=False)

    def _read_logs(self) -> None:
        from oomtop.oomlog.evidence import together
        from oomtop.oomlog.log_files import read_journal, read_machine_logs

        found = together((read_journal(), read_machine_logs()))
        unread = [f"{item.path}: {item.why}" for item in found.problems]
        self.app.call_from_thread(self.show_older, found, unread)

    def show_older(self, found: Evidence, unread: Sequence[str] = ()) -> None:
        """Add events of older logs, and report unreadable logs."""
        self._older = found
        self._note = (
            f"not read: {unread[0]}" + (f" (+{len(unread) - 1} more)" if len(unread) > 1 else "") if unread else ""
        )
        if self._is_built and self.is_attached:
            self._show(self.assessment.time if self.assessment is not None else 0.0)

    def _show(self, now: float) -> None:
        from oomtop.oomlog.evidence import together

        self._found = together((Evidence(self._live), self._older))
        others = [mention for mention in self._found.mentions if mention.event is None]
        told: list[Told] = [*self._found.events, *others]
        self._shown = sorted(told, key=lambda each: each.time or 0.0)[::-1] if others else told[::-1]
        self.view.set_events(self._shown, now)
        self.query_one("#events-head", Sheet).update()

    def _head(self, width: int) -> list[Text]:
        assessment = self.assessment
        lines = [self._summary(width)]
        unlogged = "" if assessment is None else describe_unlogged(assessment.unlogged_kills)
        if unlogged:
            lines.append(Text(keep_start(f" {unlogged}", width, self.look), self.look.style("warn")))
        if self._note:
            lines.append(Text(keep_start(f" {printable(self._note)}", width, self.look), self.look.style("dim")))
        if self._shown:
            lines.append(Text(keep_start(list_head(width), width, self.look), "bold"))
        else:
            told = [Text(f" {line}") for line in wrap(_EMPTY, max(20, width - 2))]
            # All of it or nothing: the strip must stay in sight.
            lines.extend(told if len(lines) + len(told) <= self.size.height - _OTHERS else ())
        return lines

    def _summary(self, width: int) -> Text:
        events, others = self._found.events, len(self._shown) - len(self._found.events)
        mentions = f"{others} mention{'s' * (others != 1)} by others (*)" if others else ""
        if not events:
            nothing = f" no OOM event in any readable log{'; ' + mentions if mentions else ''}"
            return Text(keep_start(nothing, width, self.look))
        killers = Counter(event.killer for event in events)
        names = Counter(event.victim.name for event in events if event.victim)
        top = ", ".join(f"{printable(name)} {count}" for name, count in names.most_common(3))
        by = ", ".join(f"{name} {count}" for name, count in killers.most_common(4))
        more = f"; {mentions}" if mentions else ""
        text = f" {len(events)} OOM event{'s' * (len(events) != 1)} ({by}){more}; most killed: {top}"
        return Text(keep_start(text, width, self.look))

    def search(self) -> None:
        """Ask for a text and go to the next event that contains it."""
        self.query_one(PromptLine).ask("/", self._searched)

    def _searched(self, text: str) -> None:
        self._note = f"no event matches {text!r}" if text and not self.view.find(text) else ""
        self.query_one("#events-head", Sheet).update()

    def on_event_list_opened(self, message: EventList.Opened) -> None:
        """Open the post-mortem."""
        at = next((at for at, event in enumerate(self._found.events) if event is message.event), None)
        mentions = [each for each in self._found.mentions if at is not None and each.event == at]
        open_once(self.app, PostMortemScreen(self.state, self.look, message.event, mentions))
