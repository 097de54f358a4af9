"""The chart of the last minutes: its axes, its marks, and what it is drawn with."""

from dataclasses import replace

from oomtop.analysis.model import Series
from oomtop.tui.chart import draw_chart
from oomtop.tui.look import Look
from tests.tui.factories import make_assessment


def drawn(width, height, look, marks=()):
    assessment = make_assessment()
    times = tuple(1000.0 + 5 * point for point in range(121))
    half = (assessment.memory.total // 2,) * len(times)
    series = Series(times, half, (None,) * len(times), (0.0,) * len(times), (None,) * len(times), marks)
    return [line.plain for line in draw_chart(replace(assessment, series=series), width, height, look)]


def test_the_axes_tell_per_cent_and_time_on_all_of_the_width():
    lines = drawn(110, 9, Look())
    assert {len(line) for line in lines[:-1]} == {110}
    assert "•" in next(line for line in lines if line.startswith(" 50"))
    assert lines[-1].split() == ["-10m00s", "-7m30s", "-5m00s", "-2m30s", "now"]


def test_a_mark_from_before_the_first_sample_is_left_out():
    bare, marked = drawn(110, 9, Look()), drawn(110, 9, Look(), ((1300.0, "OOM"),))
    assert bare != marked
    assert drawn(110, 9, Look(), ((10.0, "OOM"),)) == bare


def test_ascii_is_ascii():
    assert all(line.isascii() for line in drawn(110, 9, Look(ascii=True), ((1300.0, "OOM"),)))
