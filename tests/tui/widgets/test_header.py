"""The header at every width: what is news comes first, and oomtop's own protection is said as long as there is room."""

import pytest

from oomtop.tui.base.session import State
from oomtop.tui.style.palette import Look
from oomtop.tui.widgets.header import draw_header
from tests.tui.factories import make_assessment


@pytest.mark.parametrize(
    ("guard", "width", "said"),
    [
        ("guarded 46M locked, adj -900", 200, "root  guarded 46M locked, adj -900  6.18.0"),
        ("guarded 46M locked; adj: needs CAP_SYS_RESOURCE", 100, "root  guarded 46M locked  "),
        ("not guarded: memory lock: needs CAP_IPC_LOCK; adj: needs CAP_SYS_RESOURCE", 100, "root  not guarded  "),
        ("not guarded: memory lock: needs CAP_IPC_LOCK; adj: needs CAP_SYS_RESOURCE", 80, "testhost  root "),
    ],
)
def test_the_protection_is_said_in_the_room_there_is(guard, width, said):
    state = State("root", guard=guard)
    (line,) = draw_header(lambda: state.standing, "processes")(make_assessment(), width, 1, Look())
    assert said in line.plain
    assert line.cell_len == width
