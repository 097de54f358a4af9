"""Moving the few rows that changed gives what a whole sort gives."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oomtop.analysis.model.assessment import ProcessRow
from oomtop.tui.process_table.columns import BY_ID, ColumnContext
from oomtop.tui.process_table.incremental_sort import can_resort, changes_between, resort
from oomtop.tui.process_table.rows import Grouping, View, arrange, select
from tests.present import present
from tests.tui.factories import make_process, make_row


def table(sizes: range | list[int]) -> tuple[ProcessRow, ...]:
    return tuple(make_row(make_process(pid, rss=size << 20)) for pid, size in enumerate(sizes, 100))


@given(
    st.lists(st.integers(0, 5), min_size=40, max_size=60),
    st.dictionaries(st.integers(0, 39), st.integers(0, 5), max_size=2),
    st.sampled_from(["memory", "pid", "rss", "growth", "age"]),
    st.booleans(),
)
def test_it_equals_a_whole_sort(sizes: list[int], moved: dict[int, int], column: str, descending: bool) -> None:
    view, moment = View(column=BY_ID[column], descending=descending), ColumnContext(100.0)
    before = table(sizes)
    now = tuple(
        replace(old, process=replace(old.process, rss=moved[at] << 20)) if at in moved else old
        for at, old in enumerate(before)
    )
    changes = changes_between(before, now)
    assert changes is not None
    entries = arrange(select(before, view), view, moment)
    assert resort(entries, changes, view, moment) == arrange(select(now, view), view, moment)


def test_births_deaths_and_many_changes_need_a_whole_sort() -> None:
    before = table(range(40))
    assert changes_between(before, before[1:]) is None
    assert changes_between(before, table(range(40))) is None
    assert changes_between(before, before) == []


@pytest.mark.parametrize(
    "view", [View(tree=True), View(grouping=Grouping.USER), View(column=BY_ID["command"]), View(column=BY_ID["rank"])]
)
def test_where_a_place_depends_on_others_everything_is_arranged(view: View) -> None:
    assert not can_resort(view)


def test_a_changed_row_that_a_filter_lets_through_no_longer_goes() -> None:
    before = table([1] * 40)
    view = View(accept=lambda found: found.process.rss < 2 << 20)
    now = (replace(before[0], process=replace(before[0].process, rss=9 << 20)), *before[1:])
    changes = present(changes_between(before, now))
    entries = arrange(select(before, view), view, ColumnContext())
    assert [entry.row for entry in resort(entries, changes, view, ColumnContext())] == list(before[1:])
