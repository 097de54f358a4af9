"""Every key that the strip offers acts, pressed there and then, on what the strip speaks of."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from textual.pilot import Pilot

from oomtop.analysis.model.assessment import ProcessRow
from oomtop.analysis.model.danger import Danger, DangerKind, PastKill, Remedy
from oomtop.frozen import replace
from oomtop.host.process import ProcessId
from oomtop.oomlog.event import OomEvent, Victim
from oomtop.tui.base.aim import Aim, KeyPlace
from oomtop.tui.base.rights import Rights
from oomtop.tui.base.session import State
from oomtop.tui.cgroups.screen import CgroupsScreen
from oomtop.tui.dangers.strip import draw_strip
from oomtop.tui.shell.app import OomtopApp
from oomtop.tui.style.palette import Look
from oomtop.tui.widgets.panel import Panel
from oomtop.units import MIB
from tests.present import present
from tests.tui.allowed import Everything, everything
from tests.tui.factories import NOW, make_assessment, make_danger, make_process, make_row
from tests.tui.states import on_screen

LEAK = make_row(make_process(11289, "oomtop-leak", rss=129 * MIB, cgroup="/web"), user="root")
NGINX = make_row(make_process(902, "nginx", rss=12 * MIB, cgroup="/web/a"), user="www")
OTHER = make_row(make_process(7, "cron", rss=MIB, cgroup="/cron"))
ROWS = (LEAK, NGINX, OTHER)
DANGER = make_danger(rows=(LEAK, NGINX))
GROWS = replace(
    DANGER, remedies=(DANGER.remedies[0], Remedy("freeze", NGINX.process.id, None, None), DANGER.remedies[2])
)
SWARM = replace(DANGER, remedies=(Remedy("kill", LEAK.process.id, MIB, 0.5), *DANGER.remedies[1:]))


def do(
    aim: Aim, danger: Danger = DANGER, width: int = 80, state: State | None = None, rows: Sequence[ProcessRow] = ROWS
) -> str:
    assessment = make_assessment(rows, dangers=(danger,))
    return draw_strip(state or everything(), lambda _: aim)(assessment, width, 4, Look())[3].plain.removeprefix(
        " do    "
    )


def on(
    *rows: ProcessRow, place: KeyPlace = KeyPlace.PROCESSES, group: str | None = "/web", takes_pids: bool = True
) -> Aim:
    return Aim(place, frozenset(row.process.id for row in rows), group, takes_pids)


AFTER = "J select 11289, k kill it, f freeze it, L raise by 100M: +12s, o spare it"


@pytest.mark.parametrize(
    ("aim", "danger", "words"),
    [
        (on(LEAK), DANGER, "k kill it  f freeze it  L raise by 100M: +12s  o spare it"),
        (on(NGINX), DANGER, "J select 11289, k kill it, f freeze it, o spare it  L raise by 100M: +12s"),
        (on(OTHER, group=None), DANGER, AFTER),
        (on(LEAK, NGINX), DANGER, "J select 11289, k kill it, f freeze it, o spare it  L raise by 100M: +12s"),
        (on(group=None), DANGER, AFTER),
        (Aim(), DANGER, AFTER),
        (Aim(KeyPlace.EVENTS), DANGER, AFTER),
        (on(LEAK), GROWS, "k kill it   902 select nginx, f freeze it   L raise by 100M: +12s   o spare it"),
        (on(LEAK, takes_pids=False), GROWS, "k kill it   L raise by 100M: +12s   o spare it"),
        (on(NGINX), GROWS, "J select 11289, k kill it, o spare it  f freeze nginx 902  L raise by 100M: +12s"),
        (on(LEAK, place=KeyPlace.CGROUPS), DANGER, "k kill it  f freeze the group  L raise by 100M: +12s"),
        (on(LEAK, place=KeyPlace.CGROUPS, group="/"), DANGER, "k kill it   J select 11289, f freeze it, L raise by 100M: +12s, o spare it"),
        (on(OTHER, place=KeyPlace.CGROUPS, group="/cron"), DANGER, AFTER),
        (on(NGINX), SWARM, "k kill the group: 129M   f freeze the group   L raise by 100M: +12s"),
        (on(OTHER, group=None), SWARM, "J select 11289, k kill the group: 129M, f freeze the group, L raise by 100M: +12s"),
        (on(NGINX, place=KeyPlace.CGROUPS), SWARM, "k kill the group: 129M   f freeze the group   L raise by 100M: +12s"),
        (on(OTHER, place=KeyPlace.PLAIN, group=None), DANGER, "J select 11289, k kill it"),
    ],
)  # fmt: skip
def test_what_has_to_be_pressed_before_a_key_is_said(aim: Aim, danger: Danger, words: str) -> None:
    assert do(aim, danger, 120).replace("   ", "  ").startswith(words.replace("   ", "  "))


@pytest.mark.parametrize("width", [40, 60, 80, 100])
def test_what_leads_to_the_kill_is_whole_at_every_width(width: int) -> None:
    line = do(on(OTHER, group=None), width=width)
    assert line.startswith("J select 11289, k kill it")
    assert len(line) <= width - 7


def test_a_limit_of_a_group_without_processes_is_gone_to_on_the_tab_of_the_groups() -> None:
    empty = replace(DANGER, dying=(), remedies=DANGER.remedies[2:])
    assert do(on(OTHER, group=None), empty) == "Tab to Cgroups, L raise by 100M: +12s"
    assert do(on(place=KeyPlace.CGROUPS, group="/cron"), empty) == "/ find /web, L raise by 100M: +12s"
    assert do(on(place=KeyPlace.CGROUPS), empty) == "L raise by 100M: +12s"


def test_swap_can_be_added_wherever_the_cursor_is() -> None:
    machine = replace(
        DANGER,
        subject="RAM",
        kind=DangerKind.MACHINE,
        remedies=(*DANGER.remedies[:2], Remedy("swap", None, 500 * MIB, 9.0)),
    )
    assert do(Aim(), machine) == "J select 11289, k kill it, f freeze it   W add 500M of swap: +9s"


def test_after_a_kill_the_keys_lead_to_its_post_mortem() -> None:
    over = replace(DANGER, median=None, kills=(PastKill(NOW - 4, 7, "surge", 5),), remedies=())
    event = OomEvent("kernel", "memcg", victim=Victim(7, "surge"))
    assert do(on(LEAK), over).startswith("Tab to Events, Enter: why")
    assert do(Aim(KeyPlace.EVENTS, event=event), over).startswith("Enter why  ")
    assert do(Aim(KeyPlace.EVENTS, event=replace(event, victim=Victim(8, "surge"))), over).startswith(
        "Home to the newest kill, Enter: why"
    )
    unread = replace(over, kills=(PastKill(NOW - 4, None, "a process", None),))
    assert "Events" not in do(on(LEAK), unread)


class Unprivileged(Rights):
    """Those of a user over processes of its own."""

    is_root = False
    may_spare = may_add_swap = False

    def may_signal(self, row: ProcessRow) -> bool:
        return row.user != "root"

    def may_limit(self, group: str) -> bool:
        return False

    may_freeze_group = may_limit


def test_nothing_is_offered_that_the_rights_do_not_allow() -> None:
    user = State("unprivileged", may=Unprivileged())
    own = (replace(LEAK, user="alice"), *ROWS[1:])
    assert do(on(LEAK), state=user) == "sudo oomtop to kill it"
    assert do(on(LEAK), state=user, rows=own) == "k kill it   f freeze it"
    assert do(on(LEAK), SWARM, state=user) == "sudo oomtop to kill it"
    assert do(on(LEAK), replace(DANGER, dying=(), remedies=DANGER.remedies[2:]), state=user) == "sudo oomtop to act"
    assert do(on(LEAK), state=State("root", read_only=True)) == "no action: oomtop runs with --read-only"


def test_nothing_is_offered_that_the_guard_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    listed = State("root", may=Everything(["oomtop-*"]))
    assert do(on(LEAK), state=listed) == "not to be killed: protected by your list"
    assert do(on(LEAK), SWARM, state=listed) == "not to be killed: protected by your list"
    monkeypatch.setattr("oomtop.tui.base.rights._lineage", lambda: (OTHER.process.id, LEAK.process.id))
    assert do(on(LEAK)) == "not to be killed: an ancestor of oomtop"


# -- pressed ----------------------------------------------------------------------------------------

LEADS = re.compile(r"^(J|Tab|\d+|/) [^,]+$")
STARTS = {
    "first": (), "elsewhere": ("down", "down", "down"), "last": ("end",), "tagged": ("end", "space", "up", "space"),
    "grouped": ("g",), "by user": ("g", "g"), "by cgroup": ("g", "g", "g"), "tree": ("t",), "folded": ("t", "home", "minus"),
    "filtered": ("backslash", *"postgres", "enter"), "typing": ("1",),
    "cgroups": ("tab",), "another group": ("tab", "down", "down"), "root group": ("tab", "home"),
    "events": ("tab", "tab"), "kernel": ("tab", "tab", "tab"), "another's screen": ("end", "enter"),
    "own screen": ("J", "enter"),
}  # fmt: skip
NAMES = {"enter": "enter", "Tab": "tab", "/": "slash"}


def offered(line: str) -> list[tuple[str | None, str, str]]:
    """Return (key that leads there, key, words) of all that a strip offers."""
    found: list[tuple[str | None, str, str]] = []
    for chunk in re.split(r" {2,}", line.strip()):
        first, *others = chunk.split(", ")
        lead = first.split(" ")[0] if others and LEADS.match(first) else None
        for part in others if lead else [chunk]:
            key, _, words = part.partition(" ")
            found.append((lead, key, words))
    return found


def strip_of(app: OomtopApp) -> str:
    strip = app.screen.query_one("#strip", Panel)
    return strip.line_at(3).removeprefix(" do    ")


def acted_on(app: OomtopApp, key: str) -> tuple[set[ProcessId], str | None]:
    """Return the processes and the cgroup that a key of an action is for now."""
    tab, rows = app.tab, present(app.latest).rows
    targets = set(tab.targets())
    groups = {row.process.cgroup for row in rows if row.process.id in targets}
    group = tab.cgroup() or (groups.pop() if len(groups) == 1 else None)
    if isinstance(tab, CgroupsScreen) and key == "k":
        targets = set(tab.aim(present(app.latest)).targets)
    return targets, group


async def press_all(app: OomtopApp, pilot: Pilot[None], keys: Sequence[str]) -> None:
    for key in keys:
        await pilot.press(key)
        await pilot.pause()
    app.feed()
    await pilot.pause()


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("name", ["three", "swarm"])
async def test_every_key_of_the_strip_acts_on_what_it_speaks_of(name: str, start: str) -> None:
    async with on_screen(name, (120, 40)) as (app, pilot):
        await press_all(app, pilot, STARTS[start])
        line = strip_of(app)
        keys = offered(line)
    assert {"k", "f", "L"} <= {key for _, key, _ in keys}, line
    for lead, key, words in keys:
        if key not in "kfLo":
            continue
        async with on_screen(name, (120, 40)) as (app, pilot):
            await press_all(app, pilot, STARTS[start])
            danger = present(app.state.subject(present(app.latest)))
            if lead is not None:
                await press_all(app, pilot, [NAMES.get(lead, lead)] if not lead.isdigit() else list(lead))
            targets, group = acted_on(app, key)
            if key == "L" or "the group" in words:
                assert group == danger.subject, (start, line, key)
            else:
                assert targets == {present(danger.victim).id}, (start, line, key)


async def test_the_strip_follows_the_cursor_and_the_tags_without_a_tick() -> None:
    async with on_screen("leak", (120, 40)) as (app, pilot):
        victim = present(present(app.latest).dangers[0].victim).id

        async def says(*keys: str) -> str:
            for key in keys:
                await pilot.press(key)
            await pilot.pause()
            return strip_of(app)

        select = f"J select {victim.pid}, k kill it"
        assert (await says()).startswith("k kill it")
        assert (await says("down")).startswith(select)
        assert (await says("up")).startswith("k kill it")
        assert (await says("space")).startswith("k kill it")
        assert (await says("space")).startswith(select)
        assert (await says("J")).startswith("k kill it")
        assert app.dashboard.table.tagged == frozenset()
        assert (await says("5")).startswith(select)
        assert (await says("J")).startswith("k kill it")
