"""`EventList`: OOM events, newest first, one line each; only visible rows are drawn."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from oomtop.analysis.dangers.order import JUST_KILLED
from oomtop.oomlog.event import OomEvent, Victim
from oomtop.oomlog.mentions.mention import Mention
from oomtop.render.events import what_of
from oomtop.render.mentions import mention_columns
from oomtop.tui.dashboard.event_pane import PAST, weight_of_kill
from oomtop.tui.style.palette import Look
from oomtop.tui.style.text import Text
from oomtop.tui.widgets.cursor_list import CursorList, move_keys
from oomtop.tui.widgets.text_parts import keep_start
from oomtop.units import DASH, format_bytes, printable

_USUAL, _WIDE, _WIDEST = 74, 100, 130
Told = OomEvent | Mention
"""A row: an event, or a mention of one that is in no local log."""


class EventList(CursorList):
    """A list whose cursor stays on its event when newer ones arrive."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *move_keys("events"),
        Binding("enter", "open", "Post-mortem", show=False, id="events.open"),
    ]

    class Opened(Message):
        """Enter or a double click on an event."""

        def __init__(self, event: Told) -> None:
            super().__init__()
            self.event = event

    def __init__(self, look: Look, *, id: str, moved: Callable[[], object]) -> None:
        super().__init__(id=id, moved=moved)
        self._look = look
        self._events: Sequence[Told] = ()
        self._now = 0.0

    @property
    def current(self) -> Told | None:
        """The event or mention under the cursor."""
        return self._events[self.cursor] if self._events else None

    @property
    def line_text(self) -> str:
        """The line under the cursor."""
        return "" if self.current is None else told_line(self.current, 400, self._now)

    @property
    def text(self) -> str:
        """All lines with their titles."""
        return "\n".join([list_head(400), *(told_line(event, 400, self._now) for event in self._events)])

    def set_events(self, found: Sequence[Told], now: float) -> None:
        """Show these events, newest first; repaints nothing if they are the same."""
        if found == self._events and _steps(found, now) == _steps(found, self._now):
            return
        current = self.current
        self._events, self._now = found, now
        at = 0 if current is None else next((at for at, event in enumerate(found) if event.key == current.key), 0)
        # A cursor on the newest event stays on the newest.
        self.set_rows(len(found), 0 if self.cursor == 0 else at)
        self.refresh()

    def find(self, text: str) -> bool:
        """Move the cursor to the next event whose line contains `text`."""
        count, wanted = len(self._events), text.casefold()
        for step in range(1, count + 1):
            at = (self.cursor + step) % count
            if wanted in told_line(self._events[at], 400, self._now).casefold():
                self.go_to(at)
                return True
        return False

    def action_open(self) -> None:
        """Ask for the post-mortem."""
        if self.current is not None:
            self.post_message(self.Opened(self.current))

    def draw_row(self, at: int, width: int) -> Text:
        """Return an event: bold for a minute, dim after a quarter of an hour; mentions are dim."""
        event = self._events[at]
        is_mention = isinstance(event, Mention)
        style = self._look.style("dim") if is_mention else weight_of_kill(event.time, self._now, self._look)
        # The bar for scrolling covers the last cell.
        width = min(width, self.scrollable_content_region.width or width)
        return Text(keep_start(told_line(event, width, self._now), width, self._look), style)


def _steps(found: Sequence[Told], now: float) -> list[int]:
    """Return how each event is drawn: as news, as recent, as past."""
    ages = [now - (event.time or 0.0) for event in found]
    return [(age >= JUST_KILLED) + (age >= PAST) for age in ages]


def list_head(width: int) -> str:
    """Return the titles over the lines."""
    if width < _USUAL:
        return f"{'WHEN':12} {'NAME':15} {'ANON':>6} CGROUP OR REASON"
    more = (f" {'TYPE':13}" if width >= _WIDE else "") + (f" {'LOG':10}" if width >= _WIDEST else "")
    return f"{'WHEN':12} {'KILLER':12} {'PID':>8} {'ANON':>6} {'NAME':15}{more} CGROUP OR REASON"


def told_line(told: Told, width: int, now: float) -> str:
    """Return an event, or a mention of one, on one line."""
    return mention_line(told, width, now) if isinstance(told, Mention) else event_line(told, width, now)


def mention_line(mention: Mention, width: int, now: float) -> str:
    """Return a mention on one line, with its reporter in the killer column."""
    more = f" {mention.kind[:13]:13}" if width >= _WIDE else ""
    if width >= _WIDEST:
        more += f" {printable(mention.source or DASH)[-10:]:10}"
    by, pid, name, subject = mention_columns(mention)
    when = when_of(mention, now)
    if width < _USUAL:
        return f"{when:12} {printable(name)[:15]:15} {DASH:>6} {printable(subject)}"
    return f"{when:12} {by[:12]:12} {pid:>8} {DASH:>6} {printable(name)[:15]:15}{more} {printable(subject)}"


def event_line(event: OomEvent, width: int, now: float) -> str:
    """Return one event on one line, ending with the cgroup or reason."""
    victim = event.victim
    name = victim.name if victim else event.panic or ("no victim" if event.no_killable_processes else DASH)
    rest = event.victim_cgroup or event.reason or _what(event)
    more = f" {_what(event)[:13]:13}" if width >= _WIDE else ""
    if width >= _WIDEST:
        more += f" {printable(event.source or DASH)[-10:]:10}"
    if width < _USUAL:
        return f"{when_of(event, now):12} {printable(name)[:15]:15} {format_bytes(_size(victim)):>6} {printable(rest)}"
    others = f"+{len(event.other_victims)}" if event.other_victims else ""
    return (
        f"{when_of(event, now):12} {event.killer[:12]:12} {str(victim.pid) + others if victim else DASH:>8} "
        f"{format_bytes(_size(victim)):>6} {printable(name)[:15]:15}{more} {printable(rest)}"
    )


def _size(victim: Victim | None) -> int | None:
    return None if victim is None else victim.rss if victim.anon_rss is None else victim.anon_rss


def _what(event: OomEvent) -> str:
    return what_of(event) if event.complete or event.killer != "kernel" else f"{event.type}, cut"


def when_of(event: Told, now: float) -> str:
    """Return the time of day, the date for older events, or seconds after boot without a date."""
    if event.time is None:
        stamp = event.kernel_time if isinstance(event, OomEvent) else None
        return DASH if stamp is None else f"boot+{stamp:.0f}s"
    try:
        then = time.localtime(event.time)
    except (OverflowError, ValueError, OSError):
        return DASH
    return time.strftime("%H:%M:%S" if 0 <= now - event.time < 86400 else "%b %d %H:%M", then)
