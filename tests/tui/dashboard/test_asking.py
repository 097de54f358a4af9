"""What the first tab asks for: a filter that acts while it is typed, and users with their sums."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from textual.pilot import Pilot

from oomtop.tui.dashboard.user_menu import user_menu
from oomtop.tui.shell.app import OomtopApp, Options
from oomtop.units import MIB
from tests.tui.factories import make_process, make_row
from tests.tui.states import Still, state


@asynccontextmanager
async def showing(name: str) -> AsyncIterator[tuple[OomtopApp, Pilot[None]]]:
    """Show one state of a machine."""
    app = OomtopApp(Still(), Options())
    app.latest = state(name)
    async with app.run_test(size=(80, 24)) as pilot:
        app.feed()
        await pilot.pause()
        yield app, pilot


async def test_a_filter_acts_while_it_is_typed_and_escape_takes_it_back() -> None:
    async with showing("leak") as (app, pilot):
        table = app.dashboard.table
        every = len(table.lines)
        await pilot.press("backslash", *"oomtop")
        await pilot.pause()
        assert [entry.row.process.comm for entry in table.lines] == ["oomtop-leak"]
        assert "filter: oomtop" in app.screen._compositor.render_strips()[-2].text
        await pilot.press("escape")
        await pilot.pause()
        assert len(table.lines) == every
        await pilot.press("backslash", *"oomtop", "enter")
        await pilot.press("backslash")
        assert app.dashboard.prompt.value == "oomtop"


async def test_a_search_jumps_with_every_letter_and_on_with_the_same_text() -> None:
    async with showing("swarm") as (app, pilot):
        table = app.dashboard.table
        names = [(entry.row.process.command or "") if entry.row else "" for entry in table.lines]
        found = [at for at, name in enumerate(names) if "nginx" in name]
        later = [at for at, name in enumerate(names) if "swarm-1" in name]

        def at() -> int | None:
            return table._order.at(table.selected)

        await pilot.press("slash", *"ngi")
        assert at() == found[0]
        await pilot.press("enter", "home", "slash", *"swarm-1", "enter")
        assert at() == later[0]
        await pilot.press("slash", *"swarm-1", "enter")
        assert at() == later[1]


def test_users_stand_with_their_sums_the_largest_first() -> None:
    rows = [make_row(make_process(100 + at, rss=at * MIB), user=user) for at, user in enumerate(("a", "b", "b"))]
    menu, users = user_menu(rows, "b")
    assert users == [None, "b", "a"]
    assert menu._chosen == 1
    assert [label.split() for _, label in menu._choices][:2] == [
        ["everyone", "3.0M", "3", "processes"],
        ["b", "3.0M", "2", "processes"],
    ]
