"""Every state at every size: nothing cut or wrapped, nothing empty, one red block, no two lines that contradict."""

import re
from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Any

import pytest
from rich.segment import Segment
from textual.screen import Screen

from oomtop.actions.base.plan import Plan
from oomtop.analysis.model.assessment import Assessment
from oomtop.tui.actions.dialogs import PlanDialog
from oomtop.tui.events.screen import EventsScreen
from oomtop.tui.process_table.widget import ProcessTable
from oomtop.tui.style.text import Text
from oomtop.tui.widgets.cursor_list import CursorList
from oomtop.tui.widgets.menu import Menu
from oomtop.tui.widgets.panel import Panel
from oomtop.tui.widgets.tab_screen import TabScreen
from oomtop.tui.widgets.text_block import Sheet
from tests.present import present
from tests.tui.pilot import settled
from tests.tui.states import SCRIPTS, on_screen, state

LOUD = ("FULL", "KILL", "AT I", "GROW")
SIZES = [(40, 12), (60, 20), (80, 24), (100, 30), (120, 40), (160, 45), (200, 60), (250, 70)]


@pytest.fixture(autouse=True)
def no_logs_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(EventsScreen, "action_read_logs", lambda self: None)


def drawn_by(screen: TabScreen, assessment: Assessment) -> Iterator[tuple[str | None, int, list[Text]]]:
    """Yield (what draws, its width, the lines it draws) of every widget of text lines in sight."""
    for panel in screen.query(Panel):
        if panel.display and panel.size.height:
            yield panel.id, panel.size.width, panel._draw(assessment, *panel.size, screen.look)
    for sheet in screen.query(Sheet):
        if sheet.display and sheet.size.height:
            yield sheet.id, sheet.size.width, sheet._draw(sheet.size.width)
    for each in screen.query(CursorList):
        yield each.id, each.size.width, [each.draw_row(at, each.size.width) for at in range(each._count)]


def strips_of(screen: Screen[Any]) -> list[list[Segment]]:
    return [list(strip) for strip in screen._compositor.render_strips()]


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("name", SCRIPTS)
async def test_on_every_tab_nothing_is_cut_empty_or_in_contradiction(name: str, size: tuple[int, int]) -> None:
    async with on_screen(name, size) as (app, pilot):
        for tab in ("processes", "cgroups", "events", "kernel"):
            app.go_to_tab(tab)
            for _ in range(2):
                await pilot.pause()
                app.feed()
            await pilot.pause()
            for id, width, lines in drawn_by(app.tab, state(name)):
                for line in lines:
                    assert line.cell_len <= width, f"{tab}: {id} is cut: {line.plain}"
            strips = strips_of(app.screen)
            text = ["".join(segment.text for segment in strip).rstrip() for strip in strips]
            bands = [len(list(group)) for blank, group in groupby(text, key=lambda line: not line) if blank]
            assert max(bands, default=0) <= 6 or tab != "processes"
            whole = "\n".join(text)
            is_loud = re.search(r"FULL IN \d|KILLED \d|AT ITS LIMIT", whole) is not None
            assert is_loud == (name not in ("calm", "first", "cache", "few and calm"))
            assert is_loud != bool(re.search("no danger|watching", whole))
            assert len(red_blocks(strips)) == is_loud


@pytest.mark.parametrize(
    "size", [(80, 24), (120, 40), (160, 45), (200, 60), (250, 70)], ids=lambda size: f"{size[0]}x{size[1]}"
)
@pytest.mark.parametrize("name", ["few", "few and calm", "leak", "killed"])
async def test_no_part_of_the_first_tab_is_blank_over_more_than_six_lines(name: str, size: tuple[int, int]) -> None:
    async with on_screen(name, size) as (app, pilot):
        for _ in range(2):
            app.feed()
            await pilot.pause()
        text = ["".join(segment.text for segment in strip).ljust(size[0]) for strip in strips_of(app.screen)]
        table = app.screen.query_one(ProcessTable)
        shown = table.size.height
        bottom = app.screen.query_one("#chart").region.bottom
        beside = max(panel.region.bottom for panel in app.screen.query("#gauges > Panel") if panel.display)
    bands = [len(list(group)) for blank, group in groupby(text, key=lambda line: not line.strip()) if blank]
    assert max(bands, default=0) <= 6, "\n".join(text)
    assert bottom - beside <= 7
    assert shown >= min(len(table.lines) + 1, 6)


def red_blocks(strips: list[list[Segment]]) -> list[str]:
    """Return the reversed texts in red: the strip's time is the only one."""
    return [
        segment.text
        for strip in strips
        for segment in strip
        if segment.style is not None and segment.style.reverse and segment.text.strip()[:4] in LOUD
    ]


@pytest.mark.parametrize("options", [{"ascii": True}, {"theme": "sixteen"}, {"theme": "mono"}], ids=str)
async def test_a_danger_is_told_without_colour_and_in_ascii(options: dict[str, Any]) -> None:
    async with on_screen("three", (80, 24), **options) as (app, _):
        strips = strips_of(app.screen)
    text = ["".join(segment.text for segment in strip) for strip in strips]
    assert "FULL IN 35s" in text[1]
    assert any("J" in line and "Kill" in line for line in text[-1:])
    if "ascii" in options:
        assert all(line.isascii() for line in text)


async def test_rows_that_the_limit_of_the_strip_is_not_for_are_dim() -> None:
    async with on_screen("leak", (120, 40)) as (app, _):
        table = app.screen.query_one(ProcessTable)
        looks = [table._look(y) for y in range(1, 6)]
    assert ["kernel" in present(look).states for look in looks] == [False, False, True, True, True]


DIALOGS = {
    "menu": lambda: Menu("a menu", [(number, f"choice {number}") for number in range(40)]),
    "plan": lambda: PlanDialog(Plan("kill", "a plan", tuple(f"step {number}" for number in range(60))), lambda: None),
}


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)], ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("dialog", DIALOGS.values(), ids=DIALOGS)
async def test_a_dialog_leaves_the_strip_and_its_own_keys_in_sight(
    dialog: Callable[[], Screen[Any]], size: tuple[int, int]
) -> None:
    async with on_screen("leak", size) as (app, pilot):
        strip = app.screen.query_one("#strip").region
        app.push_screen(dialog())
        await pilot.pause()
        assert app.screen.query_one("Vertical").region.y >= strip.bottom
        assert app.screen.query_one(".keys").region.bottom <= size[1]


@pytest.mark.parametrize("size", [(40, 12), (60, 20), (80, 24), (120, 40)], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_the_palette_leaves_the_strip_in_sight(size: tuple[int, int]) -> None:
    async with on_screen("leak", size) as (app, pilot):
        strip = app.screen.query_one("#strip").region
        await pilot.press("colon", *"mem")
        await settled(pilot, lambda: app.screen.query_one("CommandList").region.height > 3)
        commands = app.screen.query_one("CommandList")
        assert app.screen.query_one("#--input").region.y >= strip.bottom
        assert strip.bottom < commands.region.y
        assert commands.region.bottom <= size[1]
