"""The app with a scripted source: what a user sees and what the keys do."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from oomtop.actions.audit import Audit
from oomtop.sampler import Sampler
from oomtop.snapshot import Tick
from oomtop.tui.app import OomtopApp, Options
from oomtop.tui.dialogs import Menu, PlanDialog
from oomtop.tui.panel import Panel


class Scripted:
    """One real sample, then as many more as are asked for."""

    def __init__(self):
        self._more = threading.Semaphore(1)
        self._closed = False
        self._sampler = Sampler()

    def ticks(self):
        while self._more.acquire() and not self._closed:
            yield Tick(self._sampler.sample())
        self._sampler.close()

    def more(self):
        self._more.release()

    def close(self):
        self._closed = True
        self._more.release()


@pytest.fixture
def app(tmp_path):
    monitor = OomtopApp(Scripted(), Options(interval=60))
    monitor.remedies.audit = Audit(str(tmp_path / "audit.jsonl"))
    return monitor


@pytest.fixture
def child():
    process = subprocess.Popen([sys.executable, "-c", "import signal; print(flush=True); signal.pause()"], stdout=-1)
    process.stdout.readline()
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


async def settled(pilot, condition):
    for _ in range(200):
        if condition():
            return
        await pilot.pause(0.05)
    raise AssertionError("the app did not get there")


@pytest.mark.parametrize("looks_ahead", [True, False])
async def test_the_first_picture_is_whole_after_a_look_ahead(app, monkeypatch, looks_ahead):
    drawn = []
    render = Panel.render

    def noted(panel):
        lines = render(panel)
        drawn.append((panel.id, panel.line_at(0)))
        return lines

    monkeypatch.setattr(Panel, "render", noted)
    if looks_ahead:
        app.look_ahead()
        assert app.latest is not None
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot, lambda: any(id == "memory" and line for id, line in drawn))
    assert (("memory", "") in drawn) is not looks_ahead


async def drawn(pilot):
    table = pilot.app.dashboard.table
    await settled(pilot, lambda: bool(table.lines))
    return table


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_the_table_has_room_at_every_size(app, size):
    async with app.run_test(size=size) as pilot:
        table = await drawn(pilot)
        assert table.size.height >= 10
        assert table.region.bottom <= size[1]


@pytest.mark.parametrize(
    ("size", "charted", "events"),
    [((80, 24), False, 2), ((100, 34), True, 5), ((120, 40), True, 5), ((200, 30), True, 2), ((200, 60), True, 8)],
)
async def test_a_bigger_screen_has_the_chart_and_more_events(app, size, charted, events):
    async with app.run_test(size=size) as pilot:
        await drawn(pilot)
        chart = app.dashboard.query_one("#chart")
        assert (chart.display, app.dashboard.query_one("#events").size.height) == (charted, events)
        assert not charted or chart.size.height >= 9


async def test_k_enter_enter_ends_the_selected_process(app, child):
    async with app.run_test(size=(120, 40)) as pilot:
        await drawn(pilot)
        await pilot.press(*str(child.pid))
        await pilot.press("k")
        await settled(pilot, lambda: isinstance(app.screen, Menu))
        await pilot.press("enter")
        await settled(pilot, lambda: isinstance(app.screen, PlanDialog))
        assert str(child.pid) in app.screen.plan.title
        await pilot.press("enter")
        await settled(pilot, lambda: child.poll() is not None)
        assert child.returncode == -signal.SIGTERM
        await settled(pilot, lambda: any("exited" in text or "ended" in text for _, text in app.state.remarks))


async def test_oomtop_itself_is_refused(app):
    async with app.run_test(size=(120, 40)) as pilot:
        await drawn(pilot)
        await pilot.press(*str(os.getpid()))
        await pilot.press("k")
        await settled(pilot, lambda: isinstance(app.screen, Menu))
        await pilot.press("enter")
        await settled(pilot, lambda: isinstance(app.screen, PlanDialog))
        assert app.screen.plan.refusal is not None
        await pilot.press("escape")


async def test_read_only_starts_no_action():
    app = OomtopApp(Scripted(), Options(read_only=True))
    async with app.run_test(size=(80, 24)) as pilot:
        await drawn(pilot)
        await pilot.press("k", "d", "o", "z")
        await pilot.pause()
        assert app.screen.id == "processes-tab"
        assert "read-only" in app.state.standing.modes


async def test_a_tick_while_paused_changes_nothing_on_the_screen(app):
    async with app.run_test(size=(80, 24)) as pilot:
        await drawn(pilot)
        before = app.dashboard.assessment
        await pilot.press("Z")
        app._source.more()
        await settled(pilot, lambda: app.latest is not before)
        assert app.dashboard.assessment is before
        await pilot.press("Z")
        await settled(pilot, lambda: app.dashboard.assessment is app.latest)


async def test_help_opens_and_closes(app):
    async with app.run_test(size=(80, 24)) as pilot:
        await drawn(pilot)
        await pilot.press("question_mark")
        await settled(pilot, lambda: app.screen.id != "processes-tab")
        await pilot.press("escape")
        await settled(pilot, lambda: app.screen.id == "processes-tab")


async def test_a_bad_theme_is_said_and_the_default_is_used(tmp_path):
    file = tmp_path / "broken.toml"
    file.write_text('name = "x"\n[colors]\nprimary = "no colour"\n')
    app = OomtopApp(Scripted(), Options(theme=str(file)))
    async with app.run_test(size=(80, 24)) as pilot:
        await drawn(pilot)
        assert any("colors.primary" in text for _, text in app.state.remarks)


@pytest.mark.parametrize("theme", ["dark", "light", "high-contrast", "colour-blind-safe", "sixteen", "mono"])
async def test_every_theme_draws(theme):
    app = OomtopApp(Scripted(), Options(theme=theme, ascii=theme == "mono"))
    async with app.run_test(size=(80, 24)) as pilot:
        await drawn(pilot)
        assert not app.state.remarks
