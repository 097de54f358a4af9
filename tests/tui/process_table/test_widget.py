from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import count
from random import Random

import pytest
from textual.app import App, ComposeResult
from textual.message import Message
from textual.pilot import Pilot
from textual.strip import Strip

from oomtop.analysis.model.assessment import ProcessRow
from oomtop.host.process import ProcessId
from oomtop.tui.base.messages import RowActivated, RowSelected
from oomtop.tui.process_table import painter
from oomtop.tui.process_table.cells import cells_of
from oomtop.tui.process_table.order import HOLD_SECONDS
from oomtop.tui.process_table.rows import Grouping
from oomtop.tui.process_table.widget import ProcessTable
from oomtop.tui.widgets.menu import Menu
from oomtop.units import GIB, MIB
from tests.tui.factories import make_assessment, make_danger, make_process, make_row, make_rows


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class CountingTable(ProcessTable):
    def __init__(self, clock: Clock) -> None:
        super().__init__(clock=clock)
        self.painted: list[int] = []

    def render_line(self, y: int) -> Strip:
        self.painted.append(y)
        return super().render_line(y)

    def text(self, y: int) -> str:
        return ProcessTable.render_line(self, y).text


class TableApp(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.seen: list[Message] = []

    def compose(self) -> ComposeResult:
        yield CountingTable(self.clock)

    def on_row_selected(self, message: RowSelected) -> None:
        self.seen.append(message)

    def on_row_activated(self, message: RowActivated) -> None:
        self.seen.append(message)


class Screen:
    """A table with rows on it and the hands of a user."""

    def __init__(self, pilot: Pilot[None], app: TableApp) -> None:
        self.pilot, self.app = pilot, app
        self.table = app.query_one(CountingTable)

    async def show(self, rows: int | tuple[ProcessRow, ...], **changes: object) -> list[int]:
        """Return the lines that a tick repaints."""
        self.table.painted.clear()
        self.table.show(make_assessment(rows, **changes))  # type: ignore[arg-type]
        await self.pilot.pause()
        return sorted(set(self.table.painted))

    async def press(self, *keys: str) -> list[int]:
        self.table.painted.clear()
        await self.pilot.press(*keys)
        await self.pilot.pause()
        return sorted(set(self.table.painted))

    async def press_and_wait(self, key: str) -> None:
        """Press, and let the time pass in which the order holds still."""
        await self.press(key)
        self.app.clock.now += HOLD_SECONDS + 0.1

    @property
    def pids(self) -> list[int]:
        return [entry.row.process.pid for entry in self.table.lines]

    @property
    def selected(self) -> int | None:
        return self.table.selected.pid if self.table.selected else None


@asynccontextmanager
async def screen(width: int = 80, height: int = 24) -> AsyncIterator[Screen]:
    app = TableApp()
    async with app.run_test(size=(width, height)) as pilot:
        found = Screen(pilot, app)
        found.table.focus()
        await pilot.pause()
        yield found


def grown(rows: tuple[ProcessRow, ...], at: int, rss: int) -> tuple[ProcessRow, ...]:
    row = rows[at]
    return (*rows[:at], replace(row, process=replace(row.process, rss=rss)), *rows[at + 1 :])


@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 40), (200, 60)])
async def test_a_tick_without_change_paints_nothing(width: int, height: int) -> None:
    rows = make_rows(500)
    async with screen(width, height) as it:
        assert {*range(1, height)} <= {*await it.show(rows)}
        assert await it.show(rows) == []
        assert await it.show(make_rows(500)) == []


async def test_a_column_of_zeros_comes_back_at_the_next_look() -> None:
    swapped = (*make_rows(3), make_row(make_process(7, swap=GIB)))
    async with screen(120, 40) as it:
        await it.show(3, monotonic=100.0)
        assert "swap" not in it.table.shown_columns
        await it.show(swapped, monotonic=120.0)
        assert "swap" not in it.table.shown_columns
        await it.show(swapped, monotonic=131.0)
        assert "swap" in it.table.shown_columns


