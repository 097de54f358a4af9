"""What the action keys offer, and the way from a key to a plan."""

import importlib.util
import os
import pathlib
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from oomtop.actions.base import requests
from oomtop.actions.base.plan import Plan
from oomtop.actions.base.requests import Keep, KillRequest, Limit
from oomtop.actions.base.undo import UndoStep
from oomtop.actions.journal.audit_log import Audit
from oomtop.analysis.oom_score.badness import frees
from oomtop.analysis.settings.table import find_setting
from oomtop.analysis.settings.verdicts import SettingRow
from oomtop.frozen import replace
from oomtop.host.cgroup import Cgroup, CgroupLayout
from oomtop.host.meminfo import Meminfo
from oomtop.host.process import Process, ProcessId
from oomtop.host.swaps import SwapDevice
from oomtop.snapshot import Machine, Snapshot, Tick
from oomtop.sources.sampler import Sampler
from oomtop.tui.actions import menus
from oomtop.tui.actions.dialogs import AskDialog, PlanDialog, adjustments, caches_of
from oomtop.tui.actions.menus import kill_offer, limit_offer
from oomtop.tui.actions.selection import Selection, select
from oomtop.tui.shell.app import OomtopApp, Options
from oomtop.units import format_bytes
from tests.present import present
from tests.tui.pilot import plan_of, settled

_spec = present(importlib.util.spec_from_file_location("factories", pathlib.Path(__file__).parents[1] / "factories.py"))
factories = importlib.util.module_from_spec(_spec)
present(_spec.loader).exec_module(factories)

GIB = 1 << 30
GROUP = "/system.slice/web.service"


def facts(*processes: Process, group: Cgroup | None = None, swaps: tuple[SwapDevice, ...] = ()) -> Snapshot:
    machine = Machine("host", "6.1", None, None, 4096, 100, 2)
    groups = (Cgroup("/", GIB), group or Cgroup(GROUP, GIB, high=2 * GIB, file=5 << 20))
    layout = CgroupLayout(2, "/sys/fs/cgroup", "/sys/fs/cgroup")
    return Snapshot(
        1.0,
        1.0,
        machine,
        Meminfo(16 * GIB, GIB),
        processes=processes,
        cgroups=groups,
        cgroup_layout=layout,
        swaps=swaps,
    )


WEB = factories.make_process(42, "web", cgroup=GROUP)
STOPPED = factories.make_process(43, "still", cgroup="/", state="T")


def selection(process: Process, **more: Any) -> Selection:
    return select(facts(process, **more), (process.id,), "it", None)


def leads(offer: menus.Offer) -> list[object]:
    return [item.leads_to for item in offer.items]


def test_kill_begins_with_sigterm_and_ends_with_the_whole_group() -> None:
    offer = present(menus.kill_offer(selection(WEB)))
    assert offer.chosen == 0
    assert leads(offer)[0] == requests.KillRequest((WEB.id,), signal.SIGTERM)
    assert leads(offer)[-1] == requests.KillCgroupRequest(GROUP)
    assert not any(
        isinstance(item, requests.KillCgroupRequest) for item in leads(present(menus.kill_offer(selection(STOPPED))))
    )


def test_menus_have_the_figures_that_decide() -> None:
    child = factories.make_process(44, "web", ppid=42, rss=50 << 20, cgroup=GROUP)
    chosen = select(facts(WEB, child, STOPPED), (WEB.id,), "it", None)
    labels = [item.label for item in present(menus.kill_offer(chosen)).items]
    freed = format_bytes(frees(WEB) + frees(child))
    assert f"TERM tree    2 processes, descendants included, frees up to {freed}" in labels
    assert f"KILL cgroup  all 2 processes of {menus._short(present(chosen.group))}, frees up to {freed}" in labels
    assert any("all 2 processes of" in item.label for item in present(menus.freeze_offer(chosen)).items)
    assert "anon stay: no free swap" in present(menus.reclaim_offer(chosen)).items[0].label
    assert menus.swap_offer(chosen).title.startswith("Swap: none;")


