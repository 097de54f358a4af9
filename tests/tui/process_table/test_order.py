"""A held order keeps every row where it stood, whichever way it is brought up to date."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from oomtop.analysis.model.assessment import ProcessRow
from oomtop.tui.process_table.order import TableOrder
from oomtop.tui.process_table.rows import View, keep_places
from tests.tui.factories import make_assessment, make_process, make_row

SIZES = st.lists(st.integers(0, 5), min_size=40, max_size=60)
CHANGED = st.dictionaries(st.integers(0, 39), st.integers(0, 9), max_size=2)


def with_sizes(rows: tuple[ProcessRow, ...], sizes: dict[int, int]) -> tuple[ProcessRow, ...]:
    return tuple(
        replace(row, process=replace(row.process, rss=sizes[at] << 20)) if at in sizes else row
        for at, row in enumerate(rows)
    )


@given(SIZES, CHANGED, CHANGED, st.booleans())
def test_few_changes_are_put_where_the_rows_stood(
    sizes: list[int], first: dict[int, int], second: dict[int, int], is_filtered: bool
) -> None:
    before = tuple(make_row(make_process(pid, rss=size << 20)) for pid, size in enumerate(sizes, 100))
    order = TableOrder(View(accept=(lambda row: row.process.rss < 3 << 20) if is_filtered else None))
    order.take(make_assessment(rows=before), needs_ranks=False)
    order.arrange()
    arranged = list(order.entries)
    for change in (first, second):
        now = with_sizes(order.rows, change)
        order.take(make_assessment(rows=now), needs_ranks=False)
        order.hold()
        assert list(order.entries) == keep_places(arranged, now, (), len(arranged))
        assert all(order.at(entry.key) == at for at, entry in enumerate(order.entries))


def test_who_ended_keeps_the_line_and_who_is_new_comes_last() -> None:
    rows = tuple(make_row(make_process(pid, rss=pid << 20)) for pid in range(100, 140))
    order = TableOrder(View())
    order.take(make_assessment(rows=rows), needs_ranks=False)
    order.arrange()
    born = make_row(make_process(900, rss=1 << 20))
    order.take(make_assessment(rows=(*rows[1:], born)), needs_ranks=False)
    order.hold()
    order.take(make_assessment(rows=(*with_sizes(rows[1:], {0: 7}), born)), needs_ranks=False)
    order.hold()
    shown = [(entry.row.process.pid, entry.gone) for entry in order.entries]
    assert shown == [*((pid, pid == 100) for pid in range(139, 99, -1)), (900, False)]
    assert next(entry.row.process.rss for entry in order.entries if entry.row.process.pid == 101) == 7 << 20
