"""`Shell`: the interface of the app for its screens."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from oomtop.analysis.model.assessment import Assessment
from oomtop.host.process import ProcessId
from oomtop.snapshot import Snapshot
from oomtop.sources.live import Source
from oomtop.tui.base.options import Options
from oomtop.tui.base.session import State
from oomtop.tui.terminal.app import PlainApp
from oomtop.tui.widgets.tab_screen import TabScreen

if TYPE_CHECKING:
    from oomtop.actions.base.guard import Guard
    from oomtop.selfguard import SelfGuard


class Shell(PlainApp):
    """The app as its screens and controllers see it; `OomtopApp` implements it."""

    options: Options
    state: State
    latest: Assessment | None
    """The newest assessment."""
    facts: Snapshot | None
    """The facts that plans are made from: those of the last tick."""
    self_guard: SelfGuard | None
    selected: frozenset[ProcessId]
    """The process under the cursor."""
    shows_totals: bool
    """Whether totals of several processes are in sight, for which shared pages have to be counted once."""

    @property
    def guard(self) -> Guard:
        """What no action touches."""
        raise NotImplementedError

    @property
    def tab(self) -> TabScreen:
        """The screen that keys are for: the topmost that shows the machine."""
        return next(self.screens_in_sight())

    def screens_in_sight(self) -> Iterator[TabScreen]:
        """Yield the screens that are seen: the topmost, and those behind dialogs."""
        for screen in reversed(self.screen_stack):
            if isinstance(screen, TabScreen):
                yield screen
            if not screen.is_modal:
                return

    def remark(self, text: str) -> None:
        """Put a line into the event pane."""
        raise NotImplementedError

    def feed(self) -> None:
        """Show the last assessment on the visible screens."""
        raise NotImplementedError

    def show_state(self) -> None:
        """Redraw what the visible screens show about oomtop itself."""
        raise NotImplementedError

    def draw_again(self) -> None:
        """Redraw the visible screens with other colours or columns."""
        raise NotImplementedError

    def refresh_every(self, seconds: float) -> None:
        """Change the refresh interval, in seconds."""
        raise NotImplementedError

    def turn_to(self, source: Source | None) -> None:
        """Show a recording over the live machine; None goes back to the live machine."""
        raise NotImplementedError
