"""A recording on the screen: the time line, its keys, the way from an OOM event to the minutes before it, and back."""

import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from typing import cast

import pytest

from oomtop.analysis.comparison import compare
from oomtop.analysis.model.assessment import Assessment
from oomtop.recording.reader import Recording
from oomtop.recording.store import Store
from oomtop.snapshot import Tick
from oomtop.sources.replay import ReplaySource
from oomtop.tui.replay.bar import ReplayBar
from oomtop.tui.replay.compare_screen import CompareScreen
from oomtop.tui.replay.time_line import TimeLineState, draw_time_line
from oomtop.tui.shell.app import OomtopApp, Options
from oomtop.tui.shell.command_palette import commands_of
from oomtop.tui.style.palette import Look
from oomtop.tui.widgets.tab_screen import TabScreen
from tests.present import present
from tests.synthetic import SyntheticMachine, make_event
from tests.tui.factories import make_assessment, make_process, make_row
from tests.tui.pilot import on_top, settled


@pytest.fixture(scope="module")
def ticks() -> list[Tick]:
    ticks = list(SyntheticMachine(25, 6, busy=0.4).ticks(150))
    ticks[100] = Tick(ticks[100].snapshot, (make_event(ticks[100].snapshot.time - 1),))
    return ticks


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory, ticks: list[Tick]) -> str:
    path = str(tmp_path_factory.mktemp("recording") / "r.db")
    store = Store(path)
    for tick in ticks:
        store.write(tick)
    store.close()
    return path


@pytest.fixture
def app(path: str, ticks: list[Tick]) -> OomtopApp:
    source = ReplaySource(Recording(path), ticks[50].snapshot.time)
    return OomtopApp(source, Options(replay=True))


def shown(app: OomtopApp) -> Assessment:
    screen = app.screen
    assert isinstance(screen, TabScreen)
    return present(screen.assessment)


def is_at(app: OomtopApp, ticks: list[Tick], index: int) -> Callable[[], bool]:
    return lambda: app.latest is not None and shown(app).time == ticks[index].snapshot.time


async def test_keys_move_on_the_time_line(app: OomtopApp, ticks: list[Tick]) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot, is_at(app, ticks, 50))
        await pilot.press("right_square_bracket")
        await settled(pilot, is_at(app, ticks, 51))
        await pilot.press("left_curly_bracket")
        await settled(pilot, is_at(app, ticks, 39))
        await pilot.press("n")
        await settled(pilot, is_at(app, ticks, 100))
        assert shown(app).events == ticks[100].events
        await pilot.press("b", "n", "left_square_bracket")
        await settled(pilot, is_at(app, ticks, 99))
        await pilot.press("right_square_bracket")
        await settled(pilot, is_at(app, ticks, 100))
        await pilot.press("B")
        await settled(pilot, lambda: present(app.latest).time < ticks[80].snapshot.time)


async def test_playing_goes_on_by_itself(app: OomtopApp, ticks: list[Tick]) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot, is_at(app, ticks, 50))
        await pilot.press(*["right_parenthesis"] * 6, "p")
        await settled(pilot, lambda: present(app.latest).time > ticks[80].snapshot.time)
        await pilot.press("p")
        assert isinstance(app._source, ReplaySource)
        assert not app._source.position.playing


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_the_time_line_is_at_the_foot_and_nothing_is_cut_off(
    app: OomtopApp, ticks: list[Tick], size: tuple[int, int]
) -> None:
    async with app.run_test(size=size) as pilot:
        await settled(pilot, is_at(app, ticks, 50))
        await settled(pilot, lambda: bool(app.screen.query(ReplayBar)))
        await pilot.pause()
        bar = app.screen.query_one(ReplayBar)
        assert bar.region.bottom == size[1]
        assert app.dashboard.table.region.bottom <= bar.region.y
        assert app.dashboard.table.size.height >= 8


async def test_no_action_can_be_started_in_a_replay_by_key_or_palette(app: OomtopApp, ticks: list[Tick]) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot, is_at(app, ticks, 50))
        await pilot.press("k", "o", "d", "z", "f", "r", "L", "W", "y")
        await pilot.pause()
        assert app.screen.name == "processes-tab"
        for command in commands_of(app.screen):
            if command.title.startswith(("Kill", "Drop", "Limit")):
                await cast("Awaitable[object]", command.run())
        assert app.screen.name == "processes-tab"


