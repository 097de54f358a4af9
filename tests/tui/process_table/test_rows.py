from __future__ import annotations

from typing import Any

from oomtop.analysis.model.assessment import ProcessRow
from oomtop.tui.process_table.columns import BY_ID, ColumnContext
from oomtop.tui.process_table.rows import Entry, Grouping, View, arrange, keep_places, select, subtree
from oomtop.units import MIB
from tests.tui.factories import make_process, make_row, make_rows

NOW = ColumnContext(1000.0)


def row(pid: int, ppid: int = 1, size: int = 1, comm: str = "x", **more: Any) -> ProcessRow:
    return make_row(make_process(pid, comm, ppid=ppid, rss=size * MIB, **more))


def pids(entries: list[Entry]) -> list[int]:
    return [entry.row.process.pid for entry in entries]


def tree(rows: list[ProcessRow], **view: object) -> list[str]:
    entries = arrange(rows, View(tree=True, ascii=True, **view), NOW)  # type: ignore[arg-type]
    return [f"{entry.prefix}{entry.row.process.pid}" for entry in entries]


def test_the_largest_comes_first_and_equal_ones_by_pid() -> None:
    assert pids(arrange([row(3), row(2, size=5), row(1)], View(), NOW)) == [2, 1, 3]


def test_text_sorts_from_a_to_z() -> None:
    rows = [row(1, comm="b"), row(2, comm="A"), row(3, comm="c")]
    assert pids(arrange(rows, View(column=BY_ID["command"], descending=False), NOW)) == [2, 1, 3]


def test_kernel_threads_and_other_users_are_left_out() -> None:
    rows = [row(1), make_row(make_process(2, kernel=True)), make_row(make_process(3), user="bob")]
    assert [r.process.pid for r in select(rows, View())] == [1, 3]
    assert [r.process.pid for r in select(rows, View(kernel_threads=True, user="alice"))] == [1, 2]
    assert [r.process.pid for r in select(rows, View(accept=lambda r: r.process.pid > 2))] == [3]


def test_tree() -> None:
    rows = [row(1, 0), row(10, 1, 5), row(20, 1, 9), row(11, 10), row(12, 10, 2)]
    assert tree(rows) == ["1", "|- 20", "`- 10", "   |- 12", "   `- 11"]


def test_a_folded_branch_says_how_many_it_hides() -> None:
    rows = [row(1, 0), row(10, 1), row(11, 10), row(12, 11)]
    entries = arrange(rows, View(tree=True, toggled=frozenset({rows[1].process.id})), NOW)
    assert [(entry.row.process.pid, entry.hidden) for entry in entries] == [(1, 0), (10, 2)]


def test_no_process_is_lost_where_parents_are_wrong() -> None:
    """A parent number used again by a child, a process that is its own parent, a parent that is filtered out."""
    rows = [row(10, 20), row(20, 10), row(30, 30), row(40, 999)]
    assert sorted(pids(arrange(rows, View(tree=True), NOW))) == [10, 20, 30, 40]


def test_a_parent_is_never_younger_than_its_child() -> None:
    assert tree([row(10, 20, start_time=5), row(20, 1, start_time=50)]) == ["10", "20"]


def test_a_very_deep_tree_is_drawn_in_bounded_width() -> None:
    entries = arrange([row(pid, pid - 1) for pid in range(1, 3000)], View(tree=True), NOW)
    assert len(entries) == 2999
    assert max(len(entry.prefix) for entry in entries) < 100


def test_subtree() -> None:
    rows = [row(1, 0), row(10, 1), row(11, 10), row(12, 11), row(20, 1)]
    assert {id.pid for id in subtree(rows, rows[1].process.id)} == {10, 11, 12}


def test_groups_add_up_and_open() -> None:
    rows = [row(1, comm="web", size=3), row(2, comm="db", size=4), row(3, comm="web", size=2)]
    view = View(grouping=Grouping.PROGRAM)
    entries = arrange(rows, view, NOW)
    assert [(e.key, e.members, e.row.process.rss // MIB) for e in entries] == [("web", 2, 5), ("db", 1, 4)]
    opened = arrange(rows, View(grouping=Grouping.PROGRAM, toggled=frozenset({"web"})), NOW)
    assert [entry.key for entry in opened] == ["web", rows[0].process.id, rows[2].process.id, "db"]


def test_totals_of_unknown_figures_are_unknown() -> None:
    rows = [make_row(make_process(1, "a", swap=None)), make_row(make_process(2, "a", swap=None))]
    (entry,) = arrange(rows, View(grouping=Grouping.PROGRAM), NOW)
    assert entry.row.process.swap is None


def test_held_places_keep_the_ended_and_append_the_new() -> None:
    first, second, third = make_rows(3)
    entries = arrange([first, second], View(), NOW)
    grown = make_row(make_process(101, rss=900 * MIB))
    kept = keep_places(entries, [grown, third], [third], 2)
    assert [(entry.row.process.pid, entry.gone) for entry in kept] == [(100, True), (101, False), (102, False)]
    assert kept[1].row is grown


def test_a_folded_branch_has_the_sum_of_the_branch_and_its_own_name() -> None:
    rows = [row(1, 0), row(10, 1, 14, "parent"), row(11, 10, 40, "child"), row(12, 10, 40, "child")]
    entries = arrange(rows, View(tree=True, toggled=frozenset({rows[1].process.id})), NOW)
    folded = entries[1]
    assert (folded.row.process.pid, folded.row.process.comm, folded.row.process.rss) == (10, "parent", 94 * MIB)
    assert BY_ID["rss"].text(folded.row, NOW) == "≤94M"
    kept = keep_places(entries, rows, [], len(entries))
    assert kept[1].row is folded.row


def test_totals_count_shared_pages_once_where_pss_is_known() -> None:
    rows = [row(pid, comm="pg", size=258) for pid in (1, 2)]
    (entry,) = arrange(rows, View(grouping=Grouping.PROGRAM), NOW)
    assert BY_ID["memory"].text(entry.row, ColumnContext(1.0, ascii=True)) == "<516M"
    known = ColumnContext(1000.0, pss={each.process.id: 30 * MIB for each in rows})
    (entry,) = arrange(rows, View(grouping=Grouping.PROGRAM), known)
    assert BY_ID["memory"].text(entry.row, known) == "60.0M"
    assert not View(tree=True).shows_totals
    assert View(grouping=Grouping.PROGRAM).shows_totals


def test_an_upper_bound_fits_its_column() -> None:
    texts = []
    for size in (1, 2400, 9900, 99_999, 1_022_976, 1_048_575):
        (entry,) = arrange([row(1, comm="a", size=size // 2), row(2, comm="a", size=size - size // 2)],
                           View(grouping=Grouping.PROGRAM), NOW)  # fmt: skip
        texts.append(BY_ID["memory"].text(entry.row, NOW))
    assert texts == ["≤1.0M", "≤2.4G", "≤9.7G", "≤98G", "≤999G", "≤1.0T"]
