"""A backtest as text and JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from time import localtime, strftime

from oomtop.analysis.model.backtest import BacktestResult, JudgedKill
from oomtop.units import DASH, format_duration, printable

SCHEMA = 1


def render_backtest(result: BacktestResult) -> str:
    """Return the account: one line a kill, then how often ranges held, and the false alarms."""
    return "\n".join(printable(line) for line in _lines(result))


def summarize_backtest(result: BacktestResult) -> str:
    """Return the account of one drill in a line."""
    if not result.kills:
        return f"no kill, {_alarms(result)}"
    kill = result.kills[-1]
    word = (
        "no forecast before it" if kill.first_word is None else f"first forecast {_seconds(kill.first_word)} before it"
    )
    error = "" if result.median_error is None else f", off by {100 * result.median_error:.0f} % (median)"
    judged, held = sum(one.judged for one in result.ranges), sum(one.held for one in result.ranges)
    return f"{word}{error}, range correct {held} of {judged}; victim {_named(kill)}"


def backtest_to_json(result: BacktestResult) -> dict[str, object]:
    """Return all of it."""
    return {
        "schema": SCHEMA,
        "seconds": result.seconds,
        "ticks": result.ticks,
        "kills": [asdict(kill) for kill in result.kills],
        "ranges": [
            {
                "confidence": one.confidence.value,
                "judged": one.judged,
                "held": one.held,
                "share": one.share,
                "open": one.open,
            }
            for one in result.ranges
        ],
        "median_error": result.median_error,
        "false_alarms": result.false_alarms,
        "false_alarms_per_hour": result.false_alarms_per_hour,
        "forecasts": [asdict(one) | {"confidence": one.confidence.value} for one in result.forecasts],
    }


def _lines(result: BacktestResult) -> Iterator[str]:
    yield f"{result.ticks} ticks in {format_duration(result.seconds)}, {len(result.kills)} kills"
    for kill in result.kills:
        clock = strftime("%Y-%m-%d %H:%M:%S", localtime(kill.time))
        yield (
            f"{clock}  {kill.subject}: killed {kill.name} ({DASH if kill.pid is None else kill.pid});"
            f" first word {_seconds(kill.first_word)} before, alarm {_seconds(kill.first_alarm)} before,"
            f" of {_seconds(kill.seen)}; victim {_named(kill)}"
        )
    for one in result.ranges:
        share = DASH if one.share is None else f"{100 * one.share:.0f} %"
        yield f"range, {one.confidence.value:6} confidence: right {one.held} of {one.judged} ({share}), {one.open} open"
    error = DASH if result.median_error is None else f"{100 * result.median_error:.0f} %"
    yield f"median error {error}"
    yield f"{_alarms(result)} ({result.false_alarms_per_hour:.1f} an hour)"


def _alarms(result: BacktestResult) -> str:
    return f"{result.false_alarms} false {'alarm' if result.false_alarms == 1 else 'alarms'}"


def _seconds(value: float | None) -> str:
    return DASH if value is None else f"{value:.0f}s"


def _named(kill: JudgedKill) -> str:
    if kill.named is None:
        return "not predicted"
    return "named" if kill.named_right else f"predicted {kill.named}"
