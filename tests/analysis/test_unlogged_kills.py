from oomtop.analysis.unlogged_kills import describe_unlogged, unlogged_kills
from oomtop.frozen import replace
from oomtop.oomlog.event import OomEvent, Victim

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
