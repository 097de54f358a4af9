"""The charts: axes that stand still and can be read, frames that any terminal has."""

import pytest

from oomtop.analysis.model import Series
from oomtop.tui.chart import draw_chart, draw_curve, span_of, ticks_of
from oomtop.tui.look import Look
from tests.tui.factories import make_assessment


def series(count, step=2.0):
    times = tuple(1000.0 + at * step for at in range(count))
    none = (None,) * count
    return Series(times, (1 << 29,) * count, none, (0.0,) * count, none)


@pytest.mark.parametrize(("seconds", "span"), [(4, 60), (60, 60), (61, 120), (1799, 1800), (90_000, 90_000)])
def test_the_time_axis_grows_in_steps(seconds, span):
    assert span_of(seconds) == span


@pytest.mark.parametrize(
    ("span", "width", "names"),
    [
        (60, 80, ["now", "-10s", "-20s", "-30s", "-40s", "-50s", "-60s"]),
        (300, 80, ["now", "-1m", "-2m", "-3m", "-4m", "-5m"]),
        (1800, 80, ["now", "-5m", "-10m", "-15m", "-20m", "-25m", "-30m"]),
        (86_400, 60, ["now", "-6h", "-12h", "-18h", "-24h"]),
    ],
)
def test_ticks_are_round_times_in_one_unit(span, width, names):
    places, said = ticks_of(span, width)
    assert said == names
    assert (places[0], places[-1]) == (0, -span)


def test_the_axes_of_the_chart_are_per_cent_and_time():
    lines = [line.plain for line in draw_chart(make_assessment(series=series(100)), 80, 9, Look())]
    assert [line.split("┤")[0].strip() for line in lines if "┤" in line] == ["100%", "50%", "0%"]
    assert lines[-1].split() == ["-5m", "-4m", "-3m", "-2m", "-1m", "now"]


def test_the_axes_of_a_curve_are_sizes_and_time():
    lines = [line.plain for line in draw_curve([(at * 2.0, at << 20) for at in range(500)], 80, 9, Look())]
    assert [line.split("┤")[0].strip() for line in lines if "┤" in line] == ["549M", "274M", "0B"]
    assert lines[-1].split()[0] == "-30m"


@pytest.mark.parametrize("height", [6, 9, 15])
def test_a_console_without_lines_gets_none(height):
    look = Look(ascii=True)
    drawn = draw_chart(make_assessment(series=series(40)), 80, height, look)
    drawn += draw_curve([(at * 2.0, at << 20) for at in range(50)], 80, height, look)
    assert all(line.plain.isascii() for line in drawn)
