"""`python -m tests.analysis.dangers.figures`: the tables of docs/accuracy.md that scripted curves give."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from oomtop.analysis.model.danger import Confidence
from tests.analysis.dangers.curves import ENDING, ENDLESS, Run, Told, is_critical, play
from tests.analysis.dangers.loads import LOADS, drawn
from tests.present import present


def row(name: str, run: Run) -> str:
    """Return the line of one load."""
    told = run.forecasts
    errors = [
        abs(present(tick.outlook.forecast).median - tick.truth) / max(1, tick.truth)
        for tick in told
        if tick.truth < 1e8
    ]
    error = f"{100 * median(errors):.0f} %" if errors else "-"
    alarms = sum(is_critical(tick.outlook) for tick in run.ticks)
    end = f"{run.kills[0]:.0f} s" if run.kills else "-"
    first = f"{told[0].time:.0f} s" if told else "-"
    return f"| {name} | {end} | {first} | {sum(tick.holds for tick in told)} of {len(told)} | {error} | {alarms} of {len(run.ticks)} |"


def main() -> None:
    """Print all tables."""
    runs = {name: play(script) for name, script in (ENDING | ENDLESS).items()}
    print("| load | full after | first time | range held | median error | critical ticks |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, run in runs.items():
        print(row(name, run))
    print("\n| confidence | ranges that held |\n| --- | --- |")
    told = [tick for run in runs.values() for tick in run.forecasts]
    for confidence in Confidence:
        print(f"| {confidence.value} | {held(told, confidence)} |")
    random()


def held(told: Sequence[Told], confidence: Confidence) -> str:
    """Return how many ranges of a confidence held, and their median width."""
    of_it = [tick for tick in told if present(tick.outlook.forecast).confidence is confidence]
    share = f" ({100 * sum(tick.holds for tick in of_it) / len(of_it):.0f} %)" if of_it else ""
    return f"{sum(tick.holds for tick in of_it)} of {len(of_it)}{share}"


def width(told: Sequence[Told]) -> str:
    """Return the median of the latest second over the earliest."""
    forecasts = [present(tick.outlook.forecast) for tick in told]
    return f"{median(each.latest / max(1.0, each.earliest) for each in forecasts):.1f}"


def random() -> None:
    """Print the table of loads drawn at random."""
    print("\n| load | first time | low | medium | high | width | critical ticks |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    every: list[Told] = []
    for name in LOADS:
        runs = [drawn(name, seed) for seed in range(40)]
        ticks = [tick for run in runs for tick in run.ticks]
        told = [tick for run in runs for tick in run.forecasts]
        every += told
        firsts = [run.forecasts[0].truth / run.kills[0] for run in runs if run.kills and run.forecasts]
        first = f"{100 * median(firsts):.0f} %" if firsts else "-"
        shares = " | ".join(held(told, confidence) for confidence in Confidence)
        alarms = sum(is_critical(tick.outlook) for tick in ticks)
        print(f"| {name} | {first} | {shares} | {width(told)} | {alarms} of {len(ticks)} |")
    print(f"| all | - | {' | '.join(held(every, confidence) for confidence in Confidence)} | {width(every)} | - |")


if __name__ == "__main__":
    main()
