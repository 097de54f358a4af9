"""`App.run` starts tasks eagerly on Python 3.12 and later; the pilot of the other tests does not."""

import asyncio
import sys
import threading
from collections.abc import Iterator

import pytest

from oomtop.snapshot import Tick
from oomtop.sources.sampler import Sampler
from oomtop.tui.shell.app import OomtopApp, Options


class Once:
    """One real sample, and no other before the end."""

    def __init__(self) -> None:
        self._end = threading.Event()

    def ticks(self) -> Iterator[Tick]:
        sampler = Sampler()
        yield Tick(sampler.sample())
        self._end.wait()
        sampler.close()

    def close(self) -> None:
        self._end.set()


@pytest.mark.skipif(sys.version_info < (3, 12), reason="Python before 3.12")
async def test_the_first_screen_opens_while_tasks_start_eagerly() -> None:
    if sys.version_info >= (3, 12):
        asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
    app = OomtopApp(Once(), Options(interval=60))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert app.screen is app.dashboard
