"""What tests of the running app share: a source that gives ticks when asked, and waiting for what is to come."""

import threading
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from textual.app import App
from textual.pilot import Pilot
from textual.screen import Screen

from oomtop.actions.base.plan import Plan
from oomtop.snapshot import Tick
from oomtop.sources.sampler import Sampler
from oomtop.tui.actions.dialogs import PlanDialog
from oomtop.tui.shell.app import OomtopApp
from oomtop.tui.widgets.menu import Menu

Kind = TypeVar("Kind", bound=Screen[Any])


class Scripted:
    """One real sample, then as many more as are asked for."""

    def __init__(self) -> None:
        self._more = threading.Semaphore(1)
        self._closed = False
        self._sampler = Sampler()

    def ticks(self) -> Iterator[Tick]:
        while self._more.acquire() and not self._closed:
            yield Tick(self._sampler.sample())
        self._sampler.close()

    def more(self) -> None:
        self._more.release()

    def close(self) -> None:
        self._closed = True
        self._more.release()


class Stage(App[None]):
    """Nothing but one screen."""

    def __init__(self, screen: Screen[None]) -> None:
        super().__init__()
        self._first = screen

    def on_mount(self) -> None:
        self.push_screen(self._first)


async def settled(pilot: Pilot[None], condition: Callable[[], object]) -> None:
    """Wait until a condition holds, for ten seconds of a pilot's pauses at most."""
    for _ in range(300):
        if condition():
            return
        await pilot.pause(0.03)
    raise AssertionError("the app did not get there")


def on_top(app: App[None], kind: type[Kind]) -> Kind:
    """Return the screen on top, which has to be of that kind."""
    screen = app.screen
    assert isinstance(screen, kind)
    return screen


async def plan_of(app: OomtopApp, pilot: Pilot[None], key: str) -> Plan:
    """Press the key of a menu and Enter, and return the plan of its first line."""
    await pilot.press(key)
    await settled(pilot, lambda: isinstance(app.screen, Menu))
    await pilot.press("enter")
    await settled(pilot, lambda: isinstance(app.screen, PlanDialog))
    return on_top(app, PlanDialog).plan
