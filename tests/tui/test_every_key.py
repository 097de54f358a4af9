"""Every binding of every screen is pressed, and something has to differ afterwards; its other keys lead there too.

A class without a stage fails `test_every_class_with_keys_has_a_stage`: no key can be added that nobody presses.
"""

import importlib
import inspect
import pkgutil
import threading
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest
from textual.binding import Binding
from textual.command import CommandList
from textual.dom import DOMNode
from textual.pilot import Pilot
from textual.screen import Screen

import oomtop.tui
from oomtop.actions.base.requests import CompactRequest
from oomtop.actions.journal.audit_log import Audit
from oomtop.analysis.assessment import assess
from oomtop.analysis.comparison import compare
from oomtop.analysis.model.assessment import CgroupFigures, Victims
from oomtop.analysis.model.danger import UseCurve
from oomtop.history import History
from oomtop.host.cgroup import Cgroup, CgroupEvents
from oomtop.oomlog import log_files
from oomtop.oomlog.evidence import Evidence
from oomtop.oomlog.scan import scan_lines
from oomtop.snapshot import Snapshot, Tick
from oomtop.sources.live import LiveSource
from oomtop.sources.sampler import Sampler
from oomtop.tui.actions.dialogs import AskDialog, PlanDialog
from oomtop.tui.actions.menus import Ask
from oomtop.tui.alerts.screen import AlertsScreen
from oomtop.tui.base.messages import NewAssessment
from oomtop.tui.cgroups.screen import CgroupTree
from oomtop.tui.events.list import EventList
from oomtop.tui.events.post_mortem import PostMortemScreen
from oomtop.tui.events.screen import EventsScreen
from oomtop.tui.fleet.app import FleetApp, MachineList
from oomtop.tui.help.screen import HelpScreen
from oomtop.tui.kernel.screen import KernelPage
from oomtop.tui.process.screen import ProcessScreen
from oomtop.tui.process.text_screens import ReadingScreen
from oomtop.tui.process_table.columns import COLUMNS
from oomtop.tui.process_table.widget import ProcessTable
from oomtop.tui.replay.compare_screen import CompareScreen
from oomtop.tui.setup.screen import ChoiceList, SetupScreen
from oomtop.tui.shell.app import OomtopApp, Options
from oomtop.tui.shell.command_palette import commands_of
from oomtop.tui.shell.tab_factory import MAKERS
from oomtop.tui.style.key_names import key_name, key_of
from oomtop.tui.widgets.menu import Menu
from oomtop.tui.widgets.prompt_line import PromptLine
from oomtop.tui.widgets.tab_screen import TabScreen
from oomtop.tui.widgets.text_block import Page
from oomtop.units import GIB, MIB
from tests.present import present
from tests.tui.factories import make_assessment, make_danger, make_process, make_row
from tests.tui.pilot import settled

SIZE = (80, 24)
LOG = (Path(__file__).parents[1] / "fixtures" / "events").glob("*.log")
EVENTS = tuple(event for file in sorted(LOG)[:6] for event in scan_lines(file.read_text().splitlines(), file.name))


class Quiet(LiveSource):
    """A source without ticks: the test hands them over itself."""

    def __init__(self, calls: list[object]) -> None:
        super().__init__()
        self._ended = threading.Event()
        self.calls = calls

    def ticks(self) -> Iterator[Tick]:
        self._ended.wait()
        return iter(())

    def refresh(self) -> None:
        self.calls.append("sampled")

    def close(self) -> None:
        self._ended.set()


def group(path: str, current: int) -> CgroupFigures:
    facts = Cgroup(path=path, current=current, max=GIB, anon=current, events=CgroupEvents())
    return CgroupFigures(facts, path, GIB, GIB - current, None, Victims())


