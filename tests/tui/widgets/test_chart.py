"""The charts: axes that stand still and can be read, frames that any terminal has."""

from dataclasses import replace

import pytest

from oomtop.analysis.model.assessment import PastSeries
from oomtop.tui.style.palette import Look
from oomtop.tui.widgets.chart import SPANS, draw_chart, draw_curve, reaching_back, span_beside, span_of, ticks_of
from tests.tui.factories import make_assessment


def series(count: int, step: float = 2.0) -> PastSeries:
    times = tuple(1000.0 + at * step for at in range(count))
    none = (None,) * count
    return PastSeries(times, (1 << 29,) * count, none, (0.0,) * count, none)


@pytest.mark.parametrize(("seconds", "span"), [(4, 60), (60, 60), (61, 120), (1799, 1800), (90_000, 90_000)])
def test_the_time_axis_grows_in_steps(seconds: int, span: int) -> None:
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
def test_ticks_are_round_times_in_one_unit(span: int, width: int, names: list[str]) -> None:
    places, said = ticks_of(span, width)
    assert said == names
    assert (places[0], places[-1]) == (0, -span)


def test_the_axes_of_the_chart_are_per_cent_and_time() -> None:
    lines = [
        line.plain for line in draw_chart(lambda: 0)(make_assessment(series=series(100), time=1198.0), 80, 9, Look())
    ]
    assert [line.split("┤")[0].strip() for line in lines if "┤" in line] == ["100%", "50%", "0%"]
    assert lines[-1].split() == ["-5m", "-4m", "-3m", "-2m", "-1m", "now"]


def test_the_axes_of_a_curve_are_sizes_and_time() -> None:
    lines = [line.plain for line in draw_curve([(at * 2.0, at << 20) for at in range(500)], 80, 9, Look())]
    assert [line.split("┤")[0].strip() for line in lines if "┤" in line] == ["549M", "274M", "0B"]
    assert lines[-1].split()[0] == "-30m"


@pytest.mark.parametrize("height", [6, 9, 15])
def test_a_console_without_lines_gets_none(height: int) -> None:
    look = Look(ascii=True)
    drawn = draw_chart(lambda: 600)(make_assessment(series=series(40), time=1078.0), 80, height, look)
    drawn += draw_curve([(at * 2.0, at << 20) for at in range(50)], 80, height, look)
    assert all(line.plain.isascii() for line in drawn)


def day(minutes: int, now: float) -> PastSeries:
    times = tuple(now - 60.0 * (minutes - at) for at in range(minutes))
    return PastSeries(times, (1 << 28,) * minutes, (1 << 20,) * minutes, (0.0,) * minutes, (0.0,) * minutes)


@pytest.mark.parametrize(
    ("seconds", "first", "most"),
    [(60, 60, 31), (600, 198, 101), (3600, 3600, 62), (21_600, 21_600, 362), (86_400, 60_000, 510)],
)
def test_the_chart_goes_back_as_far_as_is_asked(seconds: int, first: int, most: int) -> None:
    found = make_assessment(series=series(100), time=1198.0, day=day(1000, 1198.0))
    shown = reaching_back(found, seconds)
    assert found.time - shown.times[0] == pytest.approx(first, abs=60)
    assert len(shown.times) <= most
    assert list(shown.times) == sorted(shown.times)
    # The end is now, at every length.
    assert found.time - shown.times[-1] < 240
    assert {len(column) for column in (shown.available, shown.swap_used, shown.some_avg10, shown.full_avg10)} == {
        len(shown.times)
    }


def test_the_axis_of_a_day_is_hours() -> None:
    found = make_assessment(series=series(100), time=1198.0, day=day(1440, 1198.0))
    assert draw_chart(lambda: 86_400)(found, 80, 9, Look())[-1].plain.split()[0] == "-24h"
    assert draw_chart(lambda: 60)(found, 80, 9, Look())[-1].plain.split()[0] == "-60s"
    # One that was chosen is shown whole, however little is known.
    young = make_assessment(series=series(10), time=1018.0)
    assert draw_chart(lambda: 3600)(young, 80, 9, Look())[-1].plain.split()[0] == "-60m"


def test_swap_in_use_is_in_the_chart() -> None:
    found = make_assessment(series=series(100), time=1198.0, day=day(1440, 1198.0))
    used = replace(found, swap=replace(found.swap, total=1 << 21))
    assert "swap used" in "".join(line.plain for line in draw_chart(lambda: 86_400)(used, 80, 12, Look()))
    assert "swap used" not in "".join(line.plain for line in draw_chart(lambda: 600)(used, 80, 12, Look()))


def test_the_lengths_come_round() -> None:
    seen = [SPANS[0]]
    for _ in SPANS:
        seen.append(span_beside(seen[-1]))
    assert seen == [*SPANS, SPANS[0]]
    assert span_beside(0) == 3600


def test_a_storm_of_kills_is_a_line_a_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    import plotext

    drawn: list[float] = []
    monkeypatch.setattr(plotext, "vertical_line", drawn.append)
    marks = tuple((1198.0 - at / 10, "OOM") for at in range(2000))
    found = make_assessment(series=replace(series(100), marks=marks), time=1198.0)
    draw_chart(lambda: 0)(found, 80, 9, Look())
    assert 40 <= len(drawn) <= 80
    assert all(-200 <= place <= 0 for place in drawn)
