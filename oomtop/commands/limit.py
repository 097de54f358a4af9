"""`oomtop limit`: set a memory limit of a cgroup, or move processes into a new limited cgroup."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from oomtop.commands.arguments import count, limit_size, protected_size
from oomtop.commands.consent import add_consent, add_override, consent_of
from oomtop.errors import OomtopError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from oomtop.actions.base.requests import Request
    from oomtop.snapshot import Snapshot

HELP = "set a memory limit of a cgroup, or move processes into a new limited cgroup"
_UNSET = -1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument(
        "group", metavar="GROUP", help="cgroup path, unit or container id; with --move: name of the new cgroup"
    )
    for name, parse, what in (
        ("high", limit_size, "throttle above this size"),
        ("max", limit_size, "kill when reclaim cannot stay below this size"),
        ("low", protected_size, "reclaim only as a last resort below this size"),
    ):
        parser.add_argument(
            f"--{name}", type=parse, default=_UNSET, metavar="SIZE", help=f"{what}; `none` removes the limit"
        )
    parser.add_argument(
        "--move", nargs="+", type=count, metavar="PID", help="move these processes into a new cgroup GROUP"
    )
    parser.add_argument("--lasting", action="store_true", help="keep the limit after a restart of the unit (systemd)")
    add_override(parser, "; and set a --max below what the group holds, which kills in it at once")
    add_consent(parser)


def run(options: argparse.Namespace) -> int:
    """Set the limit."""
    from oomtop.headless import act_all

    given = [name for name in ("high", "max", "low") if getattr(options, name) != _UNSET]
    if options.move and (not given or "low" in given):
        raise OomtopError("--move needs --high, --max or both")
    if not given:
        raise OomtopError("name at least one of --high, --max and --low")
    consent, guard = consent_of(options)
    return act_all(lambda snapshot: _requests(options, given, snapshot), consent, guard)


def _requests(options: argparse.Namespace, given: list[str], snapshot: Snapshot) -> Sequence[Request]:
    from oomtop.actions.base.requests import ConfineRequest, Limit, LimitRequest
    from oomtop.headless import find_group, find_processes

    if options.move:
        sizes = {name: getattr(options, name) for name in given}
        targets = find_processes(snapshot, options.move)
        return (ConfineRequest(targets, options.group, **sizes, override=options.override),)
    path = find_group(snapshot, options.group)
    return [
        LimitRequest(path, Limit(name), getattr(options, name), options.override, options.lasting) for name in given
    ]