def machine(snapshot: Snapshot) -> NewAssessment:
    """Forty processes with parents, users, units and kernel threads; cgroups; events."""
    rows = [make_row(make_process(1, "init", ppid=0, rss=MIB, start_time=1), user="root")]
    for n in range(40):
        process = make_process(
            100 + n,
            f"prog{n % 7}",
            ppid=100 if n % 3 and n else 1,
            rss=(41 - n) * MIB,
            kernel=n == 39,
            cgroup=f"/a/{n % 4}",
            command=f"/usr/bin/prog{n % 7} --serve {n}",
        )
        rows.append(make_row(process, user="alice" if n % 2 else "bob", unit=f"unit{n % 4}", cpu=(n * 7 % 13) / 10))
    rows.append(make_row(make_process(2, "kthreadd", ppid=0, kernel=True, start_time=2), user="root"))
    groups = (group("/", 9 * MIB), *(group(f"/g{n}", n * MIB) for n in range(30)), group("/g3/in", MIB))
    kernel = assess(Tick(snapshot), History()).kernel
    return NewAssessment(
        make_assessment(rows, dangers=DANGERS, cgroups=groups, events=EVENTS[:8], kernel=kernel), snapshot
    )


@dataclass
class Stage:
    """Where the bindings of some classes are pressed."""

    classes: tuple[type, ...]
    open: tuple[str, ...] = ()
    """The keys that lead there from the first screen."""
    before: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """What has to be pressed first, by binding id."""
    screen: Callable[[OomtopApp], Screen[Any]] | None = None
    """What makes a screen to push instead."""


def calls_of(app: OomtopApp) -> list[object]:
    """Return what the app would have done outside of its screen."""
    assert isinstance(app._source, Quiet)
    return app._source.calls


def _menu(app: OomtopApp) -> Menu:
    return Menu("title", [(n, f"choice {n}") for n in range(5)], typed=(0, 9))


def _ask(app: OomtopApp) -> AskDialog:
    return AskDialog(Ask("title", "hint", lambda text: CompactRequest(), ""))


def _plan(app: OomtopApp) -> PlanDialog:
    from oomtop.actions.base.plan import Plan

    return PlanDialog(Plan("kill", "end nobody", ()), lambda: calls_of(app).append("confirmed"))


def _setup(app: OomtopApp) -> SetupScreen:
    shown = tuple(column.id for column in COLUMNS)
    return SetupScreen(app.options, app.look, shown, calls_of(app).append, "/nowhere")


CURVE = UseCurve([1_700_000_000.0 + 1000.0 - 900 + at for at in range(900)], [1e8] * 900, [1.5e8] * 900, [0.0] * 900)
DANGERS = (
    make_danger("/a/1", curve=CURVE),
    make_danger("/a/2", median=240.0, earliest=200.0, latest=300.0, curve=CURVE),
)
DOWN = ("down", "down")
STAGES = {
    "dashboard": Stage(
        (OomtopApp, TabScreen, ProcessTable),
        before={
            "table.up": DOWN, "table.page_up": ("end",), "table.home": ("end",), "table.pan_left": ("right",),
            "table.untag": ("space",), "table.unfold": ("t", "minus"), "table.fold": ("t",),
            "table.sort_memory": ("P",), "app.nearest_danger": ("n",), "table.follow": ("end",), "app.victim": ("end",),
            **{f"table.jump_{digit}": ("end", "1", "0") for digit in "023456789"}, "table.jump_1": (),
        },
    ),
    "cgroups": Stage((CgroupTree,), ("tab",), {
        "cgroups.up": DOWN, "cgroups.page_up": ("end",), "cgroups.home": ("end",), "cgroups.unfold": ("minus",),
    }),
    "events": Stage((EventsScreen, EventList), ("tab", "tab"), {
        "events.up": DOWN, "events.page_up": ("end",), "events.home": ("end",),
    }),
    "kernel": Stage((KernelPage,), ("tab", "tab", "tab"), {"kernel.up": DOWN}),
    "process": Stage((ProcessScreen, Page), ("enter",), {"page.up": ("pagedown",)}),
    "post-mortem": Stage((PostMortemScreen,), ("tab", "tab", "enter")),
    "reading": Stage((ReadingScreen,), ("w",)),
    "alerts": Stage((AlertsScreen,), ("a",)),
    "help": Stage((HelpScreen,), ("question_mark",), {"help.again": ("slash", *"swap", "enter")}),
    "setup": Stage((SetupScreen, ChoiceList), screen=_setup, before={
        "setup.up": DOWN, "setup.first": ("end",), "setup.before": ("space",),
        "setup.move_left": (*["down"] * 12,), "setup.move_right": (*["down"] * 12,),
    }),
    "compare": Stage((CompareScreen,), screen=lambda app: CompareScreen(compare(present(app.latest), present(app.latest)), app.look)),
    "menu": Stage((Menu,), screen=_menu),
    "ask": Stage((AskDialog,), screen=_ask),
    "plan": Stage((PlanDialog,), screen=_plan),
    "prompt": Stage((PromptLine,), ("slash",)),
}  # fmt: skip
ELSEWHERE = {"app.interrupt": "test_ctrl_c_quits", "app.palette": "test_the_palette_opens_and_does_what_was_chosen"}


