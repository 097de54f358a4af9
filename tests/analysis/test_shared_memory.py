"""Pages that several processes share are counted once, or the sum is called an upper bound."""

from oomtop.analysis.shared_memory import held_together, programs_together
from oomtop.units import MIB
from tests.tui.factories import make_process, make_row

FIRST, SECOND = (make_process(pid, "pg", rss=100 * MIB, swap=10 * MIB) for pid in (10, 11))
SMALL = make_process(12, "pg", rss=MIB // 2, swap=0)


def test_without_pss_it_is_an_upper_bound() -> None:
    assert held_together([FIRST, SECOND], {}) == (220 * MIB, False)
    assert held_together([FIRST, SECOND], {FIRST.id: 60 * MIB}) == (220 * MIB, False)


def test_with_pss_of_all_large_ones_it_is_exact() -> None:
    pss = {FIRST.id: 60 * MIB, SECOND.id: 50 * MIB}
    assert held_together([FIRST, SECOND, SMALL], pss) == (110 * MIB + MIB // 2, True)


def test_one_process_shares_with_none_of_its_group() -> None:
    assert held_together([FIRST], {}) == (110 * MIB, True)


def test_programs_of_several_processes_are_listed() -> None:
    rows = [make_row(FIRST), make_row(SECOND), make_row(make_process(13, "alone"))]
    (found,) = programs_together(rows, {})
    assert (found.name, found.processes, found.size, found.counted_once) == ("pg", 2, 220 * MIB, False)
