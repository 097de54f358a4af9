"""Strip, forecast, mark, `J` and the first row speak of one danger, whatever is pressed and whatever happens."""

import pytest
from textual.pilot import Pilot

from oomtop.analysis.model.danger import DangerKind
from oomtop.frozen import replace
from oomtop.history import RAM
from oomtop.tui.process_table.widget import ProcessTable
from oomtop.tui.shell.app import OomtopApp
from oomtop.tui.widgets.panel import Panel
from oomtop.units import format_bytes
from tests.present import present
from tests.tui.states import on_screen, state

SIZES = [(80, 24), (120, 40), (160, 45)]


async def subject_of(app: OomtopApp, pilot: Pilot[None]) -> str:
    """Return the subject that everything on the screen agrees on."""
    app.feed()
    await pilot.pause()
    assessment = present(app.latest)
    danger = present(app.state.subject(assessment))
    strip, chart = app.screen.query_one("#strip", Panel), app.screen.query_one("#chart", Panel)
    assert danger.name in strip.line_at(0)
    assert present(danger.victim).name in strip.line_at(2)
    assert chart.line_at(0).split("┄")[0].strip() == format_bytes(danger.capacity)
    table = app.screen.query_one(ProcessTable)
    first = table.lines[0].key
    assert first == present(danger.victim).id
    assert "victim" in present(table._look(1)).states
    assert (table._order.border is not None) == (danger.kind is DangerKind.CGROUP)
    await pilot.press("J")
    assert table.selected == first
    return danger.subject


def without(app: OomtopApp, subject: str) -> None:
    assessment = present(app.latest)
    app.latest = replace(assessment, dangers=tuple(each for each in assessment.dangers if each.subject != subject))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_of_three_groups_in_danger_everything_speaks_of_one(size: tuple[int, int]) -> None:
    async with on_screen("three", size) as (app, pilot):
        assert await subject_of(app, pilot) == "/web.service"
        for keys in ("P", "I", "less_than_sign", "M", "K"):
            await pilot.press(keys)
            assert await subject_of(app, pilot) == "/web.service"
        await pilot.press("down", "n")
        assert await subject_of(app, pilot) == "/peers"
        await pilot.press("T")
        assert await subject_of(app, pilot) == "/peers"
        await pilot.press("n")
        assert await subject_of(app, pilot) == "/cron"
        await pilot.press("N", "N")
        assert await subject_of(app, pilot) == "/web.service"
        await pilot.press("n", "escape")
        assert await subject_of(app, pilot) == "/web.service"


async def test_when_the_subject_ends_the_next_one_is_it() -> None:
    async with on_screen("three", (120, 40)) as (app, pilot):
        await pilot.press("n")
        assert await subject_of(app, pilot) == "/peers"
        app.dashboard.table.let_go()
        without(app, "/peers")
        assert await subject_of(app, pilot) == "/web.service"
        app.dashboard.table.let_go()
        without(app, "/web.service")
        assert await subject_of(app, pilot) == "/cron"


async def test_a_danger_that_becomes_nearer_by_half_takes_over_from_the_chosen_one() -> None:
    async with on_screen("three", (120, 40)) as (app, pilot):
        await pilot.press("n")
        assert await subject_of(app, pilot) == "/peers"
        nearest, *others = present(app.latest).dangers
        app.latest = replace(present(app.latest), dangers=(replace(nearest, median=30.0), *others))
        assert await subject_of(app, pilot) == "/peers"
        app.latest = replace(present(app.latest), dangers=(replace(nearest, median=12.0), *others))
        app.dashboard.table.let_go()
        assert await subject_of(app, pilot) == "/web.service"


@pytest.mark.parametrize("size", [(40, 12), *SIZES], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_a_calm_limit_that_is_gone_to_is_no_all_clear(size: tuple[int, int]) -> None:
    calm = next(at for at, each in enumerate(state("three").dangers) if each.median is None and each.subject != RAM)
    async with on_screen("three", size) as (app, pilot):
        await pilot.press(*["n"] * calm)
        app.feed()
        await pilot.pause()
        lines = [app.screen.query_one("#strip", Panel).line_at(at) for at in range(3)]
    whole = "\n".join(lines)
    assert "no danger" not in whole
    assert state("three").dangers[calm].name[-8:] in lines[0]
    assert "full in 35s" in lines[0]
