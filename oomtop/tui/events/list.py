"""`EventList`: OOM events, newest first, one line each; only what is in sight is drawn."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from oomtop.oomlog.event import OomEvent
from oomtop.tui.style.palette import Look
from oomtop.units import DASH, format_bytes, printable

_WIDE, _WIDEST = 100, 130


class EventList(ScrollView, can_focus=True):
    """A list with a cursor that stays on its event when newer ones arrive."""

    DEFAULT_CSS = """
    EventList { height: 1fr; overflow-x: hidden; overflow-y: auto; scrollbar-size-vertical: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", "Up", show=False, id="events.up"),
        Binding("down", "move(1)", "Down", show=False, id="events.down"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="events.page_up"),
        Binding("pagedown", "page(1)", "Page down", show=False, id="events.page_down"),
        Binding("home", "edge(0)", "Newest", show=False, id="events.home"),
        Binding("end", "edge(-1)", "Oldest", show=False, id="events.end"),
        Binding("enter", "open", "Post-mortem", show=False, id="events.open"),
    ]

    class Opened(Message):
        """Enter was pressed on an event, or it was clicked twice."""

        def __init__(self, event: OomEvent) -> None:
            super().__init__()
            self.event = event

    def __init__(self, look: Look, *, id: str) -> None:
        super().__init__(id=id)
        self._look = look
        self._events: Sequence[OomEvent] = ()
        self._cursor = 0
        self._now = 0.0

    @property
    def current(self) -> OomEvent | None:
        """The event under the cursor."""
        return self._events[self._cursor] if self._events else None

    @property
    def line_text(self) -> str:
        """The line under the cursor."""
        return "" if self.current is None else event_line(self.current, 400, self._now)

    @property
    def text(self) -> str:
        """All lines with their titles."""
        return "\n".join([list_head(400), *(event_line(event, 400, self._now) for event in self._events)])

    def set_events(self, found: Sequence[OomEvent], now: float) -> None:
        """Show these events, newest first; nothing is painted where they are the same."""
        if found == self._events:
            return
        current = self.current
        self._events, self._now = found, now
        at = 0 if current is None else next((at for at, event in enumerate(found) if event.key == current.key), 0)
        # Who stands on the newest stays there.
        self._cursor = 0 if self._cursor == 0 else at
        self.virtual_size = Size(self.size.width, len(found))
        self.refresh()

    def find(self, text: str) -> bool:
        """Move the cursor to the next event whose line holds `text`."""
        count, wanted = len(self._events), text.casefold()
        for step in range(1, count + 1):
            at = (self._cursor + step) % count
            if wanted in event_line(self._events[at], 400, self._now).casefold():
                self._go(at)
                return True
        return False

    def on_click(self, event: events.Click) -> None:
        """Put the cursor where the mouse is; the second click of two opens."""
        at = int(self.scroll_offset.y) + event.y
        if at < len(self._events):
            self._go(at)
            if event.chain == 2:
                self.action_open()

    def action_move(self, step: int) -> None:
        """Move the cursor."""
        self._go(self._cursor + step)

    def action_page(self, step: int) -> None:
        """Move the cursor by what is in sight."""
        self._go(self._cursor + step * max(1, self.size.height - 1))

    def action_edge(self, at: int) -> None:
        """Move the cursor to the newest or the oldest."""
        self._go(at % max(1, len(self._events)))

    def action_open(self) -> None:
        """Ask for the post-mortem."""
        if self.current is not None:
            self.post_message(self.Opened(self.current))

    def _go(self, at: int) -> None:
        if not self._events:
            return
        self._cursor = min(max(0, at), len(self._events) - 1)
        top, height = int(self.scroll_offset.y), max(1, self.size.height)
        if self._cursor < top:
            self.scroll_to(y=self._cursor, animate=False)
        elif self._cursor >= top + height:
            self.scroll_to(y=self._cursor - height + 1, animate=False)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Return the event that stands at `y` after scrolling."""
        at, width, style = int(self.scroll_offset.y) + y, self.size.width, self.rich_style
        if at >= len(self._events):
            return Strip.blank(width, style)
        line = Text(event_line(self._events[at], width, self._now), no_wrap=True)
        if at == self._cursor:
            line.stylize("reverse")
        elif self._events[at].time is not None and self._now - (self._events[at].time or 0.0) < 900:
            line.stylize(self._look.style("bad") or "bold")
        line.truncate(width, pad=True)
        return Strip(list(line.render(self.app.console)), width).apply_style(style)


def list_head(width: int) -> str:
    """Return the titles over the lines."""
    more = (f" {'TYPE':13}" if width >= _WIDE else "") + (f" {'LOG':10}" if width >= _WIDEST else "")
    return f"{'WHEN':12} {'KILLER':12} {'PID':>8} {'ANON':>6} {'NAME':15}{more} CGROUP OR REASON"


def event_line(event: OomEvent, width: int, now: float) -> str:
    """Return one event on one line; the cgroup or reason takes the rest of it."""
    victim = event.victim
    name = victim.name if victim else event.panic or ("nobody to kill" if event.no_killable_processes else DASH)
    rest = event.victim_cgroup or event.reason or _what(event)
    more = f" {_what(event)[:13]:13}" if width >= _WIDE else ""
    if width >= _WIDEST:
        more += f" {printable(event.source or DASH)[-10:]:10}"
    others = f"+{len(event.other_victims)}" if event.other_victims else ""
    return (
        f"{when_of(event, now):12} {event.killer[:12]:12} {str(victim.pid) + others if victim else DASH:>8} "
        f"{format_bytes(victim.anon_rss if victim else None):>6} {printable(name)[:15]:15}{more} {printable(rest)}"
    )


def _what(event: OomEvent) -> str:
    return event.type if event.complete or event.killer != "kernel" else f"{event.type}, cut"


def when_of(event: OomEvent, now: float) -> str:
    """Return when it was: the time of day, the day for what is older, seconds after boot where there is no date."""
    if event.time is None:
        return DASH if event.kernel_time is None else f"boot+{event.kernel_time:.0f}s"
    try:
        then = time.localtime(event.time)
    except (OverflowError, ValueError, OSError):
        return DASH
    return time.strftime("%H:%M:%S" if 0 <= now - event.time < 86400 else "%b %d %H:%M", then)
