"""`oomtop replay`: the monitor's screens on a recording, without actions."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from oomtop.commands.arguments import complain, exit_code, has_screen

if TYPE_CHECKING:
    from oomtop.recording.reader import Recording

_BEFORE = 8.0
HELP = "the monitor's screens on a recording: play, step, jump from one OOM event to the next"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument(
        "file", nargs="?", metavar="FILE", help="recording file (default for root: /var/lib/oomtop/recording.db)"
    )
    parser.add_argument(
        "--at", metavar="TIME", help="start at this time: -10m before its end, 14:05, '2026-11-24 14:05' or a Unix time"
    )
    parser.add_argument("--theme", metavar="NAME", help="theme name or theme file")
    parser.add_argument("--ascii", action="store_true", default=None, help="ASCII characters only")
    parser.add_argument("--no-color", action="store_true", help="no colours, as with NO_COLOR=1")


def before_last_kill(recording: Recording) -> float:
    """Return the time some seconds before the last recorded kill, or the end if there is none."""
    if not recording.moments:
        return 0.0
    first, last = recording.moments[0].time, recording.moments[-1].time
    kills = [item.event.time for item in recording.incidents if item.event.time is not None]
    newest = max((when for when in kills if first <= when <= last + _BEFORE), default=None)
    return last if newest is None else max(first, newest - _BEFORE)


def run(options: argparse.Namespace) -> int:
    """Open a recording, paused, some seconds before its last kill, at its end without one, or at a time."""
    if not has_screen("the replay", ""):
        return 2
    from oomtop.config.load import config_paths, load_config

    config, mistakes = load_config(config_paths())
    if options.no_color or not config.color:
        os.environ["NO_COLOR"] = "1"
    from oomtop.recording.layout import default_path
    from oomtop.recording.reader import Recording
    from oomtop.sources.replay import ReplaySource
    from oomtop.times import parse_time

    recording = Recording(options.file or default_path())
    last = recording.moments[-1].time if recording.moments else 0.0
    try:
        start = before_last_kill(recording) if options.at is None else parse_time(options.at, last)
    except ValueError as error:
        complain(str(error))
        return 2
    source = ReplaySource(recording, start)
    # Textual reads NO_COLOR when it is imported.
    from oomtop.tui.shell.app import OomtopApp, Options
    from oomtop.tui.shell.config_names import check_names, known_columns, known_sections, known_sort

    theme, ascii_only = options.theme or config.theme, options.ascii or config.ascii
    settings = Options(
        theme=theme,
        ascii=ascii_only,
        replay=True,
        columns=known_columns(config),
        sort=known_sort(config),
        hidden=known_sections(config),
    )
    app = OomtopApp(source, settings)
    app.set_keymap(dict(config.keys))
    for mistake in (*map(str, (*mistakes, *check_names(config))), *recording.problems):
        app.remark(mistake)
    app.run()
    return exit_code(app.return_code)
