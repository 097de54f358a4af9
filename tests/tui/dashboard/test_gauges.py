"""The lines of swap and pressure: what they say, what they give up on a narrow terminal, and how the past is drawn."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from oomtop.analysis.model.assessment import Assessment, Finding, PastSeries, PressureFigures, Severity
from oomtop.host.pressure import Pressure, PressureLine
from oomtop.tui.dashboard.findings import draw_findings
from oomtop.tui.dashboard.gauges import draw_pressure
from oomtop.tui.style.palette import Look
from tests.tui.factories import make_assessment

LINE = PressureLine(1.5, 0.5, 0.1, 1000)
PRESSED = PressureFigures(Pressure(LINE, LINE), None, 0.0, 0.0, 0.0, 0, None)


def pressed(somes: Sequence[float | None], step: float = 20.0, end: float = 20_000.0) -> Assessment:
    """Return an assessment with a value of `some` every `step` seconds up to `end`."""
    times = tuple(end - step * (len(somes) - 1 - at) for at in range(len(somes)))
    none = (None,) * len(somes)
    series = PastSeries(times, none, none, tuple(somes), none)
    return replace(make_assessment(pressure=PRESSED), time=end, series=series)


def drawn(assessment: Assessment, width: int = 160, look: Look | None = None) -> str:
    (line,) = draw_pressure(assessment, width, 1, look or Look())
    assert line.cell_len <= width or width < 60
    return line.plain


def past_of(line: str) -> str:
    return line.rpartition("  ")[2] if line[-1] in "▁▂▃▄▅▆▇█" else ""


def test_the_past_is_a_cell_for_every_twenty_seconds() -> None:
    assert past_of(drawn(pressed([0.0, 10.0, 20.0, 0.0]))) == "▁▅█▁"
    assert past_of(drawn(pressed([0.0, 50.0, 100.0]))) == "▁▅█", "the highest fills its cell"
    assert past_of(drawn(pressed([0.0] * 90))) == "▁" * 30
    assert drawn(pressed([0.0, 10.0, 20.0, 0.0]), look=Look(ascii=True)).endswith("  _+@_")


def test_a_cell_holds_the_highest_of_its_time_and_stays_in_its_place() -> None:
    first = pressed([0.0] * 60 + [20.0] + [0.0] * 9, step=2.0, end=20_018.0)
    assert past_of(drawn(first)).count("█") == 1
    later = replace(first, time=20_019.5)
    assert drawn(later) == drawn(first)


def test_without_room_or_pressure_or_a_past_there_is_none() -> None:
    assert not past_of(drawn(pressed([20.0] * 9), width=60))
    assert not past_of(drawn(pressed([20.0, 20.0])))
    none = replace(pressed([20.0] * 9), pressure=replace(PRESSED, memory=None))
    assert not past_of(drawn(none))
    assert "not available" in drawn(none)
    assert not past_of(drawn(make_assessment(pressure=PRESSED)))


def test_gaps_and_unknown_values_are_no_pressure() -> None:
    found = pressed([20.0, None, 20.0])
    series = replace(found.series, times=(19_900.0, 19_980.0, 20_000.0))
    assert past_of(drawn(replace(found, series=series))) == "█▁▁▁▁█"


@pytest.mark.parametrize(("width", "ends"), [(80, "  J select 544"), (100, "  J select 544, k kill it"), (50, "…")])
def test_a_finding_names_its_key_where_there_is_any_room(width: int, ends: str) -> None:
    title = "/oomtop-drill-544 is near its limit of 300M, full in about 24s"
    finding = Finding(
        "x",
        Severity.CRITICAL,
        title,
        "",
        "J select 544, k kill it; raise memory.max or set memory.high",
    )
    (line,) = [
        line for line in draw_findings(make_assessment(findings=(finding,)), width, 3, Look()) if "near" in line.plain
    ]
    assert line.plain.startswith("!! /oomtop-drill-544 is near its limit of 300M")
    assert line.plain.endswith(ends)
    assert line.cell_len <= width