def test_oomtop_and_its_ancestors_are_in_no_sum_and_no_offer_of_a_group() -> None:
    child = factories.make_process(44, "oomtop", ppid=42, rss=50 << 20, cgroup=GROUP)
    chosen = select(facts(WEB, child), (WEB.id,), "it", None, own=frozenset([child.id]))
    assert chosen.family == chosen.members == (WEB,)
    labels = [item.label for item in present(menus.kill_offer(chosen)).items]
    assert f"TERM tree    1 process, descendants included, frees up to {format_bytes(frees(WEB))}" in labels
    assert labels[-1] == "KILL cgroup  web.service: refused, oomtop is in it"
    assert "freeze  web.service: refused, oomtop is in it" in [
        item.label for item in present(menus.freeze_offer(chosen)).items
    ]
    alone = select(facts(WEB, child), (), GROUP, GROUP, own=frozenset([WEB.id]))
    assert present(alone.biggest) == child


@pytest.mark.parametrize(
    ("may", "now", "denied", "first"),
    [(True, [0], set(), 0), (False, [0], {-900, -500, -1000}, 2), (False, [-500], {-900, -1000}, 1)],
)
def test_the_values_that_these_rights_do_not_allow_say_so(
    monkeypatch: pytest.MonkeyPatch, may: bool, now: list[int], denied: set[int], first: int
) -> None:
    monkeypatch.setattr("oomtop.tui.actions.dialogs.has_capability", lambda capability: may)
    values, chosen = adjustments(now)
    assert {value for value, text in values if "CAP_SYS_RESOURCE" in text} == denied
    assert chosen == first


def test_freeze_preselects_what_changes_something() -> None:
    offer = menus.freeze_offer(selection(WEB))
    assert leads(present(offer))[present(offer).chosen] == requests.FreezeRequest((WEB.id,))
    offer = menus.freeze_offer(selection(STOPPED))
    assert leads(present(offer))[present(offer).chosen] == requests.FreezeRequest((STOPPED.id,), thaw=True)
    offer = menus.freeze_offer(selection(WEB, group=Cgroup(GROUP, GIB, frozen=True)))
    assert leads(present(offer))[present(offer).chosen] == requests.FreezeCgroupRequest(GROUP, thaw=True)


def test_without_a_selection_there_is_no_offer_but_for_the_machine() -> None:
    nothing = select(facts(), (), "", None)
    for offer in (menus.kill_offer, menus.freeze_offer, menus.limit_offer):
        assert offer(nothing) is None
    assert len(menus.swap_offer(nothing).items) == 2
    assert "compact" in present(menus.reclaim_offer(nothing)).items[0].label


def test_targets_of_several_groups_have_none_in_common() -> None:
    both = select(facts(WEB, STOPPED), (WEB.id, STOPPED.id), "2 processes", None)
    assert both.group is None


def test_limits_show_what_they_are_and_can_be_lifted() -> None:
    offer = present(menus.limit_offer(selection(WEB)))
    assert requests.LimitRequest(GROUP, Limit.HIGH, None) in leads(offer)
    assert requests.LimitRequest(GROUP, Limit.MAX, None) not in leads(offer)
    assert "2.0G" in offer.items[0].label


def test_every_swap_area_can_be_switched_off() -> None:
    swaps = (SwapDevice("/my\\040swap", "file", GIB, 0, -2), SwapDevice("/dev/sda2", "partition", GIB, 0, -3))
    found = leads(menus.swap_offer(selection(WEB, swaps=swaps)))
    assert requests.SwapOffRequest("/my swap", remove=True) in found
    assert requests.SwapOffRequest("/dev/sda2") in found
    assert requests.SwapOffRequest("/dev/sda2", remove=True) not in found


