"""`--dry-run`, `--yes` and `--override`, shared by the commands that change something."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

from oomtop.commands.arguments import complain
from oomtop.errors import OomtopError

if TYPE_CHECKING:
    from oomtop.actions.base.guard import Guard
    from oomtop.actions.base.requests import Request
    from oomtop.headless import Consent
    from oomtop.host.process import ProcessId
    from oomtop.snapshot import Snapshot


def add_consent(parser: argparse.ArgumentParser) -> None:
    """Add the three options."""
    add_plan_options(parser)
    what = "plan and outcome as JSON, schema 1; messages go to stderr"
    parser.add_argument("--json", action="store_true", help=what)


def add_plan_options(parser: argparse.ArgumentParser) -> None:
    """Add the two options of the plan."""
    parser.add_argument("--dry-run", action="store_true", help="show the plan and exit")
    parser.add_argument("--yes", action="store_true", help="perform the plan without asking")


def add_override(parser: argparse.ArgumentParser, also: str = "") -> None:
    """Add the option that overrides the guard for one action; `also` says which further check it skips."""
    what = "also act on guarded processes: pid 1, kernel threads, oomtop's own session, the protected list"
    parser.add_argument("--override", action="store_true", help=what + also)


def either(
    options: argparse.Namespace,
    of_processes: Callable[[tuple[ProcessId, ...]], Request],
    of_group: Callable[[str], Request],
) -> Callable[[Snapshot], Request]:
    """Return the function that makes the request, for the given PIDs or for the given group.

    Raises:
        OomtopError: neither is given, or both.
    """
    from oomtop.headless import find_group, find_processes

    if bool(options.pids) == bool(options.cgroup):
        raise OomtopError("give either PIDs or --cgroup")
    if options.cgroup:
        return lambda snapshot: of_group(find_group(snapshot, options.cgroup))
    return lambda snapshot: of_processes(find_processes(snapshot, options.pids))


def consent_of(options: argparse.Namespace) -> tuple[Consent, Guard]:
    """Return the consent the options give, and the guard with the configuration's protected list."""
    from oomtop.actions.base.guard import Guard
    from oomtop.config.load import config_paths, load_config
    from oomtop.headless import Consent

    config, mistakes = load_config(config_paths())
    for mistake in mistakes:
        complain(str(mistake))
    read_only = bool(options.read_only or config.read_only)
    return Consent(options.dry_run, options.yes, getattr(options, "json", False)), Guard(config.protected, read_only)
