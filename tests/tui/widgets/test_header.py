"""The header at every width: host, tabs, news and clock, none of them cut; own protection only where it failed."""

import re
from typing import Any

import pytest

from oomtop.analysis.model.assessment import PressureFigures, Scope
from oomtop.tui.base.session import State
from oomtop.tui.style.palette import Look
from oomtop.tui.widgets.header import draw_header
from tests.tui.factories import make_assessment


def header(width: int, rights: str = "root", guard: str = "", tab: str = "processes", **changes: Any) -> str:
    state = State(rights, guard=guard)
    (line,) = draw_header(lambda: state.standing, tab)(make_assessment(**changes), width, 1, Look())
    assert line.cell_len <= width
    return line.plain


TABS = "[Processes] Cgroups Events Kernel"
ADJ = "adj: needs CAP_SYS_RESOURCE"


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120, 250])
def test_the_tabs_are_whole_at_every_width(width: int) -> None:
    line = header(width, "root with fewer rights", f"guarded 46M locked; {ADJ}", pressure=killed(300, 12.0))
    assert TABS in line
    assert "300 killed, last 12s ago" in line or "killed" not in line or width < 80
    assert line.endswith(" ") or width < 60


def killed(count: int, age: float | None) -> PressureFigures:
    return PressureFigures(None, None, 0.0, 0.0, 0.0, count, age)


def test_the_host_comes_first_and_the_clock_last() -> None:
    line = header(86, pressure=killed(2, 12.0))
    assert line.startswith(f" testhost root  {TABS}  2 killed, last 12s ago ")
    assert re.search(r" 2s \d\d:\d\d:\d\d $", line)
    assert header(40).startswith(f" {TABS}")


def test_kills_are_told_by_minutes_once_they_are_no_news() -> None:
    assert "2 killed, last 3m ago" in header(100, pressure=killed(2, 200.0))
    assert "2 killed, last 2h ago" in header(100, pressure=killed(2, 9000.0))
    assert "2 killed, last 40s ago" in header(100, pressure=killed(2, 48.0))
    assert "killed" not in header(100, pressure=killed(0, None))


@pytest.mark.parametrize("scope", [Scope(processes="container", sees_all=False), Scope(memory="container")])
def test_rights_and_what_is_hidden_are_told_before_old_kills(scope: Scope) -> None:
    line = header(83, "unprivileged", scope=scope, pressure=killed(72, 800.0))
    assert line.startswith(f" testhost unprivileged  {TABS}  [container] 2s ")
    assert "72 killed, last 13m ago" in header(120, "unprivileged", scope=scope, pressure=killed(72, 800.0))
    assert "72 killed, last 12s ago" in header(86, "unprivileged", scope=scope, pressure=killed(72, 12.0))
    assert header(80, pressure=killed(72, 800.0)).startswith(f" testhost root  {TABS}  72 killed ")


@pytest.mark.parametrize("rights", ["root", "root with fewer rights", "root of a user namespace", "unprivileged"])
@pytest.mark.parametrize("count", ["2", "72", "1.5k"])
@pytest.mark.parametrize("age", [None, 800.0])
def test_kills_are_told_beside_all_rights(rights: str, count: str, age: float | None) -> None:
    line = header(80, rights, pressure=killed({"2": 2, "72": 72, "1.5k": 1500}[count], age))
    assert f"  {count} killed" in line, line
    assert line.split()[1] in ("root", "limited", "userns", "unprivileged", "user"), line


def test_rights_are_told_in_full_where_nobody_was_killed() -> None:
    assert header(80, "root with fewer rights").startswith(f" testhost root with fewer rights  {TABS}")
    assert header(80, "root with fewer rights", pressure=killed(2, 800.0)).startswith(
        f" testhost limited root  {TABS}  2 k"
    )


@pytest.mark.parametrize(
    ("guard", "width", "said"),
    [
        ("guarded 46M locked, adj -900", 200, ""),
        (f"guarded 46M locked; {ADJ}", 120, f"own {ADJ}"),
        (f"not guarded: memory lock: needs CAP_IPC_LOCK; {ADJ}", 120, "not guarded"),
        (f"not guarded: memory lock: needs CAP_IPC_LOCK; {ADJ}", 60, ""),
    ],
)
def test_the_protection_is_told_only_where_it_failed(guard: str, width: int, said: str) -> None:
    line = header(width, guard=guard)
    assert said in line
    assert said or "guarded" not in line
