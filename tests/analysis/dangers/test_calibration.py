"""Ranges given for random loads hold as often as their confidence says."""

from collections.abc import Iterable
from functools import cache

import pytest

from oomtop.analysis.dangers.forecast import FASTEST, Curve, foretell
from oomtop.analysis.model.danger import Confidence
from oomtop.units import GIB, MIB
from tests.analysis.dangers.curves import Run, Told, is_critical
from tests.analysis.dangers.loads import LOADS, drawn
from tests.present import present

SEEDS = range(10)
UNEVEN = ("another rate every few seconds", "a rate that wanders", "steps", "beside a reader of files")


@cache
def runs_of(name: str) -> list[Run]:
    return [drawn(name, seed) for seed in SEEDS]


def told_of(names: Iterable[str], confidence: Confidence) -> list[Told]:
    told = [tick for name in names for run in runs_of(name) for tick in run.forecasts]
    return [tick for tick in told if present(tick.outlook.forecast).confidence is confidence]


@pytest.mark.parametrize("names", [tuple(LOADS), UNEVEN], ids=["all", "uneven"])
@pytest.mark.parametrize(("confidence", "share"), [(Confidence.HIGH, 0.9), (Confidence.MEDIUM, 0.7)])
def test_ranges_hold_as_often_as_their_confidence_says(
    names: tuple[str, ...], confidence: Confidence, share: float
) -> None:
    told = told_of(names, confidence)
    assert len(told) > 200
    assert sum(tick.holds for tick in told) >= share * len(told)


@pytest.mark.parametrize("name", ["steady", "surge after calm"])
def test_what_is_steady_keeps_a_narrow_range_of_high_confidence(name: str) -> None:
    told = told_of([name], Confidence.HIGH)
    assert len(told) > 50
    assert sum(tick.holds for tick in told) >= 0.99 * len(told)
    # In the last seconds half a second is a large share.
    early = [present(tick.outlook.forecast) for tick in told if tick.truth > 5]
    widths = [forecast.latest / max(1.0, forecast.earliest) for forecast in early]
    assert sum(width <= 1.7 for width in widths) >= 0.8 * len(widths)


@pytest.mark.parametrize(
    ("name", "high"), [("level saw-tooth", 0), ("warm-up", 0), ("level", 0), ("long level saw-tooth", 0.05)]
)
def test_what_never_ends_is_no_alarm(name: str, high: float) -> None:
    """A first tooth of minutes is a leak, for as long as it lasts; of the ticks, few say so with high confidence."""
    ticks = [tick for run in runs_of(name) for tick in run.ticks]
    assert sum(is_critical(tick.outlook) for tick in ticks) <= len(ticks) / 100
    assert len(told_of([name], Confidence.HIGH)) <= high * len(ticks)


def test_a_spike_that_ends_it_is_forecast() -> None:
    last = [tick for run in runs_of("spikes over a leak") for tick in run.ticks if tick.truth < 20]
    assert len(last) > 100
    assert sum(tick.outlook.forecast is not None for tick in last) >= 0.8 * len(last)
    assert sum(tick.holds for tick in last) >= 0.5 * len(last)


@pytest.mark.parametrize("calm", [0, 30])
@pytest.mark.parametrize("bend", [1, 3, 5, 7, 20])
def test_no_time_takes_many_times_the_present_rate(calm: int, bend: int) -> None:
    """33 MiB/s on a machine of 23.5 GiB is not full in half a minute, however fast it has begun."""
    limit = int(23.5 * GIB)
    points = [(float(at), 1.5 * GIB + bend * MIB * max(0, at - calm) ** 2 / 2) for at in range(calm + 40)]
    told = 0
    for at in range(calm + 3, len(points)):
        room = limit - points[at][1]
        outlook = foretell(Curve(points[: at + 1], (), points[at][0], limit, room))
        if outlook.forecast is not None:
            told += 1
            assert room <= FASTEST * present(outlook.rate) * outlook.forecast.median * 1.001
    assert told >= 10
