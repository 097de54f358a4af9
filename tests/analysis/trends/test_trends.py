"""Slopes, growth and time to exhaustion: steady, jumping, saw-toothed, flat."""

import pytest

from oomtop.analysis.model.danger import Confidence
from oomtop.analysis.trends.exhaustion import exhaustion
from oomtop.analysis.trends.process_growth import growth
from oomtop.analysis.trends.slope import slope

MB = 1 << 20


def steady(rate, seconds=20, start=0):
    return [(float(t), int(start + rate * t)) for t in range(seconds)]


def test_a_steady_slope_is_exact():
    trend = slope(steady(50 * MB))
    assert trend is not None
    assert trend.median == pytest.approx(50 * MB, rel=0.001)


def test_one_jump_does_not_throw_the_slope():
    points = [(t, value + (2000 * MB if t >= 10 else 0)) for t, value in steady(MB)]
    trend = slope([point for point in points if point[0] < 12])
    assert trend is not None
    assert trend.median == pytest.approx(MB, rel=0.2)


def test_too_few_points_give_no_slope():
    assert slope(steady(MB, seconds=3)) is None


def test_time_to_exhaustion_of_a_steady_surge():
    outlook = exhaustion("RAM", 1000 * MB, steady(50 * MB), 19.0, 4000 * MB)
    assert outlook.seconds == pytest.approx(20, rel=0.01)
    assert outlook.confidence is Confidence.HIGH


def test_a_flat_line_and_a_saw_tooth_are_not_growing():
    assert exhaustion("RAM", 1000 * MB, steady(0), 19.0, 4000 * MB).seconds is None
    saw = [(float(t), (t % 5) * 20 * MB) for t in range(30)]
    assert exhaustion("RAM", 1000 * MB, saw, 29.0, 4000 * MB).seconds is None


def test_growth_of_a_process_that_stopped_is_nought():
    points = steady(50 * MB)
    assert growth(points, 19.0) == pytest.approx(50 * MB, rel=0.01)
    assert growth(points, 40.0) == 0.0
    assert growth(None, 1.0) == 0.0


@pytest.mark.parametrize(
    ("sizes", "is_sudden"),
    [
        ([100, 180, 260], True),
        ([100, 180, 260, 340], True),
        ([10, 50, 90], False),  # a start: less than half is full
        ([250, 252, 254], False),  # full in more than 20 s
        ([100, 300, 260], False),  # it gives back
        ([180, 260], False),  # two points are one jump
    ],
)
def test_a_surge_is_said_from_three_points(sizes, is_sudden):
    """One point every 2 s, of 400 MB."""
    points = [(2.0 * at, size << 20) for at, size in enumerate(sizes)]
    found = exhaustion("/x", (400 - sizes[-1]) << 20, points, points[-1][0], 400 << 20)
    assert (found.seconds is not None) == is_sudden
    if is_sudden:
        assert found.confidence is Confidence.LOW
        assert found.seconds == pytest.approx((400 - sizes[-1]) / 40)


def test_a_short_look_does_not_tell_of_the_far_future():
    """20 GiB at 16 MiB a second are 21 minutes: ten seconds cannot tell that, twenty can."""
    points = [(float(at), at << 24) for at in range(21)]
    assert exhaustion("RAM", 20 << 30, points[:10], 9.0, 24 << 30).seconds is None
    assert exhaustion("RAM", 20 << 30, points, 20.0, 24 << 30).seconds == pytest.approx(1280)