def test_typed_values() -> None:
    swappiness = present(find_setting("swappiness"))
    assert menus.parse_swap_file("/s 4G persist priority 5") == requests.SwapFileRequest("/s", 4 * GIB, 5, True)
    assert menus.parse_zram("512M zstd") == requests.ZramRequest(512 << 20, "zstd")
    assert menus.parse_limit("/a", Limit.MAX, "2G lasting") == requests.LimitRequest(
        "/a", Limit.MAX, 2 * GIB, lasting=True
    )
    assert menus.parse_limit("/a", Limit.MAX, "none").size is None
    assert menus.parse_limit("/a", Limit.LOW, "none").size == 0
    assert menus.parse_limit("/a", Limit.LOW, "max").size is None
    assert menus.parse_confine((), "box 1G high") == requests.ConfineRequest((), "box", high=GIB)
    assert menus.parse_setting(swappiness, "10 persist") == requests.SysctlRequest("swappiness", 10, Keep.PERSISTENT)
    bad = (
        lambda: menus.parse_swap_file("/s"),
        lambda: menus.parse_swap_file("/s 1G priority x"),
        lambda: menus.parse_zram(""),
        lambda: menus.parse_limit("/a", Limit.MAX, ""),
        lambda: menus.parse_limit("/a", Limit.MAX, "1G for ever"),
        lambda: menus.parse_confine((), "box"),
        lambda: menus.parse_setting(swappiness, "201"),
        lambda: menus.parse_setting(swappiness, "10 please"),
        lambda: menus.parse_setting(swappiness, "--5"),
        lambda: menus.parse_setting(swappiness, ""),
    )
    for parse in bad:
        with pytest.raises(ValueError, match=r"\w"):
            parse()


@pytest.mark.parametrize("value", ["-1", "1e99", "nan", "inf", "", " ", "16384p", "9" * 5000, "²", "1G\0", "--5"])
def test_typed_values_that_are_none_are_said_to_be_so(value: str) -> None:
    parses = (
        lambda: menus.parse_swap_file(f"/s {value}"),
        lambda: menus.parse_swap_file(f"/s 1G priority {value}"),
        lambda: menus.parse_zram(value),
        lambda: menus.parse_limit("/a", Limit.MAX, value),
        lambda: menus.parse_confine((), f"box {value}"),
        lambda: menus.parse_setting(present(find_setting("swappiness")), value),
    )
    for parse in parses:
        with pytest.raises(ValueError, match=r"\w"):
            parse()


def test_the_setting_under_the_cursor_is_chosen() -> None:
    rows = tuple(
        SettingRow(name, "1", None, "what", "", None, find_setting(name), "/f")
        for name in ("swappiness", "panic_on_oom")
    )
    chosen = select(facts(), (), "", None, rows, "panic_on_oom")
    assert present(menus.settings_offer(chosen)).chosen == 1


class Scripted:
    def __init__(self) -> None:
        self._sampler = Sampler()
        self._closed = False

    def ticks(self) -> Iterator[Tick]:
        yield Tick(self._sampler.sample())
        self._sampler.close()

    def close(self) -> None:
        self._closed = True


def state_of(child: subprocess.Popen[bytes]) -> str:
    with open(f"/proc/{child.pid}/stat") as file:
        return file.read().rsplit(")", 1)[1].split()[0]


@pytest.mark.parametrize("size", [(80, 24), (200, 60)])
async def test_f_freezes_and_z_thaws(child: subprocess.Popen[bytes], size: tuple[int, int]) -> None:
    app = OomtopApp(Scripted(), Options(interval=60))
    async with app.run_test(size=size) as pilot:
        await settled(pilot, lambda: bool(app.dashboard.table.lines))
        await pilot.press(*str(child.pid))
        assert (await plan_of(app, pilot, "f")).recovery is not None
        await pilot.press("enter")
        await settled(pilot, lambda: state_of(child) == "T")
        await settled(pilot, lambda: app.actions._undo.top is not None)
        await pilot.press("z")
        await settled(pilot, lambda: isinstance(app.screen, PlanDialog))
        await pilot.press("enter")
        await settled(pilot, lambda: state_of(child) == "S")
        # What was undone is not offered again, and undoing is no new action to undo.
        await settled(pilot, lambda: app.actions._undo.top is None)


@asynccontextmanager
async def frozen_with_f(child: subprocess.Popen[bytes]) -> AsyncIterator[tuple[OomtopApp, Pilot[None]]]:
    app = OomtopApp(Scripted(), Options(interval=60))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot, lambda: bool(app.dashboard.table.lines))
        await pilot.press(*str(child.pid))
        await pilot.press("f", "enter", "enter")
        await settled(pilot, lambda: app.actions._undo.top is not None)
        yield app, pilot