async def test_a_time_is_asked_for_and_gone_to(app: OomtopApp, ticks: list[Tick]) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot, is_at(app, ticks, 50))
        await pilot.press("at")
        await pilot.press(*"-2m", "enter")
        await settled(pilot, lambda: present(app.latest).time > ticks[110].snapshot.time)


async def test_two_moments_are_compared(app: OomtopApp, ticks: list[Tick]) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot, is_at(app, ticks, 50))
        await pilot.press("m", "n")
        await settled(pilot, is_at(app, ticks, 100))
        await pilot.press("equals_sign")
        await settled(pilot, lambda: isinstance(app.screen, CompareScreen))
        text = "\n".join(line.plain for line in on_top(app, CompareScreen).lines())
        assert "1 OOM event " in text
        await pilot.press("escape")
        await settled(pilot, lambda: app.screen.name == "processes-tab")


class Live:
    """A live machine that lives in the time of the recording."""

    def __init__(self, tick: Tick) -> None:
        self._tick = tick
        self._closed = threading.Event()

    def ticks(self) -> Iterator[Tick]:
        yield self._tick
        self._closed.wait()

    def close(self) -> None:
        self._closed.set()


async def test_from_an_event_on_the_live_screen_to_the_minutes_before_and_back(path: str, ticks: list[Tick]) -> None:
    event = ticks[100].events[0]
    app = OomtopApp(Live(Tick(ticks[149].snapshot, (event,))))
    app.replay.path = path
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot, is_at(app, ticks, 149))
        assert not app.screen.query(ReplayBar)
        assert app.check_action("act", ("kill",))
        await pilot.press("B")
        await settled(pilot, lambda: abs(shown(app).time - (present(event.time) - 120)) < 6)
        assert app.state.replay
        assert not app.check_action("act", ("kill",))
        await pilot.press("R")
        await settled(pilot, is_at(app, ticks, 149))
        await settled(pilot, lambda: not app.screen.query(ReplayBar))
        assert not app.state.replay
        assert app.check_action("act", ("kill",))


async def test_an_event_outside_the_recording_is_said(path: str, ticks: list[Tick]) -> None:
    app = OomtopApp(Live(Tick(ticks[149].snapshot, (make_event(time.time()),))))
    app.replay.path = path
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot, is_at(app, ticks, 149))
        await pilot.press("B")
        await settled(pilot, lambda: any("no recording of" in text for _, text in app.state.remarks))
        assert not app.state.replay


@pytest.mark.parametrize("width", [20, 40, 80, 200])
@pytest.mark.parametrize("ascii_only", [False, True])
def test_the_time_line_fits_and_shows_every_kind_of_mark(width: int, ascii_only: bool) -> None:
    standing = TimeLineState(50.0, 0.0, 100.0, True, 100, ((10.0, True), (90.0, False), (1e12, True)), 30.0, True)
    line, keys = draw_time_line(standing, width, Look(ascii=ascii_only))
    assert keys.cell_len <= width
    if width >= 80:
        assert line.cell_len == width
        assert all(glyph in line.plain for glyph in "!+m")
    assert line.plain.isascii() or not ascii_only


def test_a_recording_of_one_tick_has_a_time_line() -> None:
    line, _ = draw_time_line(TimeLineState(5.0, 5.0, 5.0, False, 1), 80, Look())
    assert line.cell_len == 80


def test_what_grew_began_and_ended_is_compared() -> None:
    old, gone, new = (make_row(make_process(pid, f"p{pid}")) for pid in (1, 2, 3))
    grown = make_row(replace(old.process, rss=old.process.rss + 999))
    before, after = make_assessment([old, gone], monotonic=10.0), make_assessment([grown, new], monotonic=70.0)
    found = compare(after, before)
    assert (found.start, found.end) == (before.time, after.time)
    assert [
        (change.id.pid, change.delta > 0, change.before is None, change.after is None) for change in found.processes
    ] == [
        (2, False, False, True),
        (3, True, True, False),
        (1, True, False, False),
    ]
    assert found.memory == ()
