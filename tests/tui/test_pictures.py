"""Every state at every size: nothing cut or wrapped, nothing empty, one red block, no two lines that contradict."""

import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import groupby
from typing import Any

import pytest
from rich.segment import Segment
from textual.pilot import Pilot
from textual.screen import Screen

from oomtop.actions.base.plan import Plan
from oomtop.tui.actions.dialogs import PlanDialog
from oomtop.tui.process_table.widget import ProcessTable
from oomtop.tui.shell.app import OomtopApp, Options
from oomtop.tui.style.text import Text
from oomtop.tui.widgets.menu import Menu
from oomtop.tui.widgets.panel import Panel
from tests.present import present
from tests.tui.pilot import settled
from tests.tui.states import SCRIPTS, Still, state

LOUD = ("FULL", "KILL", "AT I", "GROW")
SIZES = [(40, 12), (60, 20), (80, 24), (100, 30), (120, 40), (160, 45), (200, 60), (250, 70)]


async def shown(
    name: str, size: tuple[int, int], **options: Any
) -> tuple[dict[str, list[Text]], dict[str, int], list[list[Segment]]]:
    """Return the app once a state stands on the screen, its lines as segments and as text."""
    app = OomtopApp(Still(), Options(**options))
    app.latest = state(name)
    async with app.run_test(size=size) as pilot:
        for _ in range(3):
            app.feed()
            await pilot.pause()
        panels = [panel for panel in app.screen.query(Panel) if panel.display and panel.size.height]
        drawn = {
            present(panel.id): panel._draw(app.latest, panel.size.width, panel.size.height, app.look)
            for panel in panels
        }
        widths = {present(panel.id): panel.size.width for panel in panels}
        strips = [list(strip) for strip in app.screen._compositor.render_strips()]
    return drawn, widths, strips


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("name", SCRIPTS)
async def test_nothing_is_cut_empty_or_in_contradiction(name: str, size: tuple[int, int]) -> None:
    drawn, widths, strips = await shown(name, size)
    for id, lines in drawn.items():
        for line in lines:
            assert line.cell_len <= widths[id], f"{id} is cut: {line.plain}"
    text = ["".join(segment.text for segment in strip).rstrip() for strip in strips]
    bands = [len(list(group)) for blank, group in groupby(text, key=lambda line: not line) if blank]
    assert max(bands, default=0) <= 6
    whole = "\n".join(text)
    is_loud = re.search("FULL IN|KILLED|AT ITS LIMIT", whole) is not None
    assert is_loud == (name not in ("calm", "first", "cache"))
    assert is_loud != bool(re.search("no danger|watching", whole))
    assert len(red_blocks(strips)) == is_loud


def red_blocks(strips: list[list[Segment]]) -> list[str]:
    """Return the reversed texts in red: the strip's time is the only one."""
    return [
        segment.text
        for strip in strips
        for segment in strip
        if segment.style is not None and segment.style.reverse and segment.text.strip()[:4] in LOUD
    ]


@pytest.mark.parametrize("options", [{"ascii": True}, {"theme": "sixteen"}, {"theme": "mono"}], ids=str)
async def test_a_danger_is_told_without_colour_and_in_ascii(options: dict[str, bool | str]) -> None:
    _, _, strips = await shown("three", (80, 24), **options)
    text = ["".join(segment.text for segment in strip) for strip in strips]
    assert "FULL IN 35s" in text[1]
    assert any("J" in line and "Kill" in line for line in text[-1:])
    if "ascii" in options:
        assert all(line.isascii() for line in text)


async def test_rows_that_the_limit_of_the_strip_is_not_for_are_dim() -> None:
    app = OomtopApp(Still(), Options())
    app.latest = state("leak")
    async with app.run_test(size=(120, 40)) as pilot:
        for _ in range(3):
            app.feed()
            await pilot.pause()
        table = app.screen.query_one(ProcessTable)
        looks = [table._look(y) for y in range(1, 5)]
    assert ["kernel" in present(look).states for look in looks] == [False, False, True, True]


DIALOGS = {
    "menu": lambda: Menu("a menu", [(number, f"choice {number}") for number in range(40)]),
    "plan": lambda: PlanDialog(Plan("kill", "a plan", tuple(f"step {number}" for number in range(60))), lambda: None),
}


@asynccontextmanager
async def leaking(size: tuple[int, int]) -> AsyncIterator[tuple[OomtopApp, Pilot[None]]]:
    """Show a machine with a leak."""
    app = OomtopApp(Still(), Options())
    app.latest = state("leak")
    async with app.run_test(size=size) as pilot:
        for _ in range(3):
            app.feed()
            await pilot.pause()
        yield app, pilot


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)], ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("dialog", DIALOGS.values(), ids=DIALOGS)
async def test_a_dialog_leaves_the_strip_and_its_own_keys_in_sight(
    dialog: Callable[[], Screen[Any]], size: tuple[int, int]
) -> None:
    async with leaking(size) as (app, pilot):
        strip = app.screen.query_one("#strip").region
        app.push_screen(dialog())
        await pilot.pause()
        assert app.screen.query_one("Vertical").region.y >= strip.bottom
        assert app.screen.query_one(".keys").region.bottom <= size[1]


@pytest.mark.parametrize("size", [(40, 12), (60, 20), (80, 24), (120, 40)], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_the_palette_leaves_the_strip_in_sight(size: tuple[int, int]) -> None:
    async with leaking(size) as (app, pilot):
        strip = app.screen.query_one("#strip").region
        await pilot.press("colon", *"mem")
        await settled(pilot, lambda: app.screen.query_one("CommandList").region.height > 3)
        commands = app.screen.query_one("CommandList")
        assert app.screen.query_one("#--input").region.y >= strip.bottom
        assert strip.bottom < commands.region.y
        assert commands.region.bottom <= size[1]
