"""The line of what could not be read."""

import pytest

from oomtop.frozen import replace
from oomtop.snapshot import Problem
from oomtop.tui.style.palette import Look
from oomtop.tui.widgets.keys_line import draw_status
from tests.tui.factories import make_assessment

WHY = "279 threads are hidden: only this pid namespace's; memory and pressure are the machine's"


@pytest.mark.parametrize(
    ("width", "count", "end"), [(120, 1, "the machine's"), (80, 1, "and pressu…"), (80, 3, "…  (+2 more)")]
)
def test_a_reason_that_is_cut_says_so(width: int, count: int, end: str) -> None:
    assessment = replace(make_assessment(()), problems=(Problem("processes", WHY),) * count)
    (line,) = draw_status(assessment, width, 1, Look())
    assert line.cell_len <= width
    assert line.plain.endswith(end)