async def test_only_the_line_that_changed_is_painted() -> None:
    rows = make_rows(500)
    async with screen(120, 40) as it:
        await it.show(rows)
        assert await it.show(grown(rows, 4, rows[4].process.rss + MIB // 2 + MIB // 4)) in ([5], [4, 5], [5, 6])
        assert await it.show(grown(rows, 400, rows[400].process.rss + 5 * MIB)) in ([], [5], [4, 5], [5, 6])


async def test_a_new_process_out_of_sight_paints_nothing() -> None:
    rows = make_rows(500)
    async with screen(120, 40) as it:
        await it.show(rows)
        assert await it.show((*rows, make_row(make_process(9000, rss=1)))) == []
        assert len(it.table.lines) == 501


async def test_moving_the_cursor_paints_two_lines() -> None:
    async with screen() as it:
        await it.show(100)
        assert await it.press("down") == [1, 2]
        assert it.selected == 101
        await it.press("end")
        assert it.selected == 199
        await it.press("pageup", "home")
        assert it.selected == 100


async def test_the_selection_is_the_process_and_not_the_line() -> None:
    rows = make_rows(10)
    async with screen() as it:
        await it.show(rows)
        await it.press_and_wait("down")
        await it.show(grown(rows, 9, GIB))
        assert it.pids[:3] == [109, 100, 101]
        assert it.selected == 101


async def test_the_order_holds_still_after_the_cursor_moved() -> None:
    rows = make_rows(10)
    changed = grown(rows, 9, GIB)
    async with screen() as it:
        await it.show(rows)
        await it.press("down")
        it.app.clock.now += HOLD_SECONDS - 0.1
        await it.show(changed)
        assert it.pids == list(range(100, 110))
        assert "1.0G" in it.table.text(10)
        it.app.clock.now += 0.2
        await it.show(changed)
        assert it.pids[0] == 109


async def test_a_sort_is_done_once_and_held_until_the_key_is_pressed_again() -> None:
    rows = make_rows(4)
    born = make_row(make_process(9000, rss=2 * GIB))
    async with screen() as it:
        await it.show(rows)
        await it.press("O")
        assert "O: order held" in it.table.text(0) or "O held" in it.table.text(0)
        it.app.clock.now += 60
        await it.show((*grown(rows, 3, GIB)[1:], born))
        assert it.pids == [100, 101, 102, 103, 9000]
        assert it.table.text(1).startswith("x")
        assert "1.0G" in it.table.text(4)
        await it.show(grown(rows, 3, GIB)[1:])
        assert it.pids == [100, 101, 102, 103]
        await it.press("I")
        assert it.pids == [102, 101, 103]
        await it.show((*rows[1:], born))
        assert it.pids == [102, 101, 103, 9000]
        await it.press("O")
        assert it.pids == [103, 102, 101, 9000]
        assert "held" not in it.table.text(0)


async def test_a_line_stands_between_the_group_of_the_strip_and_all_others() -> None:
    rows = (*make_rows(3), *(make_row(make_process(pid, rss=pid * MIB, cgroup="/web")) for pid in (20, 30)))
    web = make_danger("/web", [rows[4]])
    async with screen() as it:
        await it.show(rows, dangers=(web,))
        assert it.pids == [30, 20, 100, 101, 102]
        assert it.table.text(3).startswith(" ── not in /web ───")
        assert " 100 " in it.table.text(4)
        await it.press("down", "down")
        assert it.selected == 100
        await it.pilot.click(CountingTable, offset=(20, 3))
        assert it.selected == 100
        await it.pilot.click(CountingTable, offset=(20, 2))
        assert it.selected == 20
        await it.press("end")
        assert it.selected == 102
        assert it.table.virtual_size.height == 7
        for keys in ("t", "g"):
            await it.press(keys)
            assert not any("not in" in it.table.text(y) for y in range(1, 7))


async def test_every_line_is_reached_at_the_edges_of_a_scrolled_table_with_a_border() -> None:
    rows = (*make_rows(30), *(make_row(make_process(pid, rss=pid * MIB, cgroup="/web")) for pid in range(20, 40)))
    async with screen(80, 12) as it:
        await it.show(rows, dangers=(make_danger("/web", [rows[-1]]),))
        order = it.pids
        for at in range(1, 50):
            await it.press("down")
            assert it.selected == order[at]
            assert any(f" {order[at]} " in it.table.text(y) for y in range(1, 12))
        for at in range(48, -1, -1):
            await it.press("up")
            assert any(f" {order[at]} " in it.table.text(y) for y in range(1, 12))


async def test_with_a_dialog_open_nothing_moves_and_the_ended_stay_marked() -> None:
    rows = make_rows(4)
    async with screen() as it:
        await it.show(rows)
        it.table.hold_order = True
        await it.show((*grown(rows, 3, GIB)[1:], make_row(make_process(9000, rss=2 * GIB))))
        assert it.pids == [100, 101, 102, 103, 9000]
        assert it.table.selected is None
        assert it.table.text(1).startswith("x")
        it.table.hold_order = False
        await it.show((*grown(rows, 3, GIB)[1:],))
        assert it.pids == [103, 101, 102]


async def test_a_number_used_again_is_another_process() -> None:
    async with screen() as it:
        await it.show((make_row(make_process(5, start_time=10)), make_row(make_process(6))))
        await it.press("space")
        it.app.clock.now += HOLD_SECONDS + 0.1
        await it.show((make_row(make_process(5, start_time=99)), make_row(make_process(6))))
        assert it.table.chosen_rows == it.table.tagged_rows == ()
        await it.press("up")
        assert it.table.tagged == frozenset()


async def test_tags() -> None:
    rows = (make_row(make_process(1, ppid=0)), make_row(make_process(2)), make_row(make_process(3, ppid=2)))
    async with screen() as it:
        await it.show(rows)
        await it.press("down", "c")
        assert {id.pid for id in it.table.tagged} == {2, 3}
        assert it.table.text(2)[1] == "*"
        await it.press("U")
        assert it.table.tagged_rows == ()


async def test_keys_sort_and_turn_the_order() -> None:
    async with screen() as it:
        await it.show(5)
        it.table.sort_by("pid")
        assert it.pids[0] == 104
        await it.press("I")
        assert it.pids[0] == 100
        assert "PID▲" in it.table.text(0)
        await it.press("greater_than_sign")
        assert it.table.view.column.id == "user"


async def test_the_sort_menu() -> None:
    async with screen() as it:
        await it.show(5)
        await it.press("f6")
        assert isinstance(it.app.screen, Menu)
        assert it.table.hold_order
        await it.press("down", "enter")
        assert it.table.view.column.id == "rss"
        assert not it.table.hold_order


async def test_tree_folds_and_plus_is_free_where_there_is_nothing_to_fold() -> None:
    rows = (make_row(make_process(1, ppid=0)), make_row(make_process(2)), make_row(make_process(3, ppid=2)))
    async with screen() as it:
        await it.show(rows)
        assert not it.table.check_action("fold", (True,))
        await it.press("t", "minus")
        assert it.pids == [1]
        assert "[+2]" in it.table.text(1)
        await it.press("plus")
        assert "└─ " in it.table.text(2)


async def test_groups_are_never_a_target() -> None:
    async with screen() as it:
        await it.show(make_rows(3))
        it.table.group_by("user")
        await it.press("home", "space")
        assert it.table.view.grouping is Grouping.USER
        assert (it.table.selected, it.table.selected_row, it.table.tagged) == (None, None, frozenset())
        assert "x3" in it.table.text(1)
        await it.press("enter")
        assert len(it.table.lines) == 4


async def test_filter_user_and_search() -> None:
    async with screen() as it:
        await it.show(30)
        assert it.table.set_filter("rss>28m") is None
        assert it.pids == [100, 101]
        assert "unknown field" in (it.table.set_filter("foo>1") or "")
        assert it.pids == [100, 101]
        it.table.set_filter("")
        it.table.set_user("nobody")
        assert it.pids == []
        assert not it.table.search("p")
        assert not it.table.search("p", step=0)
        it.table.set_user(None)
        assert it.table.search("prog2")
        assert it.selected == 102
        assert it.table.search("prog2")
        assert it.selected == 120
        assert not it.table.search("no such thing")
        assert it.selected == 120


async def test_digits_jump_to_a_pid() -> None:
    async with screen() as it:
        await it.show(100)
        await it.press("1", "5", "0")
        assert it.selected == 150
        it.app.clock.now += 5
        await it.press("1", "9", "9")
        assert it.selected == 199
        assert "199" in it.table.text(23)


async def test_digits_that_come_slowly_are_one_number_which_the_header_shows() -> None:
    async with screen() as it:
        await it.show(100)
        for digit in "150":
            await it.press(digit)
            it.app.clock.now += 2.5
        assert it.selected == 150
        assert "[PID 150]" in it.table.text(0)
        it.app.clock.now += 1
        await it.show(100)
        assert "PID 150" not in it.table.text(0)


async def test_while_a_number_is_typed_that_is_no_pid_shown_the_keys_are_for_nobody() -> None:
    async with screen() as it:
        await it.show(100)
        await it.press("1", "5", "0", "7")
        assert it.table.selected is None
        assert not it.table.chosen_rows
        it.app.clock.now += 5
        assert it.selected == 150


async def test_a_move_of_the_cursor_ends_the_number() -> None:
    async with screen() as it:
        await it.show(100)
        await it.press("1", "5", "0", "down", "1", "0", "3")
        assert it.selected == 103
        assert [row.process.pid for row in it.table.chosen_rows] == [103]


async def test_follow_keeps_the_process_in_view() -> None:
    rows = make_rows(200)
    async with screen() as it:
        await it.show(rows)
        await it.press("F", "down")
        it.app.clock.now += HOLD_SECONDS + 0.1
        await it.show(grown(rows, 1, 1))
        assert it.selected == 101
        assert any("  101 " in it.table.text(y) for y in range(1, 24))


async def test_when_the_selected_process_ends_its_row_keeps_the_cursor_and_is_no_target() -> None:
    rows = make_rows(3)
    async with screen() as it:
        await it.show(rows)
        await it.press_and_wait("down")
        for _ in range(3):
            await it.show((rows[0], rows[2]))
            assert it.pids == [100, 101, 102]
            assert it.table.text(2).startswith("x")
            assert it.table.selected is None
        await it.press("down")
        assert it.selected == 102
        it.app.clock.now += HOLD_SECONDS + 0.1
        await it.show((rows[0], rows[2]))
        assert it.pids == [100, 102]


CHANGES = ("end", "end", "born", "grow", "leave", "again")
VIEWS: dict[str, Callable[[ProcessTable], object]] = {
    "list": lambda table: None,
    "tree": lambda table: table.action_tree(),
    "groups": lambda table: table.group_by(Grouping.PROGRAM),
    "users": lambda table: table.group_by(Grouping.USER),
    "filter": lambda table: table.set_filter("rss<=40m"),
    "by name": lambda table: table.sort_by("command"),
}


def changed(rng: Random, rows: tuple[ProcessRow, ...], numbers: Iterator[int]) -> tuple[ProcessRow, ...]:
    """Return the rows of the next tick: some ended, some were born, some grew out of the filter, some came back."""
    found = list(rows)
    for what in rng.choices(CHANGES, k=rng.choice((1, 1, 2, 10))):
        at = rng.randrange(len(found)) if found else 0
        if what == "end" and found:
            del found[at]
        elif what in ("grow", "leave") and found:
            rss = rng.randint(1, 30) if what == "grow" else 50
            found[at] = replace(found[at], process=replace(found[at].process, rss=rss * MIB))
        elif what in ("born", "again"):
            pid = 100 + rng.randrange(30) if what == "again" else 200 + rng.randrange(400)
            if all(row.process.pid != pid for row in found):
                process = make_process(pid, f"prog{pid % 4}", start_time=next(numbers), ppid=rng.choice((1, 100, 103)))
                rss = rng.randint(1, 30) * MIB
                found.append(make_row(replace(process, rss=rss), user=rng.choice(("root", "bob"))))
    return tuple(sorted(found, key=lambda row: row.process.pid))


@pytest.mark.parametrize("name", VIEWS)
async def test_no_other_process_comes_under_the_cursor_by_itself(name: str) -> None:
    """Whatever ends, starts, changes or is filtered out between two keys: an action is for what the user went to."""
    rng, numbers = Random(name), count(5000)
    rows: tuple[ProcessRow, ...] = tuple(
        make_row(make_process(100 + at, f"prog{at % 4}", rss=20 * MIB)) for at in range(25)
    )
    async with screen() as it:
        table = it.table
        table.show(make_assessment(rows))
        VIEWS[name](table)
        table.action_move(3)
        for step in range(1000):
            table.hold_order = rng.random() < 0.2
            it.app.clock.now += rng.choice((0.1, HOLD_SECONDS + 0.1))
            if rng.random() < 0.1:
                VIEWS[rng.choice([*VIEWS])](table)
            elif rng.random() < 0.4:
                move(table, rng)
            aimed, tagged = table._cursor, table.tagged
            goal = {row.process.id for row in table.chosen_rows}
            rows = changed(rng, rows, numbers) or rows
            table.show(make_assessment(rows))
            alive = {row.process.id for row in rows}
            if aimed is not None:
                assert table._cursor == aimed, step
            assert table.selected is None or table.selected in alive
            chosen = {row.process.id for row in table.chosen_rows}
            if tagged or (isinstance(aimed, ProcessId) and aimed not in table.view.toggled):
                assert chosen <= (goal | {aimed}) & alive, step
            keys = [entry.key for entry in table.lines]
            assert len(keys) == len(set(keys)), step
            assert all(entry.gone or isinstance(entry.key, str) or entry.key in alive for entry in table.lines), step


def move(table: ProcessTable, rng: Random) -> None:
    """Do what a key does."""
    keys: tuple[Callable[[], object], ...] = (
        lambda: table.action_move(rng.choice((-1, 1, 5))),
        lambda: table.action_edge(rng.random() < 0.5),
        table.action_tag, table.action_tag_tree, table.action_untag, table.action_activate, table.action_invert,
        table.select_victim, table.action_follow, lambda: table.action_jump(rng.choice("123")), table.action_tree,
        table.action_pin_order, lambda: table.action_fold(rng.choice((True, False, None))), table.action_group,
    )  # fmt: skip
    rng.choice(keys)()


async def test_the_mouse_selects_activates_and_sorts() -> None:
    async with screen() as it:
        await it.show(10)
        await it.pilot.click(CountingTable, offset=(20, 3))
        assert it.selected == 102
        await it.pilot.click(CountingTable, offset=(20, 3), times=2)
        await it.pilot.pause()
        assert isinstance(it.app.seen[-1], RowActivated)
        await it.pilot.click(CountingTable, offset=(5, 0))
        assert it.table.view.column.id == "pid"


async def test_marks_do_not_need_colour() -> None:
    async with screen() as it:
        await it.show(3)
        assert it.table.text(1).startswith("»")
        assert "▼" in it.table.text(0)


async def test_a_narrow_and_a_wide_window_have_their_own_columns() -> None:
    async with screen() as it:
        await it.show(3)
        assert "CPU%" not in it.table.text(0)
        await it.pilot.resize_terminal(120, 30)
        await it.pilot.pause()
        assert "CPU%" in it.table.text(0)
        await it.press("right", "right")
        assert "USER" not in it.table.text(0)


async def test_hostile_names_keep_the_line_in_one_piece() -> None:
    names = ("\x1b[2J", "[red]x[/]", "漢字", "\u202eabc", "a\nb")
    rows = tuple(make_row(make_process(100 + at, name, command=name * 99), user=name) for at, name in enumerate(names))
    async with screen() as it:
        await it.show(rows)
        for y in range(len(names) + 1):
            assert ProcessTable.render_line(it.table, y).cell_length == it.table.size.width
            assert it.table.text(y).isprintable()


async def test_a_cursor_that_moves_has_no_text_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[object] = []
    rows = make_rows(500)
    async with screen() as it:
        await it.show(rows)
        monkeypatch.setattr(painter, "cells_of", lambda entry, *rest: made.append(entry) or cells_of(entry, *rest))
        await it.press("down", "down", "up")
        assert made == []
        await it.press("end")
        assert len(made) == it.table.size.height - 1
