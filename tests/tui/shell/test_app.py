"""The app with a scripted source: what a user sees and what the keys do."""

import os
import signal
import subprocess
import threading
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from rich.console import Group
from rich.style import Style
from textual import events
from textual._compositor import ChopsUpdate
from textual.command import Command, CommandList
from textual.pilot import Pilot
from textual.widgets import Input

from oomtop.actions.journal.audit_log import Audit
from oomtop.oomlog.scan import scan_lines
from oomtop.tui.actions.controller import ActionDesk
from oomtop.tui.actions.dialogs import PlanDialog
from oomtop.tui.base.sampling import samples
from oomtop.tui.dashboard.room import ChartRoom
from oomtop.tui.process_table.widget import ProcessTable
from oomtop.tui.shell.app import OomtopApp, Options
from oomtop.tui.shell.command_palette import Palette, PaletteCommand
from oomtop.tui.widgets.line_view import LineView
from oomtop.tui.widgets.menu import Menu
from oomtop.tui.widgets.panel import FittedPanel, Panel
from tests.present import present
from tests.tui.factories import make_assessment, make_process, make_row
from tests.tui.pilot import Scripted, on_top, plan_of, settled

EVENT = sorted((Path(__file__).parents[2] / "fixtures" / "events").glob("*.log"))[0]


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OomtopApp:
    # However few processes this machine has.
    monkeypatch.setattr(ChartRoom, "has_spare_chart", lambda *_, **__: False)
    monitor = OomtopApp(Scripted(), Options(interval=60))
    monitor.actions.audit = Audit(str(tmp_path / "audit.jsonl"))
    return monitor


@pytest.mark.parametrize("looks_ahead", [True, False])
async def test_the_first_picture_is_whole_after_a_look_ahead(
    app: OomtopApp, monkeypatch: pytest.MonkeyPatch, looks_ahead: bool
) -> None:
    drawn = []
    render = Panel.render

    def noted(panel: FittedPanel | Panel) -> Group:
        lines = render(panel)
        drawn.append((panel.id, panel.line_at(0)))
        return lines

    monkeypatch.setattr(Panel, "render", noted)
    if looks_ahead:
        app.latest = next(samples(app._source)).assessment
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot, lambda: any(id == "memory" and line for id, line in drawn))
    assert (("memory", "") in drawn) is not looks_ahead


def source_of(app: OomtopApp) -> Scripted:
    assert isinstance(app._source, Scripted)
    return app._source


async def drawn(pilot: Pilot[None]) -> ProcessTable:
    app = pilot.app
    assert isinstance(app, OomtopApp)
    table = app.dashboard.table
    await settled(pilot, lambda: bool(table.lines))
    return table


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_the_table_has_room_at_every_size(app: OomtopApp, size: tuple[int, int]) -> None:
    async with app.run_test(size=size) as pilot:
        table = await drawn(pilot)
        # With fewer processes than that the chart takes the rest.
        assert table.size.height >= min(10, len(table.lines) + 1)
        assert table.region.bottom <= size[1]


@pytest.mark.parametrize(
    ("size", "has_chart", "events"),
    [
        ((40, 12), False, 0),
        ((80, 24), False, 2),
        ((120, 40), False, 4),
        ((160, 24), False, 2),
        ((160, 40), True, 4),
        ((200, 60), True, 7),
    ],
)
async def test_room_is_given_to_what_is_worth_it(
    app: OomtopApp, size: tuple[int, int], has_chart: bool, events: int
) -> None:
    async with app.run_test(size=size) as pilot:
        table = await drawn(pilot)
        assert app.dashboard.query_one("#chart").display == has_chart
        assert app.dashboard.query_one("#strip").size.height == 1
        pane = app.dashboard.query_one("#events")
        assert (pane.size.height if pane.display else 0) <= events
        assert table.size.height >= 3


