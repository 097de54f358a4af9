"""How each tab is made: its module is imported when it is opened, and not before the first picture."""

from __future__ import annotations

from collections.abc import Callable

from oomtop.tui.base.session import State
from oomtop.tui.style.palette import Look
from oomtop.tui.widgets.header import TABS
from oomtop.tui.widgets.tab_screen import TabScreen


def _kernel(state: State, look: Look) -> TabScreen:
    from oomtop.tui.kernel.screen import KernelScreen

    return KernelScreen(state, look)


def _cgroups(state: State, look: Look) -> TabScreen:
    from oomtop.tui.cgroups.screen import CgroupsScreen

    return CgroupsScreen(state, look)


def _events(state: State, look: Look) -> TabScreen:
    from oomtop.tui.events.screen import EventsScreen

    return EventsScreen(state, look)


Maker = Callable[[State, Look], TabScreen]
MAKERS: dict[str, Maker] = {"cgroups": _cgroups, "events": _events, "kernel": _kernel}
"""How to make each tab after the first, which the app makes itself."""


def tab_beside(name: str, step: int) -> str:
    """Return the id of the tab `step` places to the right, around the end."""
    names = [id for id, _ in TABS]
    return names[(names.index(name) + step) % len(names)]
