"""Inks beside Rich's styles: the same escapes for what themes and drawing functions say."""

from __future__ import annotations

import subprocess
import sys

import pytest
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual.color import Color

from oomtop.tui.style.ink import Depth, is_named, parse_ink
from oomtop.tui.style.line_filters import ColourlessLines

_SYSTEMS = {
    Depth.STANDARD: ColorSystem.STANDARD,
    Depth.EIGHT_BIT: ColorSystem.EIGHT_BIT,
    Depth.TRUECOLOR: ColorSystem.TRUECOLOR,
}
_STEPS = ("00", "1c", "5f", "60", "80", "a9", "d7", "ff")
_DEFINITIONS = (
    "", "bold", "dim strike", "reverse", "bold underline italic blink", "red", "bright_red on black", "default on blue",
    "on default", "bold #D7AF5F on #262626", "black on #5fafd7", "orange1 on grey11", "bright_black on dark_red",
)  # fmt: skip
_PAIRS = (
    ("red on #262626", "bold #d7af5f"), ("bold", "on blue"), ("", "dim"), ("#000000", ""),
    ("bold red", "dim blue on white"),
)  # fmt: skip


@pytest.fixture(autouse=True)
def _fresh() -> None:
    """Rich keeps the escapes of a style for whichever depth asked first."""
    Style.parse.cache_clear()


@pytest.mark.parametrize("depth", Depth)
def test_every_colour_is_written_as_by_rich(depth: Depth) -> None:
    cube = [f"#{red}{green}{blue}" for red in _STEPS for green in _STEPS for blue in _STEPS]
    for definition in (*_DEFINITIONS, *cube, *(f"on {colour}" for colour in cube)):
        expected = Style.parse(definition).render("x", color_system=_SYSTEMS[depth])
        assert parse_ink(definition).render("x", depth) == expected, definition


@pytest.mark.parametrize(("below", "over"), _PAIRS)
def test_inks_are_added_as_styles_are(below: str, over: str) -> None:
    expected = (Style.parse(below) + Style.parse(over)).render("x")
    assert (parse_ink(below) + parse_ink(over)).render("x", Depth.TRUECOLOR) == expected


@pytest.mark.parametrize("definition", ["bold red on #5fafd7", "#ffffff on #262626", "reverse on #ffffff", "on blue"])
def test_without_colour_the_same_attributes_are_left(definition: str) -> None:
    (segment,) = ColourlessLines().apply([Segment("x", Style.parse(definition))], Color(0, 0, 0))
    assert segment.style is not None
    assert parse_ink(definition).colourless.render("x", Depth.TRUECOLOR) == segment.style.render("x")


def test_names_are_known_as_rich_knows_them() -> None:
    assert all(is_named(name) for name in ("default", "red", "bright_white", "orange1"))
    assert not is_named("oranje")


def test_the_first_picture_loads_nothing_that_it_can_do_without() -> None:
    code = "import sys, oomtop.tui.plain.screen; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    spared = {
        "textual",
        "rich",
        "dataclasses",
        "inspect",
        "textwrap",
        "logging",
        "json",
        "argparse",
        "pickle",
        "random",
    }
    assert not spared & set(done.stdout.split())