async def test_a_cancelled_undo_stays_to_be_undone(child: subprocess.Popen[bytes]) -> None:
    async with frozen_with_f(child) as (app, pilot):
        await pilot.press("z")
        await settled(pilot, lambda: isinstance(app.screen, PlanDialog))
        await pilot.press("escape")
        await settled(pilot, lambda: not isinstance(app.screen, PlanDialog))
        assert app.actions._undo.top is not None


async def test_z_goes_past_what_cannot_be_undone(child: subprocess.Popen[bytes]) -> None:
    async with frozen_with_f(child) as (app, pilot):
        gone = UndoStep("adj of one that is gone", requests.RestoreAdjRequest(((ProcessId(4194303, 1), 0),)))
        app.actions._undo = app.actions._undo.with_step(gone)
        await pilot.press("z")
        await settled(pilot, lambda: isinstance(app.screen, PlanDialog))
        assert any("adj of one that is gone: 4194303 has already exited" in text for _, text in app.state.remarks)
        await pilot.press("enter")
        await settled(pilot, lambda: state_of(child) == "S")
        await settled(pilot, lambda: app.actions._undo.top is None)


async def test_a_typed_value_that_is_wrong_is_said_and_asked_again() -> None:
    app = OomtopApp(Scripted(), Options(interval=60))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot, lambda: bool(app.dashboard.table.lines))
        await pilot.press("W", "enter")
        await settled(pilot, lambda: isinstance(app.screen, AskDialog))
        await pilot.press("x", "enter")
        await pilot.pause()
        assert isinstance(app.screen, AskDialog)
        assert "not a size" in str(app.screen.query_one(".wrong", Static).content)
        await pilot.press("escape")
        await settled(pilot, lambda: not isinstance(app.screen, AskDialog))


async def test_a_start_names_what_was_cut_off_and_z_takes_it_back(child: subprocess.Popen[bytes]) -> None:
    with open(f"/proc/{child.pid}/stat") as file:
        started = int(file.read().rsplit(")", 1)[1].split()[19])
    with open(f"/proc/{child.pid}/oom_score_adj", "w") as file:
        file.write("300")
    undo = requests.RestoreAdjRequest(((ProcessId(child.pid, started), 0),))
    audit = Audit()
    audit._actor = audit._actor.__class__(0, "root", None, None, 4194303, 1, audit._actor.boot_id)
    audit.start(Plan("protect", "Set oom_score_adj to 300", ("step",), recovery=undo))
    app = OomtopApp(Scripted(), Options(interval=60))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot, lambda: bool(app.dashboard.table.lines))
        app.actions.look_back()
        assert any("interrupted" in text and "press z" in text for _, text in app.state.remarks)
        await pilot.press("z")
        await settled(pilot, lambda: isinstance(app.screen, PlanDialog))
        await pilot.press("enter")
        await settled(pilot, lambda: open(f"/proc/{child.pid}/oom_score_adj").read() == "0\n")
        await settled(pilot, lambda: app.actions._undo.top is None)
    again = OomtopApp(Scripted(), Options(interval=60))
    async with again.run_test(size=(80, 24)) as pilot:
        await settled(pilot, lambda: bool(again.dashboard.table.lines))
        again.actions.look_back()
        assert not any("interrupted" in text for _, text in again.state.remarks)


@pytest.mark.parametrize("options", [Options(read_only=True), Options(replay=True)])
async def test_no_action_key_does_anything_where_nothing_may_be_done(
    options: Options,
) -> None:
    app = OomtopApp(Scripted(), options)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot, lambda: bool(app.dashboard.table.lines))
        await pilot.press("k", "f", "r", "L", "W", "y", "o", "d", "z")
        await pilot.pause()
        assert app.screen.name == "processes-tab"
    assert not os.path.exists(os.environ["OOMTOP_AUDIT_LOG"])


def test_menus_carry_the_figures_that_decide() -> None:
    group = Cgroup("/web", 129 << 20, peak=180 << 20, max=300 << 20)
    inside = factories.make_process(7, "leak", rss=100 << 20, cgroup="/web/inner")
    beside = factories.make_process(8, "other", rss=900 << 20, cgroup="/webs")
    selection = Selection(facts(inside, beside, group=group), cgroup="/web")
    limits = present(limit_offer(selection))
    assert limits.title == "Limit /web: now 129M, peak 180M"
    assert limits.items[0].label == "memory.max   raise to 400M (+100M)"
    kills = present(kill_offer(selection))
    assert kills.items[0].label == "SIGTERM  15  its biggest process: leak 7, 100M"
    first = kills.items[0].leads_to
    assert isinstance(first, KillRequest)
    assert first.targets == (inside.id,)
    assert caches_of(Meminfo(1 << 30, 0, cached=5 << 20, s_reclaimable=3 << 20))[1][1].startswith(
        "2  reclaimable slab, 3.0M"
    )


