"""Only ASCII is sent where the user asked for it, also by dialogs, the palette and scroll bars of the library."""

from functools import partial

import pytest
from rich.segment import Segment
from rich.style import Style
from textual.color import Color

from oomtop.tui.shell.app import OomtopApp, Options
from oomtop.tui.style.line_filters import AsciiLines, ColourlessLines, SafeLines
from oomtop.tui.style.palette import has_colour, has_utf8
from tests.present import present
from tests.tui.pilot import Scripted, settled
from tests.tui.shell.test_app import drawn


@pytest.mark.parametrize("keys", [(), ("question_mark",), ("o",), ("d",), ("W", "enter"), ("S",), ("colon",), ("v",)])
async def test_everything_on_the_screen_is_ascii(keys: tuple[str, ...]) -> None:
    app = OomtopApp(Scripted(), Options(interval=60, ascii=True))
    async with app.run_test(size=(80, 24)) as pilot:
        table = await drawn(pilot)
        table.set_filter("pid=1")
        for key in keys:
            before = app.screen
            await pilot.press(key)
            if key != "v":
                await settled(
                    pilot, partial(lambda before: app.screen is not before and app.screen.size.height, before)
                )
        await pilot.pause()
        picture = app.export_screenshot().replace("\N{NO-BREAK SPACE}", " ")
        assert {letter for letter in picture if not letter.isascii()} == set()


async def test_scroll_bars_have_whole_cells() -> None:
    app = OomtopApp(Scripted(), Options(interval=60))
    async with app.run_test(size=(80, 24)) as pilot:
        await drawn(pilot)
        await pilot.press("question_mark", "pagedown")
        assert not set("▁▂▃▄▅▆▇") & set(app.export_screenshot())


def test_a_replaced_line_is_as_wide_and_foreign_letters_stay() -> None:
    (segment,) = AsciiLines().apply([Segment("╭─┤ naïve 🔎 │ …")], Color(0, 0, 0))
    assert segment.text == "+-+ naïve /  | >"
    assert segment.cell_length == Segment("╭─┤ naïve 🔎 │ …").cell_length


@pytest.mark.parametrize("text", ["a\x1b[2Jb", "a\x9b2Jb", "a\nb", "\x07", "a\u202eb"])
def test_the_last_gate_lets_no_control_character_pass(text: str) -> None:
    (segment,) = SafeLines().apply([Segment(text)], Color(0, 0, 0))
    assert segment.text.isprintable()
    assert len(segment.text) == len(text)


def test_the_last_gate_lets_no_link_pass() -> None:
    (segment,) = SafeLines().apply([Segment("here", Style(bold=True, link="http://evil.example"))], Color(0, 0, 0))
    assert present(segment.style).link is None
    assert present(segment.style).bold


def test_without_colour_a_lit_background_is_reversed() -> None:
    segments = [Segment("a", Style(color="red", bgcolor="#5fafd7", bold=True)), Segment("b", Style(bgcolor="#262626"))]
    cursor, panel = ColourlessLines().apply(segments, Color(0, 0, 0))
    assert (
        present(cursor.style).reverse,
        present(cursor.style).bold,
        present(cursor.style).color,
        present(cursor.style).bgcolor,
    ) == (
        True,
        True,
        None,
        None,
    )
    assert not present(panel.style).reverse


def test_without_utf8_names_are_ascii_of_the_same_width() -> None:
    (segment,) = AsciiLines(names_too=True).apply([Segment("│ naïve 日本")], Color(0, 0, 0))
    assert segment.text == "| na?ve ????"


@pytest.mark.parametrize(
    ("environ", "expected"),
    [({}, True), ({"NO_COLOR": ""}, True), ({"NO_COLOR": "0"}, False), ({"CLICOLOR": "0"}, False),
     ({"CLICOLOR": "1"}, True)],
)  # fmt: skip
def test_colours_are_sent_unless_the_user_says_no(environ: dict[str, str], expected: bool) -> None:
    assert has_colour(environ) is expected


@pytest.mark.parametrize(
    ("environ", "expected"),
    [({}, True), ({"LANG": "C"}, False), ({"LANG": "de_DE.UTF-8"}, True), ({"LANG": "de_DE"}, False),
     ({"LANG": "C.UTF-8", "LC_ALL": "C"}, False), ({"LANG": "C", "LC_CTYPE": "C.utf8"}, True),
     ({"LC_ALL": "", "LANG": "POSIX"}, False)],
)  # fmt: skip
def test_the_locale_says_whether_there_is_utf8(environ: dict[str, str], expected: bool) -> None:
    assert has_utf8(environ) is expected