def bindings_of(cls: type[DOMNode]) -> list[Binding]:
    return [item for item in cls.__dict__["BINDINGS"] if isinstance(item, Binding)]


def classes_with_keys() -> Iterator[type[DOMNode]]:
    for module in pkgutil.walk_packages(oomtop.tui.__path__, "oomtop.tui."):
        for _, cls in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if cls.__module__ == module.name and "BINDINGS" in cls.__dict__ and issubclass(cls, DOMNode):
                yield cls


def test_every_class_with_keys_has_a_stage() -> None:
    # The table of machines is an app of its own: tests/fleet presses its keys.
    staged = {cls for stage in STAGES.values() for cls in stage.classes} | {FleetApp, MachineList}
    assert {cls.__name__ for cls in classes_with_keys()} == {cls.__name__ for cls in staged}


def test_every_binding_has_an_id_of_its_own_and_a_description() -> None:
    seen: dict[str, Binding] = {}
    for cls in classes_with_keys():
        for binding in bindings_of(cls):
            assert binding.id, (cls, binding)
            assert binding.description, binding
            other = seen.setdefault(binding.id, binding)
            assert other.key == binding.key, f"{binding.id} is two things"


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OomtopApp:
    calls: list[object] = []
    monkeypatch.setattr(log_files, "read_journal", lambda since=None: calls.append("logs") or Evidence())
    monkeypatch.setattr(log_files, "read_machine_logs", lambda folder="/var/log", since=None: Evidence())
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("TMUX", raising=False)
    monkeypatch.chdir(tmp_path)
    app = OomtopApp(Quiet(calls), Options(recording=str(tmp_path / "none")))
    monkeypatch.setattr(app, "exit", lambda *_, **__: calls.append("exit"))
    monkeypatch.setattr(app, "action_suspend_process", lambda: calls.append("suspended"))
    monkeypatch.setattr(app, "bell", lambda: calls.append("bell"))
    monkeypatch.setattr(app.inspections, "tool_plan", lambda tool, identity: calls.append((tool, identity)))
    app.actions.audit = Audit(str(tmp_path / "audit.jsonl"))
    begin_reading = app.state.slow.begin
    monkeypatch.setattr(app.state.slow, "begin", lambda read: calls.append("read") or begin_reading(read))
    return app


@pytest.fixture(scope="module")
def tick() -> NewAssessment:
    sampler = Sampler()
    snapshot = sampler.sample()
    sampler.close()
    return machine(snapshot)


def state_of(app: OomtopApp) -> tuple[object, ...]:
    """Everything that a key may change: the picture cell by cell, modes, remarks, calls."""
    picture = [
        [(segment.text, str(segment.style)) for segment in strip]
        for strip in app.screen._compositor.render_strips(app.size)
    ]
    screens = [type(screen).__name__ for screen in app.screen_stack]
    view = app.dashboard.table.view if app.dashboard.is_attached else None
    follow = app.dashboard.table.follow if app.dashboard.is_attached else None
    return (picture, screens, app.current_mode, app.options, app.state.paused, list(app.state.remarks), len(calls_of(app)),
            app.clipboard, view, follow, repr(app.focused))  # fmt: skip


async def still(pilot: Pilot[None]) -> None:
    """Wait until nothing is read or drawn any more."""
    await pilot.pause()
    while readings := [worker for worker in pilot.app.workers if worker.group not in ("sampling", "default")]:
        await pilot.app.workers.wait_for_complete(readings)
        await pilot.pause()


