"""The chart of a post-mortem: what was held until the kill, from what is remembered or recorded."""

from pathlib import Path

import pytest

from oomtop.frozen import replace
from oomtop.tui.base.options import Options
from oomtop.tui.events.last_minutes import draw_minutes, recorded_minutes, remembered_minutes
from oomtop.tui.events.post_mortem import PostMortemScreen
from oomtop.tui.shell.app import OomtopApp
from oomtop.tui.style.palette import Look
from oomtop.tui.widgets.line_view import LineView
from tests.present import present
from tests.synthetic import make_event
from tests.tui.pilot import settled
from tests.tui.states import Still, recorded, state


@pytest.mark.parametrize("ascii_only", [False, True])
def test_what_was_held_is_drawn_until_the_kill(ascii_only: bool) -> None:
    killed = state("killed")
    danger = present(remembered_minutes(killed.events[0], killed.dangers))
    title, first, *chart = (line.plain for line in draw_minutes(danger, 80, Look(ascii_only)))
    assert title.startswith("What was held limit of web.service, until ")
    assert first.startswith("300M")
    assert first.count("X" if ascii_only else "✗") == 1
    held = "#" if ascii_only else "█"
    assert sum(held in line for line in chart) >= 6
    assert not any("now" in line for line in chart)
    assert max(map(len, (title, first, *chart))) <= 80


def test_nothing_is_drawn_of_minutes_that_nobody_saw(tmp_path: Path) -> None:
    killed = state("killed")
    old = replace(killed.events[0], time=present(killed.events[0].time) - 3000)
    assert remembered_minutes(old, killed.dangers) is None
    assert remembered_minutes(replace(old, time=None), killed.dangers) is None
    assert recorded_minutes(str(tmp_path / "none.db"), old) is None
    assert recorded_minutes(_path(), make_event(5.0)) is None


def _path() -> str:
    source = recorded("replay")
    source.recording.close()
    return source.recording.path


async def test_a_post_mortem_has_the_chart_of_a_recording() -> None:
    app = OomtopApp(Still(), Options(recording=_path()))
    async with app.run_test(size=(80, 24)) as pilot:
        screen = PostMortemScreen(app.state, app.look, state("killed").events[0])
        app.push_screen(screen)
        await settled(pilot, lambda: any("What was held" in view.text for view in screen.query(LineView)))
        assert "✗" in screen.view.text
        assert "oomtop-leak" in screen.view.text
