"""`Aim`: what the action keys would act on now, which the strip compares with what it speaks of."""

from __future__ import annotations

from enum import Enum

from oomtop.frozen import frozen
from oomtop.host.process import ProcessId
from oomtop.oomlog.event import OomEvent


class KeyPlace(Enum):
    """Where the keys are pressed."""

    PROCESSES = "processes"
    PLAIN = "plain"
    """The process table without Textual, which has no action but to kill."""
    PROCESS = "process"
    CGROUPS = "cgroups"
    EVENTS = "events"
    OTHER = "other"


@frozen
class Aim:
    """What the action keys act on."""

    place: KeyPlace = KeyPlace.OTHER
    targets: frozenset[ProcessId] = frozenset()
    """The processes that `k` kills first, and that `f` and `o` act on."""
    group: str | None = None
    """The cgroup that `L` limits, and that `k` and `f` can act on as a whole."""
    takes_pids: bool = False
    """Whether a pid that is typed selects its process, whichever it is."""
    event: OomEvent | None = None
    """The event that Enter explains."""
