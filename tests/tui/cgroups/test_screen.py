"""The Cgroups tab: a stable tree, the chain of limits, columns by width, names that mean harm."""

import pytest
from textual.app import App

from oomtop.analysis.model.assessment import CgroupFigures, Victims
from oomtop.host.cgroup import Cgroup, CgroupEvents
from oomtop.tui.base.session import State
from oomtop.tui.cgroups import screen
from oomtop.tui.cgroups.rows import COLUMNS, CgroupLine, arrange, group_line, title_line
from oomtop.tui.cgroups.screen import CgroupsScreen
from oomtop.tui.style.palette import Look
from oomtop.tui.widgets.text_block import Sheet
from oomtop.units import GIB, MIB
from tests.tui.factories import make_assessment


def group(
    path: str, current: int = MIB, limit: int | None = None, kills: int = 0, name: str | None = None
) -> CgroupFigures:
    facts = Cgroup(path=path, current=current, max=limit, anon=current, events=CgroupEvents(oom_kill=kills))
    left = None if limit is None else limit - current
    return CgroupFigures(facts, name or path, limit, left, None, Victims())


GROUPS = (
    group("/", 9 * GIB),
    group("/a", 2 * GIB, 4 * GIB),
    group("/a/one", 500 * MIB, GIB),
    group("/a/two", GIB),
    group("/b", 3 * GIB, kills=2),
)


class Stage(App[None]):
    """Nothing but one screen."""

    def __init__(self, groups: tuple[CgroupFigures, ...] = GROUPS) -> None:
        super().__init__()
        self.tab = CgroupsScreen(State("root"), Look())
        self.tab.assessment = make_assessment(cgroups=groups)

    def on_mount(self) -> None:
        self.push_screen(self.tab)


def paths(tab: CgroupsScreen) -> list[str]:
    return [line.figures.cgroup.path for line in tab.view.lines]


def test_the_largest_of_each_level_stands_first() -> None:
    assert [line.figures.cgroup.path for line in arrange(GROUPS, "current", frozenset())] == [
        "/", "/b", "/a", "/a/two", "/a/one",
    ]  # fmt: skip


def test_what_is_folded_is_counted() -> None:
    lines = arrange(GROUPS, "current", frozenset({"/a"}))
    assert [(line.figures.cgroup.path, line.folded) for line in lines] == [("/", 0), ("/b", 0), ("/a", 2)]


@pytest.mark.parametrize("column", [column.id for column in COLUMNS])
def test_every_column_sorts(column: str) -> None:
    assert len(arrange(GROUPS, column, frozenset())) == 5


@pytest.mark.parametrize("width", [80, 100, 120, 160, 200])
def test_lines_and_titles_fit_every_width(width: int) -> None:
    lines = arrange((*GROUPS, group("/b/" + "x" * 300)), "current", frozenset())
    assert {len(group_line(line, width)) for line in lines} <= set(range(width + 1))
    assert len(title_line(width, "current")) <= width


async def test_only_the_lines_in_sight_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[str] = []

    def noted(line: CgroupLine, width: int) -> str:
        drawn.append(line.figures.cgroup.path)
        return group_line(line, width)

    app = Stage((*GROUPS, *(group(f"/c{number}") for number in range(300))))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        monkeypatch.setattr(screen, "group_line", noted)
        app.tab.watch_assessment(app.tab.assessment)
        assert 0 < len(drawn) < 24


async def test_the_cursor_says_what_the_actions_apply_to() -> None:
    app = Stage()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert app.tab.cgroup() is None
        await pilot.press("down", "down")
        assert app.tab.cgroup() == "/a"
        app.tab.assessment = make_assessment(cgroups=(*GROUPS, group("/c", 8 * GIB)))
        await pilot.pause()
        assert app.tab.cgroup() == "/a"


async def test_fold_sort_filter_and_search() -> None:
    app = Stage()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await pilot.press("down", "down", "minus")
        assert paths(app.tab) == ["/", "/b", "/a"]
        await pilot.press("plus", "greater_than_sign")
        assert len(paths(app.tab)) == 5
        app.tab._filtered("two")
        assert paths(app.tab) == ["/a/two"]
        app.tab._filtered("")
        app.tab._searched("one")
        assert app.tab.cgroup() == "/a/one"


async def test_the_limit_that_binds_is_told() -> None:
    app = Stage()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        app.tab._searched("/a/one")
        await pilot.pause()
        told = app.tab.query_one("#cgroups-detail", Sheet).text
        assert "/a/one: 500M of max 1.0G, 524M left <- binds first" in told
        assert "/a: 2.0G of max 4.0G" in told


async def test_a_hostile_name_is_inert() -> None:
    app = Stage((group("/"), group("/evil\x1b[31m[bold]\u202e")))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("down")
        await pilot.pause()
        drawn = "".join(segment.text for y in range(4) for segment in app.tab.view.render_line(y))
        drawn += app.tab.query_one("#cgroups-detail", Sheet).text
        assert "\x1b" not in drawn
        assert "\u202e" not in drawn


async def test_without_groups_it_says_why() -> None:
    app = Stage(())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("down", "end", "minus")
        assert "memory controller is not mounted" in app.tab.query_one("#cgroups-titles", Sheet).text
