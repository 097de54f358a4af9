"""`oomtop events`: the OOM events of this machine or of log files, as a list, one explained, as Markdown, as JSON."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from oomtop.commands.arguments import complain, count, output_width, past_time
from oomtop.errors import OomtopError

if TYPE_CHECKING:
    from oomtop.oomlog.event import OomEvent

HELP = "OOM events of this machine or of log files, explained"
_POLL_SECONDS = 0.5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument("files", nargs="*", metavar="FILE", help="log files, also compressed; - for standard input")
    parser.add_argument("--format", choices=("text", "md", "json"), default="text", help="how to print (text)")
    parser.add_argument("--json", action="store_const", const="json", dest="format", help="the same as --format json")
    parser.add_argument("--event", type=count, metavar="N", help="explain the Nth event of the list")
    parser.add_argument("--page", type=count, default=1, metavar="N", help="page of a long list (1)")
    when = "only events after a time: 2h, 3d, '2026-11-24 10:00'"
    parser.add_argument("--since", type=past_time, metavar="TIME", help=when)
    parser.add_argument("--follow", action="store_true", help="wait for new events and print them")


def run(options: argparse.Namespace) -> int:
    """Print the events."""
    if options.follow and options.files:
        complain("--follow watches the live logs of this machine; it takes no FILE")
        return 2
    begun = time.time()
    events = _events_of_files(options.files) if options.files else _events_of_machine(options.since)
    events = tuple(event for event in events if not _is_before(event, options.since))
    if options.event is not None:
        if options.event > len(events):
            raise OomtopError(f"there is no event {options.event}: {len(events)} found")
        events = events[options.event - 1 : options.event]
    _print(events, options)
    return _follow(options, begun) if options.follow else 0


def _is_before(event: OomEvent, since: float | None) -> bool:
    return since is not None and event.time is not None and event.time < since


def _print(events: Sequence[OomEvent], options: argparse.Namespace) -> None:
    if options.format == "json":
        from oomtop.render.events_json import events_to_json
        from oomtop.render.json_text import json_text

        print(json_text(events_to_json(events)))
        return
    from oomtop.analysis.postmortem.explain import explain
    from oomtop.render.events import PAGE, render_list, render_markdown, render_text

    if options.format == "md":
        first = (options.page - 1) * PAGE
        print("\n".join(render_markdown(explain(event)) for event in events[first : first + PAGE]), end="")
        if len(events) > PAGE:
            complain(f"{len(events)} events: page {options.page} of {-(-len(events) // PAGE)}; see --page, --event")
    elif not events:
        complain("no OOM event")
    elif len(events) == 1:
        print(render_text(explain(events[0]), output_width()), end="")
    else:
        print(render_list(events, output_width(), options.page), end="")
        complain("`--event N` explains the Nth of them, `--format md` writes them for an incident")


def _events_of_files(names: Sequence[str]) -> tuple[OomEvent, ...]:
    from oomtop.oomlog.log_files import read_log, read_stream

    found: list[OomEvent] = []
    for name in names:
        try:
            if name == "-":
                told = read_stream(sys.stdin.buffer, "stdin")
            else:
                told = read_log(name, is_own=os.path.abspath(name).startswith("/var/log/"))
        except OSError as error:
            raise OomtopError(f"{name}: {os.strerror(error.errno or 0)}") from None
        found.extend(told.events)
        for problem in told.problems:
            complain(f"{problem.path}: {problem.why}")
    return tuple(found)


def _events_of_machine(since: float | None) -> tuple[OomEvent, ...]:
    """Read every log of this machine; what cannot be read is named, and kills that are in none of them."""
    from oomtop.host.root import Root
    from oomtop.oomlog.log_files import read_journal, read_machine_logs
    from oomtop.oomlog.merge import merge_logs
    from oomtop.oomlog.sources import open_kernel_log

    log = open_kernel_log(Root())
    live = log.poll()
    log.close()
    journal, unread_journal = read_journal(since)
    files, unread_files = read_machine_logs(since=since)
    if log.problem:
        complain(log.problem)
    for unread in (*unread_journal, *unread_files):
        complain(f"not read: {unread.path}: {unread.why}")
    events = merge_logs((*live, *journal, *files))
    _tell_missing(events)
    return events


def _tell_missing(events: Sequence[OomEvent]) -> None:
    """Compare the kernel's own counters with the kills that were read."""
    from oomtop.analysis.unlogged_kills import cross_check
    from oomtop.host.root import Root
    from oomtop.host.vmstat import read_vmstat

    vmstat = read_vmstat(Root())
    boot = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    # A minute of tolerance: the clock was set after the first messages of most boots.
    here = [event for event in events if (event.time or 0.0) >= boot - 60]
    sentence = cross_check(vmstat.oom_kill if vmstat else None, {}, here).sentence
    if sentence is not None:
        complain(sentence)


def _follow(options: argparse.Namespace, begun: float) -> int:
    """Print what the kernel log and the journal tell from now on, until it is interrupted; `begun` is when it was."""
    from oomtop.host.own_priority import own_standing
    from oomtop.host.root import Root
    from oomtop.oomlog.killers.reader import DAEMONS
    from oomtop.oomlog.live import LiveLog

    log = LiveLog(Root(), own_standing(Root()))
    if log.problems:
        raise OomtopError(log.problems[0][1])
    log.poll()
    # They may also be started later.
    log.follow_daemons(DAEMONS)
    complain("waiting for OOM events")
    said: tuple[tuple[str, str], ...] = ()
    try:
        while True:
            for event in log.poll():
                # The journal begins with what daemons said since boot; that was printed before.
                if event.source != "journal" or event.time is None or event.time >= begun:
                    _print([event], options)
            sys.stdout.flush()
            if log.problems != said:
                said = log.problems
                for name, why in said:
                    complain(f"{name}: {why}")
            time.sleep(_POLL_SECONDS)
    finally:
        log.close()
