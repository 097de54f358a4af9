"""`Plan`: what an action will do.  `Outcome`: its result.

The screen and the shell show the same plan text.  A plan with a `refusal` cannot be performed.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Protocol

from oomtop.actions.base.requests import Request
from oomtop.frozen import frozen
from oomtop.host.process import ProcessId


class Status(Enum):
    """How an action ended; the value is what the audit log records."""

    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"
    PARTLY = "partly"


@frozen
class Target:
    """The process of an action, with enough detail to recognise it."""

    id: ProcessId
    name: str
    command: str | None
    user: str
    unit: str | None
    rss: int
    frees: int | None
    """Bytes that its exit should free."""


@frozen
class Plan:
    """One action, described before it runs."""

    action: str
    """`kill`, `protect`, `drop-caches`, ...: the name of the command, also used in the audit log."""
    title: str
    """One line: `Send SIGTERM to 4711 (stress-ng)`."""
    steps: tuple[str, ...]
    """What exactly will be written or signalled, one line each."""
    targets: tuple[Target, ...] = ()
    effect: str = ""
    """What it is expected to free or change."""
    frees: int | None = None
    risk: str = ""
    warnings: tuple[str, ...] = ()
    refusal: str | None = None
    """Why it is refused, or None."""
    is_moot: bool = False
    """Whether it is refused because its target no longer exists."""
    undo: str | None = None
    """How to undo it, None if that is impossible."""
    recovery: Request | None = None
    """The request that undoes a partial run, in case oomtop is killed meanwhile."""


@frozen
class Outcome:
    """The result of a plan."""

    action: str
    status: Status
    summary: str
    """One line: `exited after 0.4 s, freed 3.1G`, `still in D state`, the errno in words."""
    details: tuple[str, ...] = ()
    freed: int | None = None
    seconds: float | None = None
    before: str | None = None
    after: str | None = None
    undo: Request | None = None
    """The request that undoes it; None if nothing was done or it cannot be undone."""
    entry: str | None = None
    """The id of its lines in the audit log."""
    ended: tuple[Target, ...] = ()
    """Processes that it ended; a service manager may restart them."""
    waiting: tuple[Target, ...] = ()
    """Processes that were signalled and are still alive."""
    restarted: tuple[int, ...] = ()
    """Pids of the replacements that a service manager has already started."""


class Prepared(Protocol):
    """A plan with its targets held open, so that it acts on exactly what was shown."""

    @property
    def plan(self) -> Plan:
        """The plan."""
        ...

    def perform(self, report: Callable[[str], None]) -> Outcome:
        """Perform it once and close everything; `report` gets progress lines."""
        ...

    def close(self) -> None:
        """Close everything without acting; does nothing while `perform` runs, which closes at its end."""
        ...
