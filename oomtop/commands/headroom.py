"""`oomtop headroom`: whether something of this size can be started now, and what stands in the way.

Exit code 0: yes. 8: only after the kernel has swapped out that much, or slowed the cgroup down. 9: no, it would end in
a kill. A forecast is no part of it: `oomtop top --samples 30` says what grows.
"""

from __future__ import annotations

import argparse

from oomtop.commands.arguments import size
from oomtop.errors import OomtopError

HELP = "whether something of this size can be started now: yes, after reclaim, or no; and why"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument("size", type=size, metavar="SIZE", help="what it will need, such as 13G")
    what = "the group to start it in: path, unit or container id (default: that of this shell)"
    parser.add_argument("--cgroup", metavar="GROUP", help=what)
    parser.add_argument("--json", action="store_true", help="the answer as JSON, schema 1")


def run(options: argparse.Namespace) -> int:
    """Answer."""
    from oomtop.analysis.assessment import assess
    from oomtop.analysis.headroom import CanStart, answer_headroom
    from oomtop.headless import find_group, take_snapshot
    from oomtop.history import History
    from oomtop.render.answers.headroom import headroom_to_json, render_headroom
    from oomtop.render.json_text import json_text
    from oomtop.snapshot import Tick

    snapshot, history = take_snapshot(), History()
    group = find_group(snapshot, options.cgroup) if options.cgroup is not None else snapshot.own_cgroup
    history.add(tick := Tick(snapshot))
    answer = answer_headroom(assess(tick, history), options.size, group)
    if answer is None:
        raise OomtopError("what is available cannot be read here")
    print(json_text(headroom_to_json(answer)) if options.json else render_headroom(answer))
    return {CanStart.YES: 0, CanStart.AFTER_RECLAIM: 8, CanStart.NO: 9}[answer.fit]
