"""Pages that several processes share are counted once, or the sum is called an upper bound."""

import pytest

from oomtop.analysis.group_totals import group_totals
from oomtop.analysis.shared_memory import Ceiling, held_together, programs_together, sum_sizes
from oomtop.frozen import replace
from oomtop.host.process import ProcessId
from oomtop.tui.process_table.columns import ColumnContext
from oomtop.tui.process_table.rows import Grouping, View, arrange
from oomtop.units import GIB, MIB
from tests.tui.factories import make_assessment, make_process, make_row

FIRST, SECOND = (make_process(pid, "pg", rss=100 * MIB, swap=10 * MIB) for pid in (10, 11))
SMALL = make_process(12, "pg", rss=MIB // 2, swap=0)


def test_without_pss_it_is_an_upper_bound() -> None:
    assert held_together([FIRST, SECOND], {}) == (220 * MIB, False)
    assert held_together([FIRST, SECOND], {FIRST.id: 60 * MIB}) == (220 * MIB, False)


def test_the_bound_is_at_most_what_the_machine_has_of_each_kind() -> None:
    workers = [replace(FIRST, id=ProcessId(pid, 0), rss_anon=80 * MIB, rss_file=20 * MIB) for pid in range(20, 30)]
    assert held_together(workers, {}) == (1100 * MIB, False)
    ceiling = Ceiling((100 * MIB, 50 * MIB, 0), swap=30 * MIB)
    assert held_together(workers, {}, ceiling) == (180 * MIB, False)
    assert held_together(workers, {worker.id: 9 * MIB for worker in workers}, ceiling) == (90 * MIB, True)
    total = sum_sizes(workers[0], workers, ceiling)
    assert (total.rss, total.rss_anon, total.rss_file, total.swap) == (150 * MIB, 100 * MIB, 50 * MIB, 30 * MIB)


@pytest.mark.parametrize("grouping", ["program", "user", "unit"])
def test_no_total_of_a_group_is_above_ram_and_swap(grouping: str) -> None:
    rows = [make_row(make_process(pid, "python3", rss=GIB)) for pid in range(100, 140)]
    now = make_assessment(rows)
    most = now.memory.total + (now.swap.used or 0)
    (total,) = group_totals(now, grouping)
    view = View(grouping=Grouping.PROGRAM)
    moment = ColumnContext(ceiling=Ceiling.of(now.memory, now.swap))
    (entry,) = arrange(rows, view, moment)
    assert total.size == entry.row.process.rss_and_swap <= most
    assert total.rss == entry.row.process.rss <= most


def test_with_pss_of_all_large_ones_it_is_exact() -> None:
    pss = {FIRST.id: 60 * MIB, SECOND.id: 50 * MIB}
    assert held_together([FIRST, SECOND, SMALL], pss) == (110 * MIB + MIB // 2, True)


def test_one_process_shares_with_none_of_its_group() -> None:
    assert held_together([FIRST], {}) == (110 * MIB, True)


def test_programs_of_several_processes_are_listed() -> None:
    rows = [make_row(FIRST), make_row(SECOND), make_row(make_process(13, "alone"))]
    (found,) = programs_together(rows, {})
    assert (found.name, found.processes, found.size, found.counted_once) == ("pg", 2, 220 * MIB, False)
