"""One target of a kill: the descriptors that hold it, and how far it has come."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from enum import Enum

from oomtop.actions.base.plan import Target
from oomtop.actions.process.handle import ProcessHandle
from oomtop.errors import ActionRefused
from oomtop.frozen import frozen
from oomtop.host.cgroup import CgroupLayout
from oomtop.host.freezer import frozen_group
from oomtop.host.process import Process
from oomtop.units import printable


@frozen
class KillTarget:
    """A process and the descriptors that hold it."""

    process: Process
    handle: ProcessHandle
    target: Target
    layout: CgroupLayout | None

    @property
    def frozen_group(self) -> str | None:
        """The frozen cgroup that it is in now, None where it may run."""
        try:
            return frozen_group(self.handle.read("cgroup"), self.layout)
        except OSError:
            return None


class Fate(Enum):
    """What became of one victim."""

    WAITING = "still there"
    EXITED = "exited"
    GONE = "was gone before the signal"
    SIGNALLED = "signalled"
    NOT_YET = "signalled, without effect yet"
    DENIED = "not signalled"


@dataclass(slots=True)
class KillCase:
    """The progress of one victim."""

    victim: KillTarget
    fate: Fate = Fate.WAITING
    before: int = 0
    """Bytes it held just before the signal."""
    seconds: float = 0.0
    was_stopped: bool = False
    """Whether it stood still before the signal, and not by this run."""
    notes: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """How it is called in a line."""
        process = self.victim.process
        return f"{process.pid} ({printable(process.comm)})"


def try_signal(case: KillCase, number: int) -> None:
    """Signal it if that is possible; one that is gone or may not be signalled is told of later."""
    with contextlib.suppress(ActionRefused, OSError):
        case.victim.handle.require_same()
        case.victim.handle.send(number)


def cannot_fork(case: KillCase) -> bool:
    """Whether it stands still, waits in the kernel or is gone."""
    now = case.victim.handle.facts()
    return now is None or now.state in "TtDZX"


def has_memory(case: KillCase) -> bool:
    """Whether it has not given its memory map up yet."""
    now = case.victim.handle.facts()
    return now is not None and now.virtual_size > 0


def stands(case: KillCase) -> bool:
    """Whether a signal or a tracer has stopped it."""
    now = case.victim.handle.facts()
    return now is not None and now.state in "Tt"


def is_held(case: KillCase) -> bool:
    """Whether it stands still, by a signal or with its group."""
    return stands(case) or case.victim.frozen_group is not None
