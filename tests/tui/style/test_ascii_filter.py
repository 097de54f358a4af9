"""Only ASCII is sent where the user asked for it, also by dialogs, the palette and scroll bars of the library."""

import pytest
from rich.segment import Segment
from textual.color import Color

from oomtop.tui.shell.app import OomtopApp, Options
from oomtop.tui.style.ascii_filter import AsciiLines
from tests.tui.shell.test_app import Scripted, drawn, settled


@pytest.mark.parametrize("keys", [(), ("question_mark",), ("o",), ("d",), ("W", "enter"), ("S",), ("colon",), ("v",)])
async def test_everything_on_the_screen_is_ascii(keys):
    app = OomtopApp(Scripted(), Options(interval=60, ascii=True))
    async with app.run_test(size=(80, 24)) as pilot:
        table = await drawn(pilot)
        table.set_filter("pid=1")
        for key in keys:
            before = app.screen
            await pilot.press(key)
            if key != "v":
                await settled(pilot, lambda before=before: app.screen is not before and app.screen.size.height)
        await pilot.pause()
        picture = app.export_screenshot().replace("\N{NO-BREAK SPACE}", " ")
        assert {letter for letter in picture if not letter.isascii()} == set()


async def test_scroll_bars_have_whole_cells():
    app = OomtopApp(Scripted(), Options(interval=60))
    async with app.run_test(size=(80, 24)) as pilot:
        await drawn(pilot)
        await pilot.press("question_mark", "pagedown")
        assert not set("▁▂▃▄▅▆▇") & set(app.export_screenshot())


def test_a_replaced_line_is_as_wide_and_foreign_letters_stay():
    (segment,) = AsciiLines().apply([Segment("╭─┤ naïve 🔎 │ …")], Color(0, 0, 0))
    assert segment.text == "+-+ naïve /  | >"
    assert segment.cell_length == Segment("╭─┤ naïve 🔎 │ …").cell_length