async def test_the_layout_follows_the_terminal(app: OomtopApp) -> None:
    async with app.run_test(size=(200, 60)) as pilot:
        await drawn(pilot)
        await pilot.resize_terminal(80, 24)
        await settled(pilot, lambda: not app.dashboard.query_one("#chart").display)
        await pilot.resize_terminal(40, 12)
        await settled(pilot, lambda: not app.dashboard.query_one("#events").display)
        await pilot.resize_terminal(160, 40)
        await settled(pilot, lambda: app.dashboard.query_one("#chart").display)


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (160, 40), (200, 60)])
async def test_v_shows_and_hides_the_chart_at_every_size(app: OomtopApp, size: tuple[int, int]) -> None:
    async with app.run_test(size=size) as pilot:
        table = await drawn(pilot)
        chart, top = app.dashboard.query_one("#chart"), app.dashboard.query_one("#top")
        was_shown = size[0] >= 160
        await settled(pilot, lambda: chart.display == was_shown)
        for shown in (not was_shown, was_shown):
            await pilot.press("v")
            await settled(pilot, partial(lambda wanted: chart.display == wanted, shown))
            await settled(pilot, partial(lambda wanted: (chart.size.height >= 9) or not wanted, shown))
            await settled(pilot, lambda: chart.region.bottom <= top.region.bottom == table.region.y)


async def test_capital_v_shows_the_chart_and_then_takes_it_further_back(app: OomtopApp) -> None:
    def axis() -> list[str]:
        found = app.dashboard.query_one("#chart", Panel)
        return found.line_at(found.size.height - 1).split()[:1]

    async with app.run_test(size=(120, 40)) as pilot:
        await drawn(pilot)
        chart = app.dashboard.query_one("#chart")
        assert not chart.display
        source_of(app).more()
        await pilot.press("V")
        await settled(pilot, lambda: chart.display and chart.size.height >= 9)
        assert app.state.chart_seconds == 0
        await settled(pilot, lambda: app.latest is not None and len(app.latest.series.times) > 1)
        for first in ("-60m", "-6h", "-24h", "-60s", "-10m", "-60m"):
            await pilot.press("V")
            await settled(pilot, partial(lambda wanted: axis() == [wanted], first))


async def test_k_enter_enter_ends_the_selected_process(app: OomtopApp, child: subprocess.Popen[bytes]) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        table = await drawn(pilot)
        # At once, however busy the machine is: digits that come too late begin another number.
        for digit in str(child.pid):
            table.action_jump(digit)
        assert table.selected is not None
        assert table.selected.pid == child.pid
        await plan_of(app, pilot, "k")
        assert str(child.pid) in on_top(app, PlanDialog).plan.title
        await pilot.press("enter")
        await settled(pilot, lambda: child.poll() is not None)
        assert child.returncode == -signal.SIGTERM
        await settled(pilot, lambda: any("exited" in text or "ended" in text for _, text in app.state.remarks))


@pytest.mark.parametrize("keys", [("g",), ("t", "minus"), ("c",)])
async def test_a_group_a_folded_branch_and_tags_are_one_plan_for_all_their_processes(
    app: OomtopApp, keys: tuple[str, ...]
) -> None:
    async with app.run_test(size=(100, 30)) as pilot:
        table = await drawn(pilot)
        app.facts = app.latest = None
        rows = [
            make_row(make_process(100, "web", rss=2 << 30, command="web")),
            *(make_row(make_process(101 + n, "web", ppid=100, rss=1 << 30, command="web")) for n in range(3)),
        ]
        app.dashboard.assessment = make_assessment(rows)
        table.action_edge(False)
        await pilot.press(*keys)
        assert {target.pid for target in app.dashboard.targets()} == {100, 101, 102, 103}
        assert app.dashboard.targets_title().startswith("4 processes, at most 4.")


