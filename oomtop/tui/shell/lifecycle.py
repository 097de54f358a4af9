"""What happens around the pictures: signals that end the program, and what is done once the first picture stands."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from typing import TYPE_CHECKING

from oomtop.tui.shell.tab_factory import MAKERS

if TYPE_CHECKING:
    from oomtop.tui.shell.app import OomtopApp


def watch_terminal(leave: Callable[[], None]) -> None:
    """Have `leave` called when the terminal hangs up or somebody ends the program.

    The default action would leave the terminal as the screen set it; that of Textual's driver would hide the hang-up.
    """
    loop = asyncio.get_running_loop()
    for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
        loop.add_signal_handler(number, leave)


def settle(app: OomtopApp) -> None:
    """Load what the first picture did without, and guard the process once all of it is in memory."""
    import oomtop.selfguard
    import oomtop.tui.help.screen  # noqa: F401

    _ = app.remedies, app.inspections
    app.call_from_thread(_guard_self, app)
    app.call_from_thread(app.remedies.look_back)


def _guard_self(app: OomtopApp) -> None:
    """Lock memory, lower the own score, raise the own priority."""
    from oomtop.selfguard import end_start, guard_self

    # Made and dropped, so that under pressure no tab has to be loaded from a disk that is busy with swap.
    for make in MAKERS.values():
        make(app.state, app.look)
    end_start()
    app.self_guard = guard_self()
    app.state.guard = app.self_guard.describe()
    app.show_state()
