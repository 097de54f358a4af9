from oomtop.analysis.load_policy import DUTIES, LONGEST, Level, interval_for, shed
from oomtop.host.pressure import Pressure, parse_pressure


def psi(some: float, full: float = 0.0) -> Pressure:
    lines = (
        f"{name} avg10={value:.2f} avg60=0.00 avg300=0.00 total=0" for name, value in (("some", some), ("full", full))
    )
    return parse_pressure("\n".join(lines), "/proc/pressure/memory")


def test_the_levels_follow_the_pressure() -> None:
    assert shed(None, Level.LEAST) is Level.FULL
    assert shed(psi(19.9, 4.9)) is Level.FULL
    assert shed(psi(20)) is shed(psi(0, 5)) is Level.LESS
    assert shed(psi(60)) is shed(psi(0, 25)) is Level.LEAST


def test_a_level_ends_at_half_of_where_it_began_and_all_is_full_again_by_itself() -> None:
    level, seen = Level.FULL, []
    for some in (10, 25, 70, 40, 29, 15, 9.9, 0):
        level = shed(psi(some), level)
        seen.append(level)
    assert seen == [Level.FULL, Level.LESS, Level.LEAST, Level.LEAST, Level.LESS, Level.LESS, Level.FULL, Level.FULL]


def test_a_value_at_the_border_does_not_flicker() -> None:
    level, changes = Level.FULL, 0
    for step in range(100):
        now = shed(psi(20 + (-1) ** step), level)
        changes += now is not level
        level = now
    assert changes == 1


def test_the_interval() -> None:
    assert interval_for(Level.FULL, 2.0, 0.02) == 2.0
    assert interval_for(Level.LEAST, 2.0, 0.02) == 5.0
    assert interval_for(Level.FULL, 2.0, 0.25) == 2.5
    assert interval_for(Level.FULL, 1.0, 3.0) == LONGEST
    # A user who wants a slow pace keeps it.
    assert interval_for(Level.LEAST, 60.0, 0.02) == 60.0


def test_the_header_says_what_is_left_out() -> None:
    assert [duty.word for duty in DUTIES.values()] == ["", "light", "lightest"]
