"""Forecasts against what then happened, on scripted curves: how early, how far off, how often the range held."""

import random
from functools import cache

import pytest

from oomtop.analysis.dangers.forecast import WIDEST, Curve, foretell
from oomtop.analysis.model.danger import Confidence, DangerState
from oomtop.units import GIB, MIB
from tests.analysis.dangers.curves import ENDING, ENDLESS, LOOP, Run, Script, changing, is_critical, play, surge
from tests.present import present


@cache
def run_of(name: str) -> Run:
    return play((ENDING | ENDLESS)[name])


@pytest.mark.parametrize("name", ENDLESS)
def test_what_never_reaches_its_limit_is_no_alarm(name: str) -> None:
    ticks = run_of(name).ticks
    assert sum(is_critical(tick.outlook) for tick in ticks) <= len(ticks) / 100


@pytest.mark.parametrize("peak", [50, 70, 77])
@pytest.mark.parametrize("period", [20, 40, 60, 90, 140])
def test_a_first_tooth_is_no_alarm(period: int, peak: int) -> None:
    ticks = play(Script(lambda time: 10 + time % period / period * (peak - 10), noise=0.1), interval=1.0).ticks
    assert sum(is_critical(tick.outlook) for tick in ticks) <= len(ticks) / 100


@pytest.mark.parametrize("interval", [1.0, 2.0])
def test_a_group_made_with_its_leak_has_a_time_after_three_seconds(interval: float) -> None:
    told = play(Script(lambda time: 2 + 1.5 * time, limit=45 * MIB), interval).forecasts
    assert told[0].time <= 3.2
    assert told[0].holds


@pytest.mark.parametrize("name", ["quadratic", "slow quadratic", "cubic", "exponential", "surge that accelerates"])
def test_the_truth_lies_within_the_range_of_what_accelerates(name: str) -> None:
    run = run_of(name)
    begun = 40.0 if name.startswith("surge") else 0.0
    later = [tick for tick in run.ticks if tick.time >= begun + 0.3 * (run.kills[0] - begun)]
    assert sum(tick.holds for tick in later) >= 0.7 * len(later)


@pytest.mark.parametrize("start", [0.5, 1.0, 2.5])
@pytest.mark.parametrize("double", [10, 17, 28])
def test_the_truth_lies_within_the_range_of_an_exponential_in_steps(double: int, start: float) -> None:
    def size(time: float) -> float:
        return 3 + start * 2 ** (int(time / 0.2) * 0.2 / double) // 0.25 * 0.25

    for seed in range(3):
        run = play(Script(size, noise=0.03), interval=1.0, seed=seed)
        later = [tick for tick in run.forecasts if tick.time >= 0.3 * run.kills[0]]
        assert sum(tick.holds for tick in later) >= 0.7 * len(later)
        assert len(later) > 20


@pytest.mark.parametrize("name", ["linear", "slow linear", "fast linear", "bursts of 3 s", "noisy leak"])
def test_the_truth_lies_within_the_range_of_what_is_steady(name: str) -> None:
    told = run_of(name).forecasts
    assert len(told) >= 0.7 * len(run_of(name).ticks)
    assert sum(tick.holds for tick in told) >= 0.9 * len(told)


@pytest.mark.parametrize(("confidence", "share"), [(Confidence.HIGH, 0.9), (Confidence.MEDIUM, 0.7)])
def test_ranges_hold_as_often_as_their_confidence_says(confidence: Confidence, share: float) -> None:
    told = [tick for name in ENDING | ENDLESS for tick in run_of(name).forecasts]
    of_it = [tick for tick in told if present(tick.outlook.forecast).confidence is confidence]
    assert len(of_it) > 300
    assert sum(tick.holds for tick in of_it) >= share * len(of_it)


def test_a_surge_after_calm_is_told_at_once() -> None:
    run = run_of("surge of 4 MiB/s")
    end = run.kills[0]
    first = next(tick for tick in run.forecasts if tick.time > 36)
    assert first.truth >= 0.6 * (end - 36)
    half = [tick for tick in run.forecasts if tick.time >= (36 + end) / 2]
    assert all(abs(present(tick.outlook.forecast).median - tick.truth) <= 0.3 * tick.truth + 0.3 for tick in half)


def test_a_fast_surge_is_told_four_seconds_before_its_end() -> None:
    run = play(Script(surge(12, 15.0)), interval=1.0)
    assert next(tick for tick in run.forecasts if tick.time > 15).truth >= 4


