"""The lines between strip and keys: all to the table on a full machine, what few processes leave to the charts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oomtop.tui.dashboard.room import ChartRoom

LINES = st.integers(0, 70)


@given(LINES, st.sampled_from([0, 5, 6, 10, 12, 18]), st.integers(0, 14), st.booleans(), LINES, st.integers(1, 90))
def test_no_band_is_left_and_no_process_loses_its_line_to_a_chart(
    lines: int, chart: int, gauges: int, is_beside: bool, before: int, needed: int
) -> None:
    room = ChartRoom(lines, chart, gauges, is_beside)
    more = room.more(before, needed)
    blank = room.table(more) - needed
    assert more >= 0
    assert blank <= 6 or not chart
    assert blank >= 0 or more == 0
    # The heights chosen once are kept.
    assert room.more(more, needed) == more
    assert room.second(more) == 0 or room.second(more) >= 8


@pytest.mark.parametrize(("count", "shown"), [(5, True), (20, True), (30, False)])
def test_a_chart_comes_and_goes_with_the_room_for_it(count: int, shown: bool) -> None:
    hidden = ChartRoom(lines=36, chart=0, gauges=7, is_beside=False)
    assert hidden.has_spare_chart(before=False, needed=count + 1) == shown
    assert ChartRoom(36, 5, 7, False).has_spare_chart(before=True, needed=count + 1) == shown
    assert not ChartRoom(36, 12, 7, True).has_spare_chart(before=False, needed=2), "the style sheet shows it already"
