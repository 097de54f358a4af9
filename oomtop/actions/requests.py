"""What may be asked of `actions`: one frozen value per kind of action, from a key, a command or an undo.

A request names processes by `ProcessId`, never by a bare pid, and groups by the path that `Cgroup.path` carries.
`override` lifts the guard's refusals (pid 1, kernel threads, oomtop and its ancestors, the protected list) for
this one request; read-only and replay cannot be lifted.
"""

from __future__ import annotations

import signal as signals
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from oomtop.host.process import ProcessId


@dataclass(frozen=True, slots=True)
class KillRequest:
    """Send a signal to one process, to several, or to each one's tree."""

    targets: tuple[ProcessId, ...]
    signal: int = signals.SIGTERM
    tree: bool = False
    grace: float | None = None
    """Seconds after which SIGKILL follows; None: it does not follow."""
    patience: float = 10.0
    """Seconds to wait for the end before the outcome says that it is still there."""
    override: bool = False


@dataclass(frozen=True, slots=True)
class AdjustRequest:
    """Set `oom_score_adj` of every target to the same value."""

    targets: tuple[ProcessId, ...]
    value: int
    override: bool = False


@dataclass(frozen=True, slots=True)
class RestoreAdjRequest:
    """Give each process the `oom_score_adj` that it had: what undoes an `AdjustRequest`."""

    values: tuple[tuple[ProcessId, int], ...]
    override: bool = False


@dataclass(frozen=True, slots=True)
class DropCachesRequest:
    """Drop clean page cache (1), reclaimable slab (2) or both (3)."""

    level: int = 3


@dataclass(frozen=True, slots=True)
class FreezeRequest:
    """Stop processes by SIGSTOP, or let them go on by SIGCONT."""

    targets: tuple[ProcessId, ...]
    thaw: bool = False
    override: bool = False


@dataclass(frozen=True, slots=True)
class KillCgroupRequest:
    """SIGKILL every process of a group and of the groups below it."""

    path: str
    patience: float = 10.0
    override: bool = False


@dataclass(frozen=True, slots=True)
class FreezeCgroupRequest:
    """Freeze or thaw a group through its freezer."""

    path: str
    thaw: bool = False
    override: bool = False


@dataclass(frozen=True, slots=True)
class ReclaimCgroupRequest:
    """Ask the kernel to take `size` bytes from a group; None: as much as its page cache holds."""

    path: str
    size: int | None = None


@dataclass(frozen=True, slots=True)
class ReclaimProcessRequest:
    """Page out what a process has resident (`MADV_PAGEOUT`)."""

    target: ProcessId
    override: bool = False


class Limit(Enum):
    """The limits of a group, by the name that cgroup v2 gives them."""

    HIGH = "high"
    MAX = "max"
    LOW = "low"


@dataclass(frozen=True, slots=True)
class LimitRequest:
    """Set a memory limit of a group, in bytes; None lifts it."""

    path: str
    limit: Limit
    size: int | None
    override: bool = False


class Keep(Enum):
    """How long a kernel setting holds."""

    RUNTIME = "until the next boot"
    PERSISTENT = "also after the next boot"
    FORGET = "now, and no longer after the next boot"


@dataclass(frozen=True, slots=True)
class SysctlRequest:
    """Set one of the kernel settings in `sysctl.SETTINGS`."""

    name: str
    value: int
    keep: Keep = Keep.RUNTIME


@dataclass(frozen=True, slots=True)
class CompactRequest:
    """Compact the memory of all zones, so that large contiguous blocks become free."""


@dataclass(frozen=True, slots=True)
class SwapFileRequest:
    """Create a swap file of `size` bytes and switch it on."""

    path: str
    size: int
    priority: int | None = None


@dataclass(frozen=True, slots=True)
class SwapOffRequest:
    """Switch a swap area off; `remove` deletes the file afterwards."""

    path: str
    remove: bool = False
    override: bool = False


Request: TypeAlias = (
    KillRequest
    | AdjustRequest
    | RestoreAdjRequest
    | DropCachesRequest
    | FreezeRequest
    | KillCgroupRequest
    | FreezeCgroupRequest
    | ReclaimCgroupRequest
    | ReclaimProcessRequest
    | LimitRequest
    | SysctlRequest
    | CompactRequest
    | SwapFileRequest
    | SwapOffRequest
)
