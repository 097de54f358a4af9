"""Requests: one frozen dataclass per kind of action, from a key, a command or an undo.

A request names processes by `ProcessId`, never by a bare pid, and groups by `Cgroup.path`.
`override` bypasses the guard (pid 1, kernel threads, oomtop and its ancestors, the protected list) for
this one request; read-only mode and replay cannot be bypassed.
"""

from __future__ import annotations

import signal as signals
from enum import Enum
from typing import TypeAlias

from oomtop.frozen import frozen
from oomtop.host.process import ProcessId


@frozen
class KillRequest:
    """Send a signal to processes, or to their whole trees."""

    targets: tuple[ProcessId, ...]
    signal: int = signals.SIGTERM
    tree: bool = False
    grace: float | None = None
    """Seconds after which survivors get SIGKILL; None: never."""
    patience: float = 10.0
    """Seconds to wait for the processes to exit."""
    override: bool = False


@frozen
class AdjustRequest:
    """Set `oom_score_adj` of every target to the same value."""

    targets: tuple[ProcessId, ...]
    value: int
    override: bool = False


@frozen
class RestoreAdjRequest:
    """Restore the previous `oom_score_adj` of each process: undoes an `AdjustRequest`."""

    values: tuple[tuple[ProcessId, int], ...]
    override: bool = False


@frozen
class DropCachesRequest:
    """Drop clean page cache (1), reclaimable slab (2) or both (3)."""

    level: int = 3


@frozen
class FreezeRequest:
    """Stop processes with SIGSTOP, or resume them with SIGCONT."""

    targets: tuple[ProcessId, ...]
    thaw: bool = False
    override: bool = False


@frozen
class KillCgroupRequest:
    """SIGKILL every process of a group and its descendants."""

    path: str
    patience: float = 10.0
    override: bool = False


@frozen
class FreezeCgroupRequest:
    """Freeze or thaw a group through its freezer."""

    path: str
    thaw: bool = False
    override: bool = False


@frozen
class ReclaimCgroupRequest:
    """Ask the kernel to reclaim `size` bytes from a group; None: the size of its page cache."""

    path: str
    size: int | None = None
    override: bool = False


@frozen
class ReclaimProcessRequest:
    """Page out the resident memory of a process (`MADV_PAGEOUT`)."""

    target: ProcessId
    override: bool = False


class Limit(Enum):
    """The limits of a group, by their cgroup v2 names."""

    HIGH = "high"
    MAX = "max"
    LOW = "low"

    @property
    def lifted(self) -> int | None:
        """The value that removes the limit: None (`max`), or 0 for a protection."""
        return 0 if self is Limit.LOW else None


@frozen
class LimitRequest:
    """Set a memory limit of a group, in bytes; None is `max`."""

    path: str
    limit: Limit
    size: int | None
    override: bool = False
    lasting: bool = False
    """Keep it after a restart of the unit, if the group belongs to a systemd unit."""


@frozen
class ConfineRequest:
    """Move processes into a new group below `/oomtop` with its own limits, in bytes."""

    targets: tuple[ProcessId, ...]
    name: str
    high: int | None = None
    max: int | None = None
    override: bool = False


@frozen
class ReleaseRequest:
    """Move the processes of a group made by a `ConfineRequest` back, and remove the group."""

    path: str
    homes: tuple[tuple[ProcessId, str], ...]
    """The original group of each process; other members go to the first of these."""


@frozen
class UnitAdjRequest:
    """Write a systemd drop-in that sets `oom_score_adj` of a service; None removes it."""

    unit: str
    value: int | None


class Keep(Enum):
    """How long a kernel setting holds."""

    RUNTIME = "until the next boot"
    PERSISTENT = "also after the next boot"
    FORGET = "until the next boot, removing the kept value"


@frozen
class SysctlRequest:
    """Set a kernel setting of `sysctl.SETTINGS`."""

    name: str
    value: int
    keep: Keep = Keep.RUNTIME


@frozen
class CompactRequest:
    """Compact the memory of all zones to free large contiguous blocks."""


@frozen
class SwapFileRequest:
    """Create a swap file of `size` bytes and turn it on."""

    path: str
    size: int
    priority: int | None = None
    persist: bool = False
    """Whether to add it to `/etc/fstab`."""


@frozen
class ZramRequest:
    """Add a zram swap device for `size` bytes of pages."""

    size: int
    algorithm: str | None = None
    """One of `comp_algorithm`; None: the kernel's default."""
    priority: int | None = 100


@frozen
class SweepZramRequest:
    """Remove the device that an interrupted `ZramRequest` left, in use or not, and no other."""

    before: tuple[str, ...]
    identity: str = ""
    """The uuid of its swap signature."""
    override: bool = False


@frozen
class SwapOffRequest:
    """Turn a swap area off; `remove` then deletes its file or zram device and its fstab line."""

    path: str
    remove: bool = False
    override: bool = False


class DrillKind(Enum):
    """The kind of failure that a drill causes."""

    LEAK = "leak"
    SURGE = "surge"
    SWARM = "swarm"
    CACHE = "cache"
    FRAGMENT = "fragment"


@frozen
class DrillRequest:
    """Run a drill in its own group; None means the default of the kind."""

    kind: DrillKind
    size: int | None = None
    """The limit of the group, in bytes."""
    rate: int | None = None
    """Bytes allocated per second."""
    seconds: float | None = None


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
    | ConfineRequest
    | ReleaseRequest
    | UnitAdjRequest
    | SysctlRequest
    | CompactRequest
    | SwapFileRequest
    | ZramRequest
    | SweepZramRequest
    | SwapOffRequest
    | DrillRequest
)


def outlives_reboot(request: Request) -> bool:
    """Whether `request` undoes a change to a file, which survives a reboot."""
    if isinstance(request, SysctlRequest):
        return request.keep is not Keep.RUNTIME
    if isinstance(request, LimitRequest):
        return request.lasting
    return isinstance(request, UnitAdjRequest) or (isinstance(request, SwapOffRequest) and request.remove)
