"""`oomtop backtest`: compare the forecasts and predicted victims of a recording with what happened."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING

from oomtop.commands.arguments import PAST_TIMES, complain, past_time

if TYPE_CHECKING:
    from oomtop.analysis.model.assessment import Assessment
    from oomtop.recording.reader import Recording

HELP = "compare the forecasts and predicted victims of a recording with what happened"
_HEIGHT = 24


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument(
        "file", nargs="?", metavar="RECORDING", help="recording file (default: the one `oomtop record` writes)"
    )
    parser.add_argument("--since", type=past_time, metavar="TIME", help=f"only samples after this time: {PAST_TIMES}")
    parser.add_argument("--picture", action="store_true", help="plot forecasts against what happened")
    parser.add_argument("--json", action="store_true", help="print JSON (schema 1) with every forecast")


def run(options: argparse.Namespace) -> int:
    """Print how well the forecasts of the recording held."""
    from oomtop.analysis.dangers.backtest import Backtest
    from oomtop.recording.layout import default_path
    from oomtop.recording.reader import Recording
    from oomtop.render.backtest import backtest_to_json, render_backtest
    from oomtop.render.json_text import json_text

    backtest = Backtest()
    with Recording(options.file or default_path()) as recording:
        for assessment in _assessments(recording, options.since or 0.0):
            backtest.take(assessment)
        for problem in recording.problems:
            complain(problem)
    result = backtest.result(deed.time for _, deed in recording.deeds)
    if options.json:
        print(json_text(backtest_to_json(result)))
        return 0
    print(render_backtest(result))
    if options.picture:
        import shutil

        from oomtop.tui.dangers.backtest_chart import draw_backtest

        print(draw_backtest(result, shutil.get_terminal_size().columns, _HEIGHT, ascii_only=_is_ascii()))
    return 0


def _is_ascii() -> bool:
    import sys

    return "utf" not in (sys.stdout.encoding or "").lower()


def _assessments(recording: Recording, since: float) -> Iterator[Assessment]:
    """Yield the assessment of each tick, as if watched live."""
    from collections import defaultdict

    from oomtop.analysis.assessment import assess
    from oomtop.history import History
    from oomtop.oomlog.event import OomEvent
    from oomtop.snapshot import Tick

    events: dict[int, list[OomEvent]] = defaultdict(list)
    for incident in recording.incidents:
        events[incident.tick].append(incident.event)
    moments, history, found = recording.moments, History(), None
    start = next((index for index, moment in enumerate(moments) if moment.time >= since), len(moments))
    for place, snapshot in recording.read(start, len(moments)):
        if found is not None and snapshot.monotonic < found.monotonic:
            # Another boot: start with an empty history.
            history, found = History(), None
        tick = Tick(snapshot, tuple(events.get(moments[place].id, ())))
        history.add(tick)
        found = assess(tick, history, found)
        yield found
