"""`TabScreen`: a screen updated by one reactive; it names the targets of action keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import ClassVar, NamedTuple

from textual import events
from textual.app import App
from textual.binding import Binding, BindingType
from textual.reactive import reactive

from oomtop.analysis.model.assessment import Assessment, ProcessRow
from oomtop.host.process import ProcessId
from oomtop.oomlog.event import OomEvent
from oomtop.tui.base.aim import Aim
from oomtop.tui.base.screens import ClosedOnce
from oomtop.tui.base.session import State
from oomtop.tui.style.breakpoints import HORIZONTAL, VERTICAL, size_classes
from oomtop.tui.style.palette import Look
from oomtop.tui.terminal.textual_private import render_changed_widgets, take_dirty_regions
from oomtop.tui.widgets.panel import Panel, PanelClicked, PanelPointedAt
from oomtop.tui.widgets.prompt_line import PromptLine
from oomtop.units import format_bytes


class LongText(NamedTuple):
    """Many lines to copy, put together when they are chosen: those of 5,000 processes take 80 ms."""

    first: str
    """The first line."""
    more: int
    """How many lines follow."""
    whole: Callable[[], str]


Copies = tuple[tuple[str, str | LongText], ...]
"""(what it is, text) of all that can be copied."""


class TabScreen(ClosedOnce[None]):
    """A tab, or a screen of one thing that opens over it; fed only while it is in sight."""

    HORIZONTAL_BREAKPOINTS = list(HORIZONTAL)  # noqa: RUF012
    VERTICAL_BREAKPOINTS = list(VERTICAL)  # noqa: RUF012

    # A screen of Textual's moves the focus with these keys, before the app would see them.
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "app.beside(1)", "Next tab", show=False, id="app.next_tab"),
        Binding("shift+tab", "app.beside(-1)", "Previous tab", show=False, id="app.previous_tab"),
    ]

    # repaint=False: the screen itself shows nothing, and its repaint would send every line again (9 kB/s).
    assessment: reactive[Assessment | None] = reactive(None, init=False, repaint=False)

    def __init__(self, state: State, look: Look, *, name: str) -> None:
        # A name and no id: two of the same name may stand over different tabs, or while one is being closed.
        super().__init__(name=name)
        render_changed_widgets(self)
        self.state = state
        self.look = look

    def _compositor_refresh(self) -> None:
        """Behind a dialog, have the screen on top paint what changed; Textual itself sends all of it (9 kB a tick)."""
        if self is self.app.screen or not self.is_current:
            super()._compositor_refresh()
            return
        if regions := take_dirty_regions(self):
            self.app.screen.refresh(*regions)

    def fit_terminal(self) -> None:
        """Set the classes of the terminal's size before anything is mounted.

        Textual sets them when the size is told, and then styles all that stands once more (3 ms of the first screen).
        """
        self.add_class(*size_classes(*self.app.size), update=False)

    @property
    def subject(self) -> object:
        """What the screen is about: one that is opened over a tab is not opened twice for the same subject."""
        return None

    def watch_assessment(self, assessment: Assessment | None) -> None:
        """Take a tick in."""

    def show_strip(self, assessment: Assessment) -> None:
        """Hand a tick to the danger strip."""
        for strip in self.query("#strip").results(Panel):
            strip.show(assessment)

    def aim(self, assessment: Assessment) -> Aim:
        """Return what the action keys act on, for the strip."""
        return Aim()

    def targets(self) -> tuple[ProcessId, ...]:
        """Return the processes that an action would be for: what is tagged, else what is under the cursor."""
        return ()

    def targets_title(self) -> str:
        """Return the targets in words: `java 4711 alice, 1.2G`, `3 processes, 2.0G`."""
        return f"{len(self.targets())} processes"

    def cgroup(self) -> str | None:
        """Return the cgroup that an action would be for, where the cursor is on one."""
        return None

    def event(self) -> OomEvent | None:
        """Return the OOM event that the cursor is on, or the newest one."""
        return self.assessment.events[0] if self.assessment is not None and self.assessment.events else None

    def selected_setting(self) -> str | None:
        """Return the kernel setting that `y` would change, where the cursor is on one."""
        return None

    def commands(self) -> Iterator[tuple[str, str, Callable[[], object]]]:
        """Yield (title, other words for it, what it does) of what the palette offers here beside the keys."""
        return iter(())

    def copies(self) -> Copies:
        """Return (what it is, text) of all that can be copied, the most wanted first."""
        return ()

    @property
    def prompt(self) -> PromptLine | None:
        """The line that asks for a text, None on a tab that asks nothing."""
        return next(iter(self.query("#line").results(PromptLine)), None)

    def search(self) -> None:
        """Ask for a text and go to what holds it, on a tab that can."""

    def filter(self) -> None:
        """Ask what to show, on a tab that can show less."""

    def choose_user(self) -> None:
        """Ask whose rows to show, on a tab where rows belong to users."""

    def hold(self, still: bool) -> None:
        """Keep rows in their places while a dialog about one of them is open."""

    def on_click(self, event: events.Click) -> None:
        """Say which panel was clicked, and where."""
        if isinstance(event.widget, Panel):
            self.post_message(PanelClicked(event.widget, event.x, event.y))

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Say which panel the pointer is over, and where."""
        if isinstance(event.widget, Panel):
            self.post_message(PanelPointedAt(event.widget, event.x, event.y))

    def show_remarks(self) -> None:
        """Draw what shows the app's state anew, because the state changed."""


def open_once(app: App[None], screen: TabScreen) -> None:
    """Open a screen over what is in sight: in place of one of its kind, not at all where that is the same."""
    top = app.screen
    screen.fit_terminal()
    if not isinstance(top, TabScreen) or type(top) is not type(screen):
        app.push_screen(screen)
    elif top.subject != screen.subject:
        app.switch_screen(screen)


def title_of(row: ProcessRow) -> str:
    """Return a process in words, short enough for the title of a menu; its plan has the command."""
    return f"{row.process.comm} {row.process.pid} {row.user}, {format_bytes(row.process.rss_and_swap)}"
