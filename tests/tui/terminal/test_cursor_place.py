"""The cursor of the terminal stands on the selected line: screen readers and braille lines follow it."""

from typing import cast

import pytest
from textual.pilot import Pilot

from oomtop.sources.live import LiveSource
from oomtop.tui.plain.screen import PlainScreen
from oomtop.tui.shell.app import OomtopApp, Options
from oomtop.tui.style.text import Text
from tests.present import present
from tests.tui.plain.cells import Cells
from tests.tui.states import SCRIPTS, Still, state, ticks

SIZE = (100, 30)


async def line_at_cursor(app: OomtopApp, pilot: Pilot[None]) -> str:
    app.feed()
    await pilot.pause()
    strips = app.screen._compositor.render_strips()
    return "".join(segment.text for segment in strips[app.cursor_position.y])


@pytest.mark.parametrize(
    ("keys", "text"),
    [((), "» "), (("down",), "nginx"), (("k",), "SIGTERM  15"), (("k", "down", "down"), "TERM + KILL"),
     (("k", "enter"), "Send SIGTERM"), (("tab",), "web.service"), (("tab", "down"), "system.slice"),
     (("S", "down"), "Theme"), (("slash", "a", "b"), "/ab"), (("colon", "a"), " a ")],
    ids=str,
)  # fmt: skip
async def test_the_cursor_is_on_the_selected_line(keys: tuple[str, ...], text: str) -> None:
    app = OomtopApp(Still(), Options())
    app.latest = state("leak")
    app.facts = list(ticks(SCRIPTS["leak"]))[-1].snapshot
    async with app.run_test(size=SIZE) as pilot:
        await line_at_cursor(app, pilot)
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
        assert text in await line_at_cursor(app, pilot)


@pytest.mark.parametrize("steps", [0, 3])
def test_the_cursor_of_the_first_picture_is_on_the_selected_line(steps: int) -> None:
    screen = PlainScreen(cast(LiveSource, Still()), Options())
    picture = screen.picture
    picture.paint(state("leak"), *SIZE)
    picture.table.move(steps)
    for foot, text in (((), f" {present(picture.table.row).process.pid} "), ((Text("kill?"), Text("Enter")), "kill?")):
        cells = Cells(*SIZE)
        cells.feed("".join(picture.paint(state("leak"), *SIZE, foot)))
        assert text in cells.line(picture.cursor)
