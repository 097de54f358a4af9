"""`python -m tests.analysis.dangers.figures`: the tables of docs/accuracy.md that scripted curves give."""

from __future__ import annotations

from statistics import median

from oomtop.analysis.model.danger import Confidence
from tests.analysis.dangers.curves import ENDING, ENDLESS, Run, is_critical, play
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
    """Print both tables."""
    runs = {name: play(script) for name, script in (ENDING | ENDLESS).items()}
    print("| load | full after | first time | range held | median error | critical ticks |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, run in runs.items():
        print(row(name, run))
    print("\n| confidence | ranges that held |\n| --- | --- |")
    for confidence in Confidence:
        told = [tick for run in runs.values() for tick in run.forecasts]
        of_it = [tick.holds for tick in told if present(tick.outlook.forecast).confidence is confidence]
        print(f"| {confidence.value} | {sum(of_it)} of {len(of_it)} ({100 * sum(of_it) / len(of_it):.0f} %) |")


if __name__ == "__main__":
    main()