def test_a_crash_loop_is_foreseen_from_the_round_before() -> None:
    run = play(LOOP)
    assert len(run.kills) == 5
    for begin, end in zip([kill + 1 for kill in run.kills], run.kills[1:], strict=False):
        told = [tick for tick in run.forecasts if begin <= tick.time < end]
        assert told[0].time - begin <= 4
        assert present(told[0].outlook.forecast).basis == "last round"
        assert all(tick.holds for tick in told)


def test_a_forecast_ends_with_its_process() -> None:
    points = [(float(at), at * 2.0 * MIB) for at in range(40)]
    dead = [*points, (40.0, 3.0 * MIB), (41.0, 3.0 * MIB)]
    assert foretell(Curve(points, (), 39.0, 100 * MIB, 22 * MIB)).forecast is not None
    assert foretell(Curve(dead, (), 41.0, 100 * MIB, 97 * MIB)).forecast is None


def test_what_stands_at_its_limit_is_full_now() -> None:
    points = [(float(at), min(100.0, 2.5 * at) * MIB) for at in range(42)]
    found = foretell(Curve(points, (), 41.0, 100 * MIB, 0)).forecast
    assert found is None or found.median == 0


def test_a_range_that_is_too_wide_has_no_number() -> None:
    for name in ENDING | ENDLESS:
        for tick in run_of(name).ticks:
            forecast = tick.outlook.forecast
            if tick.outlook.state is DangerState.UNSTEADY:
                assert forecast is None
            if forecast is not None:
                assert forecast.earliest <= forecast.median <= forecast.latest <= WIDEST * max(1.0, forecast.earliest)


def test_a_slow_trend_is_seen_in_half_an_hour() -> None:
    thin = [(15.0 * at, GIB + 1_500_000.0 * at) for at in range(120)]
    dense = [(1500.0 + at, GIB + 100_000.0 * (1500 + at)) for at in range(286)]
    found = present(foretell(Curve(dense, thin, 1785.0, 16 * GIB, 8 * GIB)).forecast)
    assert found.median == pytest.approx(8 * GIB / 100_000, rel=0.05)


def test_a_slow_trend_that_stopped_is_over() -> None:
    thin = [(15.0 * at, GIB + 1_500_000.0 * min(at, 110)) for at in range(120)]
    dense = [(1500.0 + at, GIB + 100_000.0 * min(1650, 1500 + at)) for at in range(286)]
    assert foretell(Curve(dense, thin, 1785.0, 16 * GIB, 8 * GIB)).forecast is None


def test_samples_of_one_instant_have_no_rate() -> None:
    points = ((5.0, 10 * MIB), (5.0, 20 * MIB), (5.0, 30 * MIB))
    assert foretell(Curve(points, (), 5.0, GIB, GIB // 2)).state is DangerState.WATCHING


@pytest.mark.parametrize(("low", "high"), [(0.3, 1.8), (0.5, 1.4)])
def test_what_grows_unevenly_has_a_time_in_its_last_half_minute(low: float, high: float) -> None:
    runs = [play(Script(changing(seed, low, high)), seed=seed) for seed in range(20)]
    last = [tick for run in runs for tick in run.ticks if tick.truth < 30]
    told = [tick for tick in last if tick.outlook.forecast is not None]
    assert len(last) > 200
    assert len(told) >= 0.95 * len(last)
    assert sum(tick.holds for tick in told) >= 0.55 * len(told)


def test_what_starts_unevenly_has_a_time_on_most_ticks_after_four_seconds() -> None:
    """As on a starved host: samples half a second to a second apart, in which a leak makes more or less headway."""
    told = ticks = 0
    for seed in range(60):
        chance, points = random.Random(seed), [(0.0, 2.0 * MIB)]
        while points[-1][0] < 9:
            seconds = chance.uniform(0.4, 0.9)
            grown = 1.5 * MIB * seconds * chance.choice((0.2, 0.6, 1, 1, 1.4, 1.8))
            points.append((points[-1][0] + seconds, points[-1][1] + grown))
            now, held = points[-1]
            if now >= 4:
                ticks += 1
                told += foretell(Curve(points, points[:1], now, 45 * MIB, 45 * MIB - held)).forecast is not None
    assert told >= 0.95 * ticks


@pytest.mark.parametrize("period", [8, 11, 15, 20, 25])
def test_a_noisy_saw_tooth_has_a_time_before_the_tooth_that_ends_it(period: int) -> None:
    run = play(Script(lambda time: 0.72 * (time // period * period) + time % period / period * 25, noise=1.0))
    last = [tick for tick in run.ticks if tick.truth < 10]
    assert sum(tick.outlook.forecast is not None for tick in last) >= 0.5 * len(last)
