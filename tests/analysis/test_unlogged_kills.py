from typing import Any

import pytest

from oomtop.analysis.model.assessment import Assessment, PressureFigures
from oomtop.analysis.sentences import describe_subject
from oomtop.analysis.unlogged_kills import describe_unlogged, unlogged_kills, unread_kill
from oomtop.frozen import replace
from oomtop.oomlog.event import OomEvent, Victim
from oomtop.snapshot import Problem
from oomtop.tui.dangers.strip import draw_strip
from oomtop.tui.dashboard.event_pane import draw_events
from oomtop.tui.style.palette import Look
from tests.tui.allowed import Everything, at_victim, everything
from tests.tui.factories import NOW, calm_danger, make_assessment

KILL = OomEvent("kernel", "global", time=1000.0, victim=Victim(1, "a"))


def test_kills_of_the_kernel_since_boot_are_counted_against_its_own_counter() -> None:
    events = [
        KILL, replace(KILL, other_victims=(Victim(2, "b"), Victim(3, "c"))), replace(KILL, time=500.0),
        replace(KILL, killer="earlyoom"), replace(KILL, victim=None),
    ]  # fmt: skip
    assert unlogged_kills(6, events, 900.0) == 2
    assert unlogged_kills(1, events, 900.0) == 0
    assert unlogged_kills(None, events, 900.0) is None
    assert unlogged_kills(1, [KILL], 1030.0) == 0, "its time was written before the clock was set"


def test_the_number_in_words() -> None:
    assert [describe_unlogged(count) for count in (None, 0, 1, 3)] == [
        "", "", "1 kill is not in any readable log", "3 kills are not in any readable log",
    ]  # fmt: skip


UNREADABLE = (Problem("kernel log", "/dev/kmsg: Operation not permitted"),)


def counted(age: float | None, **changes: Any) -> Assessment:
    """Return a calm machine on which the kernel counted a kill."""
    pressure = PressureFigures(None, None, 0.0, 0.0, 0.0, 1, age)
    return make_assessment((), dangers=(calm_danger(),), pressure=pressure, **changes)


def strip(assessment: Assessment, width: int = 80, *, is_root: bool = True) -> str:
    (line,) = draw_strip(everything(may=Everything(is_root=is_root)), at_victim)(assessment, width, 4, Look())
    return line.plain


@pytest.mark.parametrize("width", [40, 60, 80, 120])
@pytest.mark.parametrize("problems", [(), UNREADABLE])
@pytest.mark.parametrize("is_read", [True, False])
def test_no_all_clear_in_the_minute_after_a_kill_that_no_log_has(
    problems: tuple[Problem, ...], is_read: bool, width: int
) -> None:
    line = strip(counted(4.0, problems=problems, log_read=is_read), width)
    assert line.startswith("  KILLED 4s ago  a process")
    assert len(line) <= width
    assert "no danger" in strip(counted(61.0, problems=problems), 80)
    assert "no danger" in strip(counted(None, problems=problems), 80)


def test_why_nothing_is_known_of_a_kill_is_said_with_what_would_tell() -> None:
    unread = counted(4.0, problems=UNREADABLE)
    assert strip(unread) == "  KILLED 4s ago  a process; the kernel log cannot be read"
    assert strip(unread, is_root=False).endswith("the kernel log cannot be read: sudo oomtop")
    assert strip(counted(4.0), is_root=False).endswith("a process; no readable log has it")
    assert describe_subject(unread.dangers, NOW, unread_kill(unread)).startswith("killed 4s ago: a process")
    (line,) = draw_events(lambda: ())(counted(None, problems=UNREADABLE), 80, 1, Look())
    assert line.plain == " the kernel log cannot be read"


def test_a_kill_that_a_log_tells_of_is_told_with_its_name() -> None:
    told = counted(1.0, events=(replace(KILL, time=NOW - 3.0, victim=Victim(7, "surge")),))
    assert unread_kill(told) is None
    assert strip(told).startswith("  KILLED 3s ago  surge by kernel")