async def test_a_tool_is_opened_after_its_plan_only(
    app: OomtopApp, child: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = []
    monkeypatch.setattr("oomtop.tui.process.controller.find_programs", frozenset)
    monkeypatch.setattr("oomtop.tui.process.controller.run_in_place", lambda *words: opened.append(words) or True)
    async with app.run_test(size=(100, 30)) as pilot:
        table = await drawn(pilot)
        table.set_filter(f"pid={child.pid}")
        for answer, count in (("escape", 0), ("enter", 1)):
            await pilot.press("s")
            await settled(pilot, lambda: isinstance(app.screen, PlanDialog))
            assert "strace" in on_top(app, PlanDialog).plan.title
            assert not opened
            await pilot.press(answer)
            await settled(pilot, partial(lambda count: len(opened) == count and app.screen is app.dashboard, count))


@pytest.mark.parametrize(
    ("typed", "title"),
    [("kill", "Kill: "), ("protect", "oom_score_adj"), ("limit", "Limit the cgroup"), ("freeze", "Freeze"),
     ("swap", "Swap: "), ("drop", "Drop caches"), ("undo", "Undo"), ("search", "Search"), ("find", "Search"),
     ("swappiness", "Kernel setting vm.swappiness"), ("events", "Go to the tab Events"), ("sort rss", "Sort by RSS"),
     ("filter swapped", "Filter: swapped out"), ("theme", "Setup"), ("quit", "Quit"), ("group user", "Group by user"),
     ("memory", "Sort by memory"), ("leak", "Filter: growing"), ("leak", "Kill: "), ("pause", "Freeze"),
     ("stop", "Freeze"), ("resume", "Freeze or thaw"), ("nice", "oom_score_adj"), ("oom", "Go to the tab Events"),
     ("oom", "oom_score_adj"), ("cache", "Drop caches"), ("reclaim", "Reclaim memory"), ("why", "Go to the tab Events"),
     ("docker", "Go to the tab Cgroups"), ("light", "Theme light"), ("ascii", "ASCII only: on"),
     ("column anon", "Column ANON: on"), ("victim", "Select the next victim"), ("danger", "Next danger"),
     ("swpa", "Swap: "), ("protct", "oom_score_adj")],
)  # fmt: skip
async def test_the_palette_finds_what_people_call_it(app: OomtopApp, typed: str, title: str) -> None:
    async with app.run_test(size=(100, 30)) as pilot:
        await drawn(pilot)
        await pilot.press("colon")
        await settled(pilot, lambda: isinstance(app.screen, Palette))
        await pilot.press(*("space" if letter == " " else letter for letter in typed))
        await settled(pilot, lambda: any(title in text for text in offered(app)))


async def test_the_first_line_of_the_palette_is_the_action(app: OomtopApp) -> None:
    entries = [
        PaletteCommand("Sort by kill", "", print),
        PaletteCommand("Kill: choose a signal", "k F9", print, "end", True),
    ]
    async with app.run_test(size=(100, 30)) as pilot:
        await drawn(pilot)
        for typed in ("", "kill", "end", "kil"):
            app.push_screen(palette := Palette(entries))
            await pilot.pause()
            palette.query_one("CommandInput", Input).value = typed
            await settled(pilot, lambda: app.screen is palette and offered(app))
            first = palette.query_one(CommandList).get_option_at_index(0)
            assert str(first.prompt) == "k F9       Kill: choose a signal"
            await pilot.press("escape")


async def test_a_theme_chosen_in_the_palette_takes_effect(app: OomtopApp) -> None:
    async with app.run_test(size=(100, 30)) as pilot:
        await drawn(pilot)
        await pilot.press("colon", *"theme", "space", *"light")
        await settled(pilot, lambda: offered(app) == ["Theme light"])
        await pilot.press("enter")
        await settled(pilot, lambda: app.theme == "oomtop-light")


async def test_a_click_on_a_line_that_is_gone_does_nothing(app: OomtopApp) -> None:
    async with app.run_test(size=(100, 30)) as pilot:
        await drawn(pilot)
        await pilot.press("colon")
        await settled(pilot, lambda: len(offered(app)) > 5)
        lines, palette = app.screen.query_one(CommandList), app.screen
        click = events.Click(lines, 2, 8, 0, 0, 1, False, False, False, style=Style(meta={"option": 5}))
        lines.clear_options()
        lines.post_message(click)
        await settled(pilot, lambda: lines.message_queue_size == 0)
        assert app.screen is palette


async def test_the_palette_takes_a_query_and_no_book(app: OomtopApp) -> None:
    """A key that is held, or a file that is pasted, must not make a search of each of its characters."""
    async with app.run_test(size=(100, 30)) as pilot:
        await drawn(pilot)
        await pilot.press("colon", *"{" * 100)
        app.screen.post_message(events.Paste("x" * 100))
        await pilot.pause()
        assert len(app.screen.query_one("CommandInput", Input).value) == 60


def offered(app: OomtopApp) -> list[str]:
    commands = on_top(app, Palette).query_one(CommandList)
    lines = [commands.get_option_at_index(at) for at in range(commands.option_count)]
    return [str(line.hit.text) for line in lines if isinstance(line, Command)]


@pytest.mark.parametrize("ends", [False, True])
async def test_a_plan_is_for_the_process_that_was_first_when_the_key_came(
    app: OomtopApp, child: subprocess.Popen[bytes], ends: bool
) -> None:
    """The cursor stays on the first line until it is moved, and another one may come first at any tick."""
    async with app.run_test(size=(80, 24)) as pilot:
        table = await drawn(pilot)
        table.set_filter(f"pid={child.pid} or pid={os.getpid()}")
        table.sort_by("pid", descending=child.pid > os.getpid())
        assert present(table.selected).pid == child.pid
        for key in ("k", "enter"):
            await pilot.press(key)
            table.hold_order = False
            rows = [row for row in present(app.latest).rows if not ends or row.process.pid != child.pid]
            table.show(replace(present(app.latest), rows=tuple(rows)))
            table.sort_by("pid", descending=child.pid < os.getpid())
            assert table.lines[0].row.process.pid == os.getpid()
        await settled(pilot, lambda: isinstance(app.screen, PlanDialog))
        assert f"{child.pid}" in on_top(app, PlanDialog).plan.title
        assert f"{os.getpid()}" not in on_top(app, PlanDialog).plan.title


async def test_an_action_needs_no_thread(
    app: OomtopApp, child: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        table = await drawn(pilot)
        table.set_filter(f"pid={child.pid}")
        await pilot.press("k", "enter")
        await settled(pilot, lambda: isinstance(app.screen, PlanDialog))

        def start(self: threading.Thread) -> None:
            raise RuntimeError("can't start new thread")

        monkeypatch.setattr(threading.Thread, "start", start)
        await pilot.press("enter")
        await settled(pilot, lambda: child.poll() is not None)
        assert child.returncode == -signal.SIGTERM
        monkeypatch.undo()


async def test_oomtop_itself_is_refused(app: OomtopApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await drawn(pilot)
        await pilot.press(*str(os.getpid()))
        assert (await plan_of(app, pilot, "k")).refusal is not None
        await pilot.press("escape")


async def test_read_only_starts_no_action() -> None:
    app = OomtopApp(Scripted(), Options(read_only=True))
    async with app.run_test(size=(80, 24)) as pilot:
        await drawn(pilot)
        await pilot.press("k", "d", "o", "z")
        await pilot.pause()
        assert app.screen.name == "processes-tab"
        assert "read-only" in app.state.standing.modes


async def test_a_tick_while_paused_changes_nothing_on_the_screen(app: OomtopApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await drawn(pilot)
        before = app.dashboard.assessment
        await pilot.press("Z")
        source_of(app).more()
        await settled(pilot, lambda: app.latest is not before)
        assert app.dashboard.assessment is before
        await pilot.press("Z")
        await settled(pilot, lambda: app.dashboard.assessment is app.latest)


async def test_what_is_typed_at_once_behind_a_slash_is_text_and_no_keys(app: OomtopApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await drawn(pilot)
        # As a terminal hands on what is pasted.
        for key in "/kok":
            app.post_message(events.Key("slash" if key == "/" else key, key))
        await settled(pilot, lambda: app.dashboard.prompt.value == "kok")
        assert app.screen is app.dashboard


async def test_help_opens_and_closes(app: OomtopApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await drawn(pilot)
        await pilot.press("question_mark")
        await settled(pilot, lambda: app.screen.name != "processes-tab")
        await pilot.press("escape")
        await settled(pilot, lambda: app.screen.name == "processes-tab")


async def test_the_help_names_every_figure_and_gives_a_long_name_a_line(app: OomtopApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await drawn(pilot)
        await pilot.press("question_mark")
        await settled(pilot, lambda: app.screen.name != "processes-tab")
        lines = app.screen.query_one(LineView).text.splitlines()
        assert " root with fewer rights " in lines
        assert any(line.startswith(" tabs           the tabs:") for line in lines)
        assert max(map(len, lines)) <= 80


async def test_nothing_is_drawn_behind_the_help(app: OomtopApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await drawn(pilot)
        before = app.dashboard.assessment
        await pilot.press("question_mark")
        await settled(pilot, lambda: app.screen.name != "processes-tab")
        source_of(app).more()
        await settled(pilot, lambda: app.latest is not before)
        assert app.dashboard.assessment is before
        await pilot.press("escape")
        await settled(pilot, lambda: app.dashboard.assessment is app.latest)


async def test_behind_a_dialog_only_what_changed_is_painted(app: OomtopApp, monkeypatch: pytest.MonkeyPatch) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await drawn(pilot)
        app.remark("an older remark")
        await pilot.press("k")
        await settled(pilot, lambda: isinstance(app.screen, Menu))
        await pilot.pause(0.3)
        painted = []
        monkeypatch.setattr(app, "_display", lambda screen, update: painted.append(update))
        app.remark("a new remark")
        await settled(pilot, lambda: any(update is not None for update in painted))
        await pilot.pause(0.3)
    updates = [update for update in painted if update is not None]
    assert {type(update) for update in updates} == {ChopsUpdate}
    lines = {y for update in updates for y, *_ in update.spans}
    assert 1 <= len(lines) <= 8
    strips = [strip for update in updates for chop in update.chops for strip in chop.values() if strip]
    assert any("a new remark" in "".join(segment.text for segment in strip) for strip in strips)


async def test_a_bad_theme_is_said_and_the_default_is_used(tmp_path: Path) -> None:
    file = tmp_path / "broken.toml"
    file.write_text('name = "x"\n[colors]\nprimary = "no colour"\n')
    app = OomtopApp(Scripted(), Options(theme=str(file)))
    async with app.run_test(size=(80, 24)) as pilot:
        await drawn(pilot)
        assert any("colors.primary" in text for _, text in app.state.remarks)


@pytest.mark.parametrize("theme", ["dark", "light", "high-contrast", "colour-blind-safe", "sixteen", "mono"])
async def test_every_theme_draws(theme: str) -> None:
    app = OomtopApp(Scripted(), Options(theme=theme, ascii=theme == "mono"))
    async with app.run_test(size=(80, 24)) as pilot:
        await drawn(pilot)
        assert not app.state.remarks


async def test_a_menu_is_not_pushed_away_by_a_long_command(app: OomtopApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await drawn(pilot)
        app.push_screen(Menu("4711 root java " + "-Dx=y " * 200, [(at, f"choice {at}") for at in range(16)]))
        await settled(pilot, lambda: isinstance(app.screen, Menu) and app.screen.query("Static.keys"))
        title, keys = app.screen.query("Static").results()
        await settled(pilot, lambda: 0 < title.size.height <= 2)
        assert keys.region.bottom <= 24


async def test_without_a_recording_it_is_said_how_to_get_one(
    app: OomtopApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.replay.path = str(tmp_path / "recording.db")
    async with app.run_test(size=(80, 24)) as pilot:
        await drawn(pilot)
        event = next(iter(scan_lines(EVENT.read_text().splitlines(), "kern.log")))
        monkeypatch.setattr(type(app.dashboard), "event", lambda self: replace(event, time=1_700_000_000.0))
        await pilot.press("B")
        await settled(pilot, lambda: any("`oomtop record` keeps" in text for _, text in app.state.remarks))


async def test_what_is_armed_sees_every_tick_and_is_disarmed_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    monkeypatch.setattr(ActionDesk, "follow", lambda *_: seen.append("tick"))
    monkeypatch.setattr(ActionDesk, "disarm", lambda *_: seen.append("end"))
    source = Scripted()
    app = OomtopApp(source, Options(interval=60))
    async with app.run_test() as pilot:
        await settled(pilot, lambda: bool(app.dashboard.table.lines))
        assert app.actions
        source.more()
        await settled(pilot, lambda: "tick" in seen)
    assert seen[-1] == "end"
