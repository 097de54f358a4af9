"""Kills and actions below the table, or in a rail beside it: whole sentences, a click finds the kill."""

import pytest

from oomtop.analysis.model.assessment import Assessment
from oomtop.tui.base.session import Remark
from oomtop.tui.dashboard.event_pane import draw_events, event_at, event_height, has_rail
from oomtop.tui.process_table.widget import ProcessTable
from oomtop.tui.style.palette import Look
from oomtop.tui.widgets.panel import Panel
from tests.synthetic import make_event
from tests.tui.factories import make_assessment
from tests.tui.states import on_screen, state

NOW = make_assessment(()).time
REMARKS: tuple[Remark, ...] = (
    (NOW - 3, "done: exited after 0.4 s, freed 3.1G; the limit of /web.service was not changed"),
)


@pytest.fixture
def killed() -> Assessment:
    return make_assessment((), events=(make_event(NOW - 4), make_event(NOW - 90)))


@pytest.mark.parametrize("ascii_only", [False, True])
def test_the_rail_tells_whole_sentences_and_a_line_of_each_finds_its_kill(killed: Assessment, ascii_only: bool) -> None:
    look = Look(ascii_only)
    lines = [line.plain for line in draw_events(lambda: REMARKS)(killed, 48, 20, look)]
    assert lines[0].startswith("Kills, actions")
    assert max(map(len, lines)) <= 48
    assert not any(line.endswith(("…", "..")) for line in lines)
    found = [event_at(killed, REMARKS, at, (48, 20), look) for at in range(len(lines) + 2)]
    assert found[0] is None
    assert found[1] is None
    assert [found.count(event) >= 2 for event in killed.events] == [True, True]
    assert found[-2:] == [None, None]
    first = next(at for at, line in enumerate(lines) if "killed" in line)
    assert found[first] is killed.events[0]


def test_the_pane_below_the_table_has_a_line_for_each_and_no_blank_one(killed: Assessment) -> None:
    lines = draw_events(lambda: REMARKS)(killed, 80, 3, Look())
    assert [event_at(killed, REMARKS, at, (80, 3), Look()) for at in range(4)] == [None, *killed.events, None]
    assert len(lines) == 3
    calm, heights = make_assessment(()), ((80, 24), (120, 40), (120, 60))
    assert [event_height(lambda: ())(calm, *size) for size in heights] == [1, 1, 1]
    assert [event_height(lambda: REMARKS)(calm, *size) for size in heights] == [1, 4, 7]


def test_without_a_kill_or_an_action_the_table_has_the_whole_width(killed: Assessment) -> None:
    assert has_rail(killed, (), 160, 45)
    assert has_rail(make_assessment(()), REMARKS, 160, 45)
    assert not has_rail(make_assessment(()), (), 160, 45)
    assert not has_rail(killed, (), 159, 45)
    assert not has_rail(killed, (), 160, 24)


@pytest.mark.parametrize(("name", "size", "is_beside"), [
    ("killed", (160, 45), True), ("killed", (250, 70), True), ("killed", (120, 40), False), ("leak", (160, 45), False),
])  # fmt: skip
async def test_the_rail_stands_beside_the_table_to_its_foot(name: str, size: tuple[int, int], is_beside: bool) -> None:
    async with on_screen(name, size) as (app, _):
        table, pane = app.screen.query_one(ProcessTable).region, app.screen.query_one("#events", Panel).region
    assert (table.y == pane.y and table.bottom == pane.bottom and table.right < pane.x) == is_beside
    assert (pane.y == table.bottom and pane.width == size[0]) != is_beside


@pytest.mark.parametrize(
    ("width", "said"),
    [(120, "kernel killed oomtop-leak 12881, 295M: limit of /web.service, 300M"),
     (74, " killed oomtop-leak 12881, 295M: limit of /web.service, 300M"), (60, " limit of /web.ser…")],
)  # fmt: skip
def test_a_limit_is_the_last_to_be_cut(width: int, said: str) -> None:
    line = draw_events(tuple)(state("killed"), width, 2, Look())[0]
    assert line.cell_len <= width
    assert line.plain.endswith(said)
