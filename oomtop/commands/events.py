"""`oomtop events`: list or explain the OOM events of this machine or of log files."""

from __future__ import annotations

import argparse
import gc
import os
import sys
import time
from collections.abc import Sequence
from io import BufferedReader
from typing import TYPE_CHECKING, cast

from oomtop.commands.arguments import PAST_TIMES, complain, count, longest_line, output_width, past_time
from oomtop.commands.event_filter import EventFilter, add_filters
from oomtop.errors import OomtopError
from oomtop.frozen import replace

if TYPE_CHECKING:
    from oomtop.oomlog.event import OomEvent
    from oomtop.oomlog.evidence import Evidence

HELP = "list and explain the OOM events of this machine or of log files"
_POLL_SECONDS = 0.5
_ALLOCATIONS = 200_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument(
        "files",
        nargs="*",
        metavar="FILE",
        help="log files (also compressed), folders and archives; - for standard input",
    )
    parser.add_argument(
        "--format", choices=("text", "md", "json"), default="text", help="output format (default: text)"
    )
    parser.add_argument("--json", action="store_const", const="json", dest="format", help="same as --format json")
    parser.add_argument(
        "--event", type=count, metavar="N", help="explain event N of the list, as the same filters number it"
    )
    parser.add_argument("--page", type=count, default=1, metavar="N", help="page of a long list (default: 1)")
    when = f"only events after this time: {PAST_TIMES}"
    parser.add_argument("--since", type=past_time, metavar="TIME", help=when)
    add_filters(parser)
    parser.add_argument("--follow", action="store_true", help="wait for new events and print them")


def run(options: argparse.Namespace) -> int:
    """Print the events."""
    if options.follow and options.files:
        complain("--follow watches the live logs of this machine; it takes no FILE")
        return 2
    begun = time.time()
    # Events are kept to the end: the collector would look for cycles in 150,000 of them again and again.
    gc.set_threshold(_ALLOCATIONS)
    found = _of_files(options.files) if options.files else _of_machine(options.since)
    _print(_chosen(found, options), options)
    return _follow(options, begun) if options.follow else _exit_code(found, options)


def _chosen(found: Evidence, options: argparse.Namespace) -> Evidence:
    """Return the requested events, each with the log lines that mention it."""
    from oomtop.oomlog.evidence import gather

    wanted = EventFilter.of(options)
    kept = {at for at, event in enumerate(found.events) if wanted.takes(event)}
    events = [found.events[at] for at in sorted(kept)]
    mentions = tuple(
        mention
        for mention in found.mentions
        if (wanted.takes_mention(mention) if mention.event is None else mention.event in kept)
    )
    _tell_assumed(found.events, options.since)
    if wanted.is_named or found.events or found.mentions:
        # A kill that was read and filtered out is not an unread one.
        found = replace(found, leftovers=())
    if options.event is None:
        return gather(events, replace(found, mentions=mentions))
    if options.event > len(events):
        raise OomtopError(f"there is no event {options.event}: {len(events)} found")
    place = sorted(kept)[options.event - 1]
    of_it = tuple(replace(mention, event=0) for mention in mentions if mention.event == place)
    return replace(found, events=(events[options.event - 1],), mentions=of_it, leftovers=())


def _tell_assumed(events: Sequence[OomEvent], since: float | None) -> None:
    """Say where `--since` had to assume a zone or a year."""
    count = sum(event.time is None and event.time_text is not None for event in events)
    if since is not None and count:
        dates = "1 date" if count == 1 else f"{count} dates"
        complain(f"{dates} without zone or year: taken as local time of the last 12 months")


def _exit_code(found: Evidence, options: argparse.Namespace) -> int:
    """Return 1 if no file could be read, 5 if some could not, 7 if no report was found but lines mention OOM."""
    if options.files and found.problems:
        return 1 if len(found.problems) >= len(options.files) and not (found.events or found.mentions) else 5
    return 7 if found.leftovers and not (found.events or found.mentions) else 0


