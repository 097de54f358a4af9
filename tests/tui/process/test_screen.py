"""The process screen: facts that come, facts that never come, a process that goes, names that mean harm."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot

from oomtop.actions.base.guard import Guard
from oomtop.analysis.inspect.tools import DeepTool
from oomtop.analysis.model.assessment import Assessment, CgroupFigures, Victims
from oomtop.host.cgroup import Cgroup, CgroupEvents
from oomtop.host.process import ProcessId
from oomtop.host.root import Root
from oomtop.sources.sampler import Sampler
from oomtop.tui.base import slow_read as slow_answer
from oomtop.tui.base.session import State
from oomtop.tui.process import controller as inspections
from oomtop.tui.process.screen import ProcessScreen
from oomtop.tui.process.text_screens import ReadingScreen
from oomtop.tui.shell.app import OomtopApp, Options
from oomtop.tui.style.palette import Look
from oomtop.tui.widgets import terminal_handover as in_place
from oomtop.tui.widgets.line_view import LineView
from oomtop.tui.widgets.tab_screen import TabScreen
from oomtop.tui.widgets.text_block import Sheet
from oomtop.units import GIB, MIB
from tests.present import present
from tests.tui.factories import make_assessment, make_process, make_row
from tests.tui.pilot import Scripted, Stage, on_top, settled
from tests.tui.states import Still

HOSTILE = "\x1b[31mred\n[bold]x[/bold]"


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    program = "import os, signal; f = os.memfd_create('kept'); os.ftruncate(f, 4096); print(flush=True); signal.pause()"
    words = [sys.executable, "-c", program, HOSTILE]
    process = subprocess.Popen(words, stdout=-1, env={"SECRET": HOSTILE, "LANG": "C"})
    present(process.stdout).readline()
    yield process
    process.kill()
    process.wait()
    present(process.stdout).close()


def shown(screen: ProcessScreen) -> str:
    return "\n".join(sheet.text for sheet in screen.query(Sheet))


async def opened(pilot: Pilot[None], pid: int) -> ProcessScreen:
    """Open the screen of a process from the table, as a user does."""
    app = pilot.app
    assert isinstance(app, OomtopApp)
    await settled(pilot, lambda: bool(app.dashboard.table.lines))
    await pilot.press(*str(pid), "enter")
    await settled(pilot, lambda: isinstance(pilot.app.screen, ProcessScreen) and shown(pilot.app.screen))
    screen = pilot.app.screen
    assert isinstance(screen, ProcessScreen)
    return screen


async def test_enter_opens_the_screen_and_the_facts_come(child: subprocess.Popen[bytes]) -> None:
    app = OomtopApp(Scripted(), Options(interval=60))
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot, child.pid)
        await settled(pilot, lambda: "[heap]" in shown(screen) and "pmap" in shown(screen))
        text = shown(screen)
        assert "= badness" in text
        assert "Deeper Python" in text
        assert "PSS -" not in text
        assert "\x1b" not in text
        await pilot.press("escape")
        await settled(pilot, lambda: app.screen.name == "processes-tab")


async def test_what_was_read_before_the_tick_says_how_long_ago(child: subprocess.Popen[bytes]) -> None:
    app = OomtopApp(Scripted(), Options(interval=60))
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await opened(pilot, child.pid)
        await settled(pilot, lambda: "[heap]" in shown(screen) and "PSS -" not in shown(screen))
        assert "ago" not in shown(screen)
        now = present(app.latest)
        row = next(row for row in now.rows if row.process.pid == child.pid)
        grown = replace(row, process=replace(row.process, rss=900 * MIB))
        screen.assessment = replace(
            now, monotonic=now.monotonic + 7, rows=tuple(grown if each is row else each for each in now.rows)
        )
        text = " ".join(shown(screen).split())
        assert text.count(" 5s ago") >= 4
        assert "RSS 900M" in text
        assert "peak 900M" in text


async def test_an_answer_of_a_slow_read_draws_no_chart_anew(
    child: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = OomtopApp(Scripted(), Options(interval=60))
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await opened(pilot, child.pid)
        await settled(pilot, lambda: "[heap]" in shown(screen) and "pmap" in shown(screen))
        drawn: list[str | None] = []
        update = Sheet.update

        def noted(self: Sheet) -> None:
            drawn.append(self.id)
            update(self)

        monkeypatch.setattr(Sheet, "update", noted)
        await pilot.press("m")
        await settled(pilot, lambda: drawn.count("process-mappings") > 2)
        assert not {"process-forecast", "process-curve"} & set(drawn)


async def test_a_process_that_exits_keeps_its_last_figures(child: subprocess.Popen[bytes]) -> None:
    source = Scripted()
    app = OomtopApp(source, Options(interval=60))
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot, child.pid)
        await settled(pilot, lambda: "[heap]" in shown(screen))
        assert screen.targets()[0].pid == child.pid
        child.kill()
        child.wait()
        source.more()
        await settled(pilot, lambda: "exited" in shown(screen))
        assert screen.targets() == ()
        assert "[heap]" in shown(screen)
        assert "= badness" in shown(screen)
        await pilot.press("m", "1", "e")
        await pilot.pause()
        assert app.screen is screen


@pytest.mark.parametrize(
    ("key", "expected"),
    [("e", "SECRET=?[31mred [bold]x[/bold]"), ("w", "?[31mred [bold]x[/bold]"), ("l", "/memfd:kept (deleted)")],
)
async def test_the_keys_of_htop_from_the_table(child: subprocess.Popen[bytes], key: str, expected: str) -> None:
    app = OomtopApp(Scripted(), Options(interval=60))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot, lambda: bool(app.dashboard.table.lines))
        await pilot.press(*str(child.pid), key)
        await settled(pilot, lambda: isinstance(app.screen, ReadingScreen) and app.screen.query(LineView))
        view = app.screen.query_one(LineView)
        await settled(pilot, lambda: expected in view.text.replace("\n", ""))
        assert "\x1b" not in view.text
        assert on_top(app, TabScreen).targets()[0].pid == child.pid
        await pilot.press("escape")
        await settled(pilot, lambda: app.screen.name == "processes-tab")


def fake_process(folder: Path, pid: int = 42, start: int = 7) -> ProcessId:
    """Make `/proc/PID` whose smaps nobody ever writes into, so that opening it hangs."""
    proc = folder / "proc" / str(pid)
    proc.mkdir(parents=True)
    (proc / "stat").write_text(f"{pid} (stuck) D 1 {' '.join(['0'] * 17)} {start} 0 0 0\n")
    os.mkfifo(proc / "smaps")
    os.mkfifo(proc / "smaps_rollup")
    return ProcessId(pid, start)


async def test_a_stuck_process_holds_nothing_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slow_answer, "DEADLINE", 0.05)
    identity = fake_process(tmp_path)
    screen = ProcessScreen(State("root"), Look(), identity, Root(str(tmp_path)))
    async with Stage(screen).run_test(size=(80, 24)) as pilot:
        row = make_row(make_process(42, "stuck", start_time=7, state="D"))
        screen.assessment = make_assessment([row])
        await settled(pilot, lambda: shown(screen).count("no answer in 0.05 s") == 2)
        assert "in uninterruptible wait" in shown(screen)
        for name in ("smaps", "smaps_rollup"):
            # It comes late, and is taken all the same.
            with open(tmp_path / "proc/42" / name, "wb") as late:
                late.write(b"00400000-00500000 rw-p 00000000 00:00 0     [heap]\nRss: 1024 kB\nPss: 512 kB\n")
        await settled(pilot, lambda: "[heap]" in shown(screen) and "512K" in shown(screen))


def full_assessment() -> Assessment:
    """A hog in a group that is nearly full, in a slice without a limit, beside a bigger process elsewhere."""
    inside = make_process(42, HOSTILE, start_time=7, rss=900 * MIB, swap=50 * MIB, adj=100, cgroup="/a.slice/b")
    group = Cgroup(
        "/a.slice/b", 950 * MIB, high=800 * MIB, max=GIB, swap_max=0, oom_group=True, events=CgroupEvents(oom_kill=3)
    )
    figures = tuple(
        CgroupFigures(cgroup, cgroup.path, None, None, None, Victims())
        for cgroup in (group, Cgroup("/a.slice", 950 * MIB), Cgroup("/", None))
    )
    row = replace(make_row(inside, unit=HOSTILE), headroom=74 * MIB, headroom_path="/a.slice/b")
    other = make_row(make_process(43, "big", rss=4 * GIB))
    return make_assessment(
        [row, other, make_row(make_process(2, "kthreadd", start_time=7, kernel=True))], cgroups=figures
    )


@pytest.mark.parametrize("size", [(40, 10), (80, 24), (120, 40), (200, 60)])
async def test_every_size_shows_score_limits_and_no_line_too_long(tmp_path: Path, size: tuple[int, int]) -> None:
    screen = ProcessScreen(State("root"), Look(), ProcessId(42, 7), Root(str(tmp_path)))
    async with Stage(screen).run_test(size=size) as pilot:
        screen.assessment = full_assessment()
        await settled(pilot, lambda: "badness" in shown(screen))
        screen.assessment = replace(full_assessment(), monotonic=1002.0)
        await pilot.pause()
        text = shown(screen)
        assert "+ adj 100 x" in text
        assert "When /a.slice/b is full (1.0G" in text
        assert "\x1b" not in text
        for sheet in screen.query(Sheet):
            assert all(len(line) <= sheet.size.width for line in sheet.text.split("\n"))
        columns = {sheet.region.x for sheet in screen.query(Sheet) if sheet.size.height}
        assert (len(columns) > 1) == (size[0] >= 160)
        if size[0] >= 80:
            assert "dies as a whole" in text
            assert "throttled" in text


async def test_only_ascii_where_only_ascii_may_be_drawn(tmp_path: Path) -> None:
    screen = ProcessScreen(State("root"), Look(ascii=True), ProcessId(43, 1043), Root(str(tmp_path)))
    async with Stage(screen).run_test(size=(80, 24)) as pilot:
        screen.assessment = full_assessment()
        await settled(pilot, lambda: "badness" in shown(screen))
        screen.assessment = replace(full_assessment(), monotonic=1002.0)
        await settled(pilot, lambda: "-60s" in shown(screen))
        assert shown(screen).isascii()


async def test_a_kernel_thread_has_neither_mappings_nor_tools(tmp_path: Path) -> None:
    screen = ProcessScreen(State("root"), Look(), ProcessId(2, 7), Root(str(tmp_path)))
    async with Stage(screen).run_test(size=(80, 24)) as pilot:
        screen.assessment = full_assessment()
        await settled(pilot, lambda: "Kernel tab" in shown(screen))
        assert "not considered: a kernel thread" in shown(screen)


async def test_a_recording_is_not_looked_up_on_this_machine(tmp_path: Path) -> None:
    screen = ProcessScreen(State("root", replay=True), Look(), ProcessId(42, 7))
    async with Stage(screen).run_test(size=(80, 24)) as pilot:
        screen.assessment = full_assessment()
        await settled(pilot, lambda: shown(screen).count("not part of a recording") == 2)
        await pilot.press("m")


def test_a_tool_is_refused_for_what_must_not_stand_still() -> None:
    facts = Sampler().sample()
    strace = DeepTool(("true", "{pid}"), "nothing")
    missing = DeepTool(("oomtop-no-such-tool", "{pid}"), "nothing", hint="apt install it")

    app = OomtopApp(Still())
    app.facts = facts
    look = inspections.Inspections(app, Guard(), Look())
    me = next(process.id for process in facts.processes if process.pid == os.getpid())
    assert "oomtop itself" in present(look._reason_against(strace, me))
    init = next((process.id for process in facts.processes if process.pid == 1), None)
    assert init is None or "init" in present(look._reason_against(strace, init))
    assert "exited" in present(look._reason_against(strace, ProcessId(me.pid, me.start_time + 1)))
    assert "--read-only" in present(
        inspections.Inspections(app, Guard(read_only=True), Look())._reason_against(strace, me)
    )
    app.state.replay = True
    assert "recording" in present(look._reason_against(strace, me))
    app.state.replay = False
    child = subprocess.Popen(["sleep", "60"])
    try:
        app.facts = now = Sampler().sample()
        other = next(process.id for process in now.processes if process.pid == child.pid)
        assert look._reason_against(strace, other) is None
        assert "apt install it" in present(look._reason_against(missing, other))
    finally:
        child.kill()
        child.wait()
    assert look._reason_against(strace, other) is not None


def test_the_tool_runs_in_the_foreground_and_its_end_is_told(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(in_place, "_wait_for_enter", lambda: None)
    in_place._run(("/bin/sh", "-c", "echo looked; exit 3"), ("looker", "42"))
    in_place._run(("/no/such/tool",), ("looker",))
    out = capfd.readouterr().out
    assert "looked" in out
    assert "exit code 3" in out
    assert "no such file" in out
