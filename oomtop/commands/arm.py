"""`oomtop arm`: plan and confirm one action now, to be carried out shortly before a limit is full."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from typing import TYPE_CHECKING

from oomtop.commands.arguments import count, seconds, size
from oomtop.commands.consent import add_consent, add_override, consent_of
from oomtop.units import format_about

if TYPE_CHECKING:
    from oomtop.actions.base.requests import Request
    from oomtop.host.process import ProcessId
    from oomtop.snapshot import Snapshot

HELP = "have one action (freeze, SIGTERM or a higher limit) done shortly before a limit is full"
_ACTIONS = ("freeze", "term", "limit")
_TOLD_EVERY = 1.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument("action", choices=_ACTIONS, help="the action; it runs once, then the command ends")
    parser.add_argument("pids", nargs="*", type=count, metavar="PID", help="the processes to freeze or end")
    parser.add_argument(
        "--cgroup", metavar="GROUP", help="the cgroup to freeze, end or raise the limit of: path, unit, container"
    )
    parser.add_argument(
        "--watch", metavar="GROUP", help="the cgroup whose limit is watched (default: the target's, else the machine)"
    )
    parser.add_argument(
        "--before", type=seconds, default=5.0, metavar="S", help="seconds before the limit is full (default: 5)"
    )
    parser.add_argument(
        "--for", type=_span, default=3600.0, dest="span", metavar="S", help="disarm after S seconds (default: 3600)"
    )
    parser.add_argument(
        "--size", type=size, metavar="SIZE", help="how much to raise the limit by (default: a third of it)"
    )
    add_override(parser)
    add_consent(parser)


def _span(text: str) -> float:
    """Parse a number of seconds from 1 to a day."""
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 86_400):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of seconds from 1 to 86400")
    return float(text)


def run(options: argparse.Namespace) -> int:
    """Plan, ask, watch, act once."""
    from oomtop.actions.base.context import context_of
    from oomtop.actions.dispatch import prepare
    from oomtop.headless import arm, take_snapshot
    from oomtop.host.root import Root
    from oomtop.sources.room_watch import RoomWatch, Terms, wait_until_due

    consent, guard = consent_of(options)
    snapshot = take_snapshot()
    path, limit = _watched(options, snapshot)
    prepared = prepare(_request(options, snapshot, path, limit), context_of(snapshot, guard, Root()))
    where = "the machine" if path is None else path
    condition = f"{options.before:g} s before {where} is full, within {options.span:g} s"
    watch = RoomWatch(Root(), snapshot.cgroup_layout, path, limit)
    terms = Terms(options.before, options.span, where, [target.id for target in prepared.plan.targets])
    try:
        return arm(prepared, condition, consent, lambda: wait_until_due(watch, terms, lambda: False, _CountDown().tell))
    finally:
        watch.close()
        prepared.close()


def _watched(options: argparse.Namespace, snapshot: Snapshot) -> tuple[str | None, int]:
    """Return the group whose limit is watched, None for the machine, and that limit in bytes.

    Raises:
        OomtopError: no such group or process, or a group named with --watch that has no limit.
    """
    from oomtop.analysis.cgroups.assess import chain
    from oomtop.errors import OomtopError
    from oomtop.headless import find_group

    limits = {group.path: group.max for group in snapshot.cgroups if group.max}
    if options.watch is not None and options.watch != "machine":
        path = find_group(snapshot, options.watch)
        if path not in limits:
            raise OomtopError(f"{path} has no limit")
        return path, limits[path]
    start = None if options.watch == "machine" else _group_of_target(options, snapshot)
    nearest = next((path for path in chain(start or "/") if path in limits), None)
    if nearest is None or start is None:
        return None, snapshot.meminfo.mem_total + (snapshot.meminfo.swap_total or 0)
    return nearest, limits[nearest]


def _group_of_target(options: argparse.Namespace, snapshot: Snapshot) -> str | None:
    from oomtop.headless import find_group, find_processes

    if options.cgroup:
        return find_group(snapshot, options.cgroup)
    wanted = set(find_processes(snapshot, options.pids))
    paths = {process.cgroup for process in snapshot.processes if process.id in wanted}
    return paths.pop() if len(paths) == 1 else None


def _request(options: argparse.Namespace, snapshot: Snapshot, path: str | None, limit: int) -> Request:
    from oomtop.actions.base.requests import FreezeCgroupRequest, FreezeRequest, KillRequest, Limit, LimitRequest
    from oomtop.commands.consent import either
    from oomtop.errors import OomtopError

    if options.action == "limit":
        if path is None:
            raise OomtopError("there is no limit to raise: name a --cgroup that has one")
        return LimitRequest(path, Limit.MAX, limit + (options.size or limit // 3), options.override)
    if options.action == "freeze":
        return either(
            options,
            lambda ids: FreezeRequest(ids, override=options.override),
            lambda group: FreezeCgroupRequest(group, override=options.override),
        )(snapshot)
    return either(
        options,
        lambda ids: KillRequest(ids, signal.SIGTERM, override=options.override),
        lambda group: KillRequest(_members(snapshot, group), signal.SIGTERM, override=options.override),
    )(snapshot)


def _members(snapshot: Snapshot, group: str) -> tuple[ProcessId, ...]:
    from oomtop.analysis.cgroups.assess import chain

    return tuple(process.id for process in snapshot.processes if group in chain(process.cgroup or "/"))


class _CountDown:
    """Says on a terminal how long the limit lasts, once a second."""

    def __init__(self) -> None:
        self._told = float("-inf")

    def tell(self, left: float | None, rest: float) -> None:
        """Write over the line before."""
        now = time.monotonic()
        if not sys.stderr.isatty() or now - self._told < _TOLD_EVERY:
            return
        self._told = now
        when = "not filling" if left is None else f"full in {format_about(left)}"
        print(f"\r\x1b[Karmed for {format_about(rest)}; {when}; Ctrl-C disarms", end="", file=sys.stderr, flush=True)
