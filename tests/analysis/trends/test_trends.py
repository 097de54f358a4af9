"""Slopes and growth: steady, jumping, flat."""

import pytest

from oomtop.analysis.trends.process_growth import growth
from oomtop.analysis.trends.slope import slope

MB = 1 << 20


def steady(rate: int, seconds: int = 20, start: int = 0) -> list[tuple[float, int]]:
    return [(float(t), int(start + rate * t)) for t in range(seconds)]


def test_a_steady_slope_is_exact() -> None:
    trend = slope(steady(50 * MB))
    assert trend is not None
    assert trend.median == pytest.approx(50 * MB, rel=0.001)


def test_one_jump_does_not_throw_the_slope() -> None:
    points = [(t, value + (2000 * MB if t >= 10 else 0)) for t, value in steady(MB)]
    trend = slope([point for point in points if point[0] < 12])
    assert trend is not None
    assert trend.median == pytest.approx(MB, rel=0.2)


def test_too_few_points_give_no_slope() -> None:
    assert slope(steady(MB, seconds=3)) is None


def test_growth_of_a_process_that_stopped_is_nought() -> None:
    points = steady(50 * MB)
    assert growth(points, 19.0) == pytest.approx(50 * MB, rel=0.01)
    assert growth(points, 40.0) == 0.0
    assert growth(None, 1.0) == 0.0
