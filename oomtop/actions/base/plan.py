"""`Plan`: what an action is going to do, before it does it.  `Outcome`: what came of it.

The same plan text stands on the screen and in the shell.  A plan with a `refusal` cannot be performed.
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
    """Whom an action is about, in enough detail to recognise it."""

    id: ProcessId
    name: str
    command: str | None
    user: str
    unit: str | None
    rss: int
    frees: int | None
    """Bytes that its end should give back."""


@frozen
class Plan:
    """One action, described before it runs."""

    action: str
    """`kill`, `protect`, `drop-caches`, ...: the command's name and the audit log's word."""
    title: str
    """One line: `Send SIGTERM to 4711 (stress-ng)`."""
    steps: tuple[str, ...]
    """Exactly what will be written or signalled, one line each."""
    targets: tuple[Target, ...] = ()
    effect: str = ""
    """What it should free or change."""
    frees: int | None = None
    risk: str = ""
    warnings: tuple[str, ...] = ()
    refusal: str | None = None
    """Why it will not be done, None if it may."""
    is_moot: bool = False
    """Whether it is refused because what it is about is gone for good."""
    undo: str | None = None
    """How it is undone, None if it cannot be."""
    recovery: Request | None = None
    """What takes back whatever of it was done, should oomtop be killed in the middle of it."""


@frozen
class Outcome:
    """What came of a plan."""

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
    """What takes it back, None if nothing can or nothing was done."""
    entry: str | None = None
    """The id of its lines in the audit log."""
    ended: tuple[Target, ...] = ()
    """Whom it ended: a service manager may start them again."""
    waiting: tuple[Target, ...] = ()
    """Who was signalled and is still there."""
    restarted: tuple[int, ...] = ()
    """Numbers of the processes that a service manager has already started in place of them."""


class Prepared(Protocol):
    """A plan with everything opened that it needs, so that it acts on what was shown and on nothing else."""

    @property
    def plan(self) -> Plan:
        """What it is going to do."""
        ...

    def perform(self, report: Callable[[str], None]) -> Outcome:
        """Do it once and give everything back; `report` gets a line whenever there is news."""
        ...

    def close(self) -> None:
        """Give everything back undone; while `perform` runs, that does it itself."""
        ...
