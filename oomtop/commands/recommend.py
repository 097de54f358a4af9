"""`oomtop recommend`: memory limits, swap and RAM sizes from observed peaks."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING

from oomtop.commands.arguments import PAST_TIMES, add_interval, complain, count, past_time
from oomtop.errors import OomtopError

if TYPE_CHECKING:
    from oomtop.snapshot import Snapshot

HELP = "recommend limits, swap and RAM from observed peaks, ready to paste"
_PURPOSES = ("all", "docker", "kubernetes", "systemd", "swap", "ram")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument(
        "--for", choices=_PURPOSES, default="all", dest="purpose", help="output for this target (default: all)"
    )
    parser.add_argument(
        "--margin", type=_margin, default=0.25, metavar="SHARE", help="margin added to the peak (default: 25%%)"
    )
    parser.add_argument("--cgroup", metavar="PATH", help="only this cgroup and its descendants")
    parser.add_argument(
        "--recording",
        nargs="?",
        const="",
        metavar="FILE",
        help="take the peaks from a recording (default: the one `oomtop record` writes)",
    )
    parser.add_argument(
        "--since", type=past_time, metavar="TIME", help=f"with --recording: only samples after this time: {PAST_TIMES}"
    )
    parser.add_argument("--samples", type=count, default=1, metavar="N", help="number of samples (default: 1)")
    add_interval(parser, 5)
    parser.add_argument("--json", action="store_true", help="print JSON (schema 1)")


def run(options: argparse.Namespace) -> int:
    """Print the recommendations."""
    from oomtop.analysis.sizing.peaks import observe
    from oomtop.analysis.sizing.recommend import recommend
    from oomtop.host.cgroup import is_inside
    from oomtop.render.recommend import recommendation_to_json, render_recommendation

    if options.recording is None and options.since is not None:
        raise OomtopError("--since needs --recording: the kernel does not keep the times of its peaks")
    seen = observe(_live(options) if options.recording is None else _recorded(options))
    if seen is None:
        raise OomtopError("the recording has no samples in that time")
    path = None if options.cgroup is None else "/" + options.cgroup.strip("/")
    if path is not None and not any(is_inside(group.path, path) for group in seen.groups):
        raise OomtopError(f"{path}: no such cgroup")
    found = recommend(seen, options.margin, path)
    if options.json:
        from oomtop.render.json_text import json_text

        print(json_text(recommendation_to_json(found)))
    else:
        print(render_recommendation(found, options.purpose))
    return 0


def _live(options: argparse.Namespace) -> Iterator[Snapshot]:
    from oomtop.sources.live import LiveSource

    source = LiveSource(options.interval)
    for taken, tick in enumerate(source.ticks(), 1):
        yield tick.snapshot
        if taken >= options.samples:
            source.close()


def _recorded(options: argparse.Namespace) -> Iterator[Snapshot]:
    from oomtop.recording.layout import default_path
    from oomtop.recording.reader import Recording

    with Recording(options.recording or default_path()) as recording:
        since, moments = options.since or 0.0, recording.moments
        start = next((index for index, moment in enumerate(moments) if moment.time >= since), len(moments))
        for _, snapshot in recording.read_readable(start):
            yield snapshot
        for problem in recording.problems:
            complain(problem)


def _margin(text: str) -> float:
    """Parse a share such as `25%` or `0.25`."""
    try:
        value = float(text[:-1]) / 100 if text.endswith("%") else float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 10:
        raise argparse.ArgumentTypeError(f"{text!r} is not a margin such as 25% or 0.25")
    return value