def _print(found: Evidence, options: argparse.Namespace) -> None:
    events, mentions = found.events, found.mentions
    leftovers = () if events or mentions else found.leftovers
    if options.format == "json":
        from oomtop.render.events_json import events_text

        sys.stdout.writelines(events_text(events, mentions, leftovers))
        print()
        return
    from oomtop.analysis.postmortem.explain import explain
    from oomtop.render.events import PAGE, render_list, render_markdown, render_text
    from oomtop.render.mentions import render_leftovers, render_mentions

    if options.format == "md":
        first = (options.page - 1) * PAGE
        print("\n".join(render_markdown(explain(event)) for event in events[first : first + PAGE]), end="")
        if len(events) > PAGE:
            complain(f"{len(events)} events: page {options.page} of {-(-len(events) // PAGE)}; see --page, --event")
    elif len(events) == 1:
        print(render_text(explain(events[0], mentions), output_width(), longest=longest_line()), end="")
    elif events:
        print(render_list(events, longest_line(), options.page), end="")
        complain("--event N explains event N of this list, --format md writes all of them for an incident")
    others = [mention for mention in mentions if mention.event is None or len(events) > 1]
    if others and options.format == "text":
        print(("\n" if events else "") + render_mentions(others, output_width()), end="")
    if not events and not mentions:
        complain(render_leftovers(leftovers) if leftovers else _nothing(options))


def _nothing(options: argparse.Namespace) -> str:
    return "no OOM event matches" if EventFilter.of(options).is_named else "no OOM event"


def _of_files(names: Sequence[str]) -> Evidence:
    """Return the events of all files; report each file that cannot be read."""
    from oomtop.oomlog.evidence import Evidence, Unread, together
    from oomtop.oomlog.trees import read_path, read_pipe

    parts: list[Evidence] = []
    for name in names:
        try:
            parts.append(read_pipe(cast(BufferedReader, sys.stdin.buffer), "stdin") if name == "-" else read_path(name))
        except OSError as error:
            parts.append(Evidence(problems=(Unread(name, os.strerror(error.errno or 0)),)))
        except OomtopError as error:
            parts.append(
                Evidence(problems=(Unread(name, str(error).removeprefix(f"{name}: ").removeprefix("stdin: ")),))
            )
    for problem in (problem for part in parts for problem in part.problems):
        complain(f"not read: {problem.path}: {problem.why}")
    return parts[0] if len(parts) == 1 else together(parts)


def _of_machine(since: float | None) -> Evidence:
    """Read every log of this machine; report those that cannot be read, and kills that none of them has."""
    from oomtop.host.root import Root
    from oomtop.oomlog.evidence import Evidence, together
    from oomtop.oomlog.kernel_log import open_kernel_log
    from oomtop.oomlog.log_files import read_journal, read_machine_logs

    log = open_kernel_log(Root())
    live = Evidence(log.poll())
    log.close()
    found = together((live, read_journal(since), read_machine_logs(since=since)))
    if log.problem:
        complain(log.problem)
    for problem in found.problems:
        complain(f"not read: {problem.path}: {problem.why}")
    _tell_missing(found.events)
    return replace(found, leftovers=())


def _tell_missing(events: Sequence[OomEvent]) -> None:
    """Compare the kernel's own counters with the kills that were read."""
    from oomtop.analysis.unlogged_kills import describe_unlogged, unlogged_kills
    from oomtop.host.root import Root
    from oomtop.host.vmstat import read_vmstat

    vmstat = read_vmstat(Root())
    boot = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    sentence = describe_unlogged(unlogged_kills(vmstat.oom_kill if vmstat else None, events, boot))
    if sentence:
        complain(sentence)


def _follow(options: argparse.Namespace, begun: float) -> int:
    """Print new events from the kernel log and the journal until interrupted; `begun` is the start time."""
    from oomtop.host.own_priority import own_standing
    from oomtop.host.root import Root
    from oomtop.oomlog.evidence import Evidence
    from oomtop.oomlog.killers.reader import DAEMONS
    from oomtop.oomlog.live import LiveLog

    log = LiveLog(Root(), own_standing(Root()))
    if log.problems:
        raise OomtopError(log.problems[0][1])
    log.poll()
    # Daemons may also start later.
    log.follow_daemons(DAEMONS)
    complain("waiting for OOM events")
    said: tuple[tuple[str, str], ...] = ()
    wanted = EventFilter.of(options)
    try:
        while True:
            for event in log.poll():
                # The journal starts at boot; those entries have been printed already.
                is_new = event.source != "journal" or event.time is None or event.time >= begun
                if is_new and wanted.takes(event):
                    _print(Evidence((event,)), options)
            sys.stdout.flush()
            if log.problems != said:
                said = log.problems
                for name, why in said:
                    complain(f"{name}: {why}")
            time.sleep(_POLL_SECONDS)
    finally:
        log.close()
