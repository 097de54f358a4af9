"""One target of a kill: its descriptors and its progress."""

from __future__ import annotations

import contextlib
import signal as signals
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
    """A process and its descriptors."""

    process: Process
    handle: ProcessHandle
    target: Target
    layout: CgroupLayout | None

    @property
    def frozen_group(self) -> str | None:
        """The frozen cgroup it is in, None if it can run."""
        try:
            return frozen_group(self.handle.read("cgroup"), self.layout)
        except OSError:
            return None

    def drops(self, number: int) -> bool:
        """Whether the kernel drops this signal: pid 1 gets from inside only what it handles (pid_namespaces(7))."""
        return self.process.pid == 1 and number not in (0, signals.SIGCONT) and not self.handle.handles(number)


class Fate(Enum):
    """The fate of one target."""

    WAITING = "still alive"
    EXITED = "exited"
    GONE = "exited before the signal"
    SIGNALLED = "signalled"
    NOT_YET = "signalled, no effect yet"
    DENIED = "not signalled"
    REFUSED = "left alone"


@dataclass(slots=True)
class KillCase:
    """The progress of one target."""

    victim: KillTarget
    fate: Fate = Fate.WAITING
    before: int = 0
    """Bytes it held just before the signal."""
    seconds: float = 0.0
    was_stopped: bool = False
    """Whether it was already stopped before this run."""
    notes: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Its name and pid, for messages."""
        process = self.victim.process
        return f"{process.pid} ({printable(process.comm)})"


def try_signal(case: KillCase, number: int) -> None:
    """Signal it if possible; failures are reported later."""
    with contextlib.suppress(ActionRefused, OSError):
        case.victim.handle.require_same()
        case.victim.handle.send(number)


def cannot_fork(case: KillCase) -> bool:
    """Whether it is stopped, in the kernel or gone."""
    now = case.victim.handle.facts()
    return now is None or now.state in "TtDZX"


def has_memory(case: KillCase) -> bool:
    """Whether it still has its memory map."""
    now = case.victim.handle.facts()
    return now is not None and now.virtual_size > 0


def stands(case: KillCase) -> bool:
    """Whether a signal or a tracer has stopped it."""
    now = case.victim.handle.facts()
    return now is not None and now.state in "Tt"


def is_held(case: KillCase) -> bool:
    """Whether it is stopped or frozen."""
    return stands(case) or case.victim.frozen_group is not None
