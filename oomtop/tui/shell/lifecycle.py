"""Signal handling, and work deferred until after the first frame."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from importlib import import_module

from rich.cells import cell_len

from oomtop.tui.base.spare_modules import without_spare_modules
from oomtop.tui.shell.tab_factory import MAKERS
from oomtop.tui.style.theme_file import theme_names
from oomtop.tui.widgets.shell import Shell

_ON_KEYS = (
    "oomtop.selfguard", "oomtop.tui.help.screen", "oomtop.tui.shell.overlays", "oomtop.tui.setup.apply",
    "oomtop.tui.setup.save", "oomtop.tui.shell.copy_menu", "oomtop.tui.process_table.copies",
    "oomtop.tui.process_table.commands", "oomtop.tui.process_table.sort_menu", "oomtop.tui.dashboard.user_menu",
    "oomtop.oomlog.log_files", "oomtop.tui.shell.command_palette", "oomtop.tui.shell.palette_words",
    "oomtop.tui.alerts.screen", "oomtop.tui.help.mouse", "oomtop.tui.events.post_mortem",
    # Not by a key: by the first danger that is drawn.
    "plotext",
)  # fmt: skip
_WIDE = "\N{CJK UNIFIED IDEOGRAPH-4E00}"


def watch_terminal(leave: Callable[[], None]) -> None:
    """Call `leave` when the terminal hangs up or a signal ends the program.

    The default action would leave the terminal as the screen set it; that of Textual's driver would hide the hang-up.
    """
    loop = asyncio.get_running_loop()
    for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
        loop.add_signal_handler(number, leave)


def load_keys() -> None:
    """Load what keys would load later, from a disk that may be busy with swap by then."""
    with without_spare_modules():
        for name in _ON_KEYS:
            import_module(name)
    theme_names()
    # Rich reads its table of wide characters with the first wide character.
    cell_len(_WIDE)


def settle(app: Shell, load: Callable[[], object], look_back: Callable[[], object]) -> None:
    """Load the remaining modules, then protect the process."""
    load_keys()
    load()
    app.call_from_thread(_guard_self, app)
    app.call_from_thread(look_back)


def _guard_self(app: Shell) -> None:
    """Lock memory, lower the own score, raise the own priority."""
    from oomtop.selfguard import end_start, guard_self

    # Created once, so that under pressure no tab is loaded from a disk that is busy with swap.
    for make in MAKERS.values():
        make(app.state, app.look)
    end_start()
    app.self_guard = guard_self(app.self_guard)
    app.state.guard = app.self_guard.describe()
    app.show_state()