async def begin(pilot: Pilot[None], tick: NewAssessment, stage: Stage) -> None:
    """Show the machine as it was at first, then go to the stage."""
    app = pilot.app
    assert isinstance(app, OomtopApp)
    while len(app.screen_stack) > 1:
        await app.pop_screen()
    if app.current_mode != "processes":
        tab = app.current_mode
        await app.switch_mode("processes")
        await app.remove_mode(tab)
        app.add_mode(tab, partial(MAKERS[tab], app.state, app.look))
    app.options = Options(recording=app.options.recording)
    app.state.paused = False
    app.state.remarks.clear()
    app.dashboard.remove_class("-chart", "-no-chart")
    app.dashboard.with_forecast, app.state.chart_seconds = True, 0
    await app.dashboard.table.remove()
    await app.dashboard.mount(ProcessTable(id="processes", clock=lambda: 0.0), before="#events")
    app.dashboard.assessment = None
    app._on_new_assessment(tick)
    app.dashboard.table.focus()
    if stage.screen is not None:
        await pilot.pause()
        app.push_screen(stage.screen(app))
    for key in stage.open:
        await pilot.press(key)
    await still(pilot)


@pytest.mark.parametrize("name", STAGES)
async def test_every_key_does_something(app: OomtopApp, tick: NewAssessment, name: str) -> None:
    stage = STAGES[name]
    idle = []
    async with app.run_test(size=SIZE) as pilot:
        for binding in [binding for cls in stage.classes for binding in bindings_of(cls)]:
            if binding.id in ELSEWHERE or present(binding.id).startswith(("replay.", "process.tool_")):
                continue
            first, *others = binding.key.split(",")
            await begin(pilot, tick, stage)
            if binding.id in stage.before:
                await pilot.press(*stage.before[binding.id])
                await still(pilot)
            bound = app.screen.active_bindings
            idle += [f"{key} (is {bound.get(key)})" for key in (first, *others) if bound[key].binding.id != binding.id]
            before = state_of(app)
            await pilot.press(first)
            await still(pilot)
            if state_of(app) == before:
                idle.append(f"{first} ({binding.description})")
    assert not idle, f"{name}: nothing happened after {', '.join(idle)}"


async def test_ctrl_c_quits(app: OomtopApp, tick: NewAssessment) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await begin(pilot, tick, STAGES["dashboard"])
        for keys in ((), ("tab",), ("enter",)):
            await pilot.press(*keys, "ctrl+c")
            assert calls_of(app).pop() == "exit"


async def test_the_palette_opens_and_does_what_was_chosen(app: OomtopApp, tick: NewAssessment) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await begin(pilot, tick, STAGES["dashboard"])
        await pilot.press("colon")
        await pilot.pause()
        assert type(app.screen).__name__ == "Palette"
        await pilot.press(*"tree")
        await settled(pilot, lambda: app.screen.query_one(CommandList).option_count > 0)
        await pilot.press("enter", "enter")
        await settled(pilot, lambda: app.dashboard.table.view.tree)


@pytest.mark.parametrize("name", ["dashboard", "cgroups", "events", "kernel", "process"])
async def test_the_palette_offers_every_key_that_works_here(app: OomtopApp, tick: NewAssessment, name: str) -> None:
    """What it runs is the action of the key, on the widget that the key would reach."""
    async with app.run_test(size=SIZE) as pilot:
        await begin(pilot, tick, STAGES[name])
        offered = {command.title for command in commands_of(app.screen)}
        owned = [item.binding for item in app.screen.active_bindings.values() if item.binding.id]
        assert len(owned) > 30
        assert offered == {binding.description for binding in owned if binding.action != "command_palette"}


@pytest.mark.parametrize("title", ["Tree", "Pause", "Refresh less often", "Setup: columns, theme, interval", "Tag"])
async def test_a_palette_entry_does_what_its_key_does(app: OomtopApp, tick: NewAssessment, title: str) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await begin(pilot, tick, STAGES["dashboard"])
        before = state_of(app)
        run = next(command.run for command in commands_of(app.screen) if command.title == title)
        await cast("Awaitable[object]", run())
        await still(pilot)
        assert state_of(app) != before


@pytest.mark.parametrize("name", ["?", "/", "F5", "Enter", "Esc", "+", "Tab", "k", "K", "<", "[", "Space"])
def test_a_written_key_is_a_key(name: str) -> None:
    assert key_name(key_of(name)) == name
