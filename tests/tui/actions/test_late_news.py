"""News of an action that come while the program ends."""

from collections.abc import Iterator

from oomtop.snapshot import Tick
from oomtop.sources.sampler import Sampler
from oomtop.tui.shell.app import OomtopApp, Options


class Once:
    def ticks(self) -> Iterator[Tick]:
        sampler = Sampler()
        yield Tick(sampler.sample())
        sampler.close()

    def close(self) -> None:
        pass


async def test_they_end_in_no_traceback() -> None:
    app = OomtopApp(Once(), Options(interval=60))
    async with app.run_test(size=(80, 24)) as pilot:
        while not app.dashboard.table.lines:
            await pilot.pause(0.05)
        await app.dashboard.query("*").remove()
        app.dashboard.show_remarks()