def own_program() -> str:
    """Return the name of the program that runs the tests, and with them oomtop."""
    return pathlib.Path("/proc/self/comm").read_text().strip()


def plan_text(app: OomtopApp) -> str:
    return str(app.screen.query_one(".plan", Static).content)


@pytest.mark.parametrize("keys", [("g",), ("g", "g"), ("space",)], ids=["program", "user", "tagged"])
async def test_the_sum_of_a_menu_its_plan_and_the_line_leave_oomtop_out_and_say_so(
    child: subprocess.Popen[bytes], keys: tuple[str, ...]
) -> None:
    app = OomtopApp(Scripted(), Options(interval=60))
    async with app.run_test(size=(120, 40)) as pilot:
        table = app.dashboard.table
        await settled(pilot, lambda: bool(table.lines))
        own = [process for process in app.guard.lineage if any(row.process.id == process for row in table.every_row)]
        if keys == ("space",):
            table.tagged = frozenset(
                [own[0], *(row.process.id for row in table.every_row if row.process.pid == child.pid)]
            )
            chosen = [child.pid]
        else:
            await pilot.press(*keys)
            name = own_program() if keys == ("g",) else next(r.user for r in table.every_row if r.process.id == own[0])
            table._move_to(present(table._order.at(name)))
            chosen = [row.process.pid for row in table.chosen_rows if row.process.id not in own]
        if not chosen:
            pytest.skip("nothing else runs that program here")
        targets = {target.pid for target in app.dashboard.targets()}
        assert targets == set(chosen)
        title = app.dashboard.targets_title()
        assert title.endswith(", without oomtop")
        assert len(chosen) == 1 or title.startswith(f"{len(chosen)} processes, ")
        plan = await plan_of(app, pilot, "k")
        assert {target.id.pid for target in plan.targets} <= set(chosen)
        assert not any("oomtop" in warning and "ancestor" in warning for warning in plan.warnings)
        await pilot.press("escape")


async def test_an_open_plan_has_the_figures_of_the_last_tick(child: subprocess.Popen[bytes]) -> None:
    source = Scripted()
    app = OomtopApp(source, Options(interval=60))
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot, lambda: bool(app.dashboard.table.lines))
        await pilot.press(*str(child.pid))
        plan = await plan_of(app, pilot, "k")
        seen = present(app.facts)
        process = next(process for process in seen.processes if process.pid == child.pid)
        assert (plan.targets[0].rss, plan.frees) == (process.rss, frees(process))
        grown = replace(process, rss=500 << 20, rss_anon=400 << 20, swap=0, page_tables=0)
        others = [other for other in seen.processes if other.pid != child.pid]
        app.actions.follow(replace(seen, processes=(*others, grown)))
        await pilot.pause()
        assert "rss 500M  frees 400M" in plan_text(app)
        assert "frees up to 400M" in plan_text(app)
        app.actions.follow(replace(seen, processes=tuple(others)))
        assert "rss 500M  frees 400M" in plan_text(app), "one that is gone keeps its last figures"
        await pilot.press("escape")


async def test_a_plan_without_processes_says_how_old_its_figures_are() -> None:
    app = OomtopApp(Scripted(), Options(interval=60))
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot, lambda: bool(app.dashboard.table.lines))
        await plan_of(app, pilot, "d")
        keys = app.screen.query_one(".keys", Static)
        seen = present(app.facts)
        app.actions.follow(replace(seen, monotonic=seen.monotonic + 4))
        assert str(keys.content) == "Enter: run   Esc: cancel"
        app.actions.follow(replace(seen, monotonic=seen.monotonic + 14))
        assert str(keys.content) == "Enter: run   Esc: cancel   figures 10s old"
        await pilot.press("escape")
