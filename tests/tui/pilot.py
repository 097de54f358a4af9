"""What tests of the running app share: a source that gives ticks when asked, and waiting for what is to come."""

import threading
from collections.abc import Callable, Iterator

from textual.pilot import Pilot

from oomtop.snapshot import Tick
from oomtop.sources.sampler import Sampler


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


async def settled(pilot: Pilot[None], condition: Callable[[], object]) -> None:
    """Wait until a condition holds, for ten seconds of a pilot's pauses at most."""
    for _ in range(300):
        if condition():
            return
        await pilot.pause(0.03)
    raise AssertionError("the app did not get there")
