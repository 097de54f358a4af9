"""What may be asked of `actions`: one frozen value per kind of action, from a key, a command or an undo.

A request names processes by `ProcessId`, never by a bare pid, and groups by the path that `Cgroup.path` carries.
`override` lifts the guard's refusals (pid 1, kernel threads, oomtop and its ancestors, the protected list) for
this one request; read-only and replay cannot be lifted.
"""

from __future__ import annotations

import signal as signals
from enum import Enum
from typing import TypeAlias

from oomtop.frozen import frozen
from oomtop.host.process import ProcessId


@frozen
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


@frozen
class AdjustRequest:
    """Set `oom_score_adj` of every target to the same value."""

    targets: tuple[ProcessId, ...]
    value: int
    override: bool = False


@frozen
class RestoreAdjRequest:
    """Give each process the `oom_score_adj` that it had: what undoes an `AdjustRequest`."""

    values: tuple[tuple[ProcessId, int], ...]
    override: bool = False


@frozen
class DropCachesRequest:
    """Drop clean page cache (1), reclaimable slab (2) or both (3)."""

    level: int = 3


@frozen
class FreezeRequest:
    """Stop processes by SIGSTOP, or let them go on by SIGCONT."""

    targets: tuple[ProcessId, ...]
    thaw: bool = False
    override: bool = False


@frozen
class KillCgroupRequest:
    """SIGKILL every process of a group and of the groups below it."""

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
    """Ask the kernel to take `size` bytes from a group; None: as much as its page cache holds."""

    path: str
    size: int | None = None


@frozen
class ReclaimProcessRequest:
    """Page out what a process has resident (`MADV_PAGEOUT`)."""

    target: ProcessId
    override: bool = False


class Limit(Enum):
    """The limits of a group, by the name that cgroup v2 gives them."""

    HIGH = "high"
    MAX = "max"
    LOW = "low"

    @property
    def lifted(self) -> int | None:
        """The value that says there is none: `max`, written as None, but 0 for a protection."""
        return 0 if self is Limit.LOW else None


@frozen
class LimitRequest:
    """Set a memory limit of a group, in bytes; None is `max`."""

    path: str
    limit: Limit
    size: int | None
    override: bool = False
    lasting: bool = False
    """Also after a restart of the unit, where the group is a systemd unit's."""


@frozen
class ConfineRequest:
    """Move processes into a new group below `/oomtop` that has limits of its own, in bytes."""

    targets: tuple[ProcessId, ...]
    name: str
    high: int | None = None
    max: int | None = None
    override: bool = False


@frozen
class ReleaseRequest:
    """Move what is in a group made by a `ConfineRequest` back to where it came from, and remove the group."""

    path: str
    homes: tuple[tuple[ProcessId, str], ...]
    """The group each process was in before; whoever else is in the group goes to the first of them."""


@frozen
class UnitAdjRequest:
    """Have systemd start a service with this `oom_score_adj`, by a drop-in file; None removes the drop-in."""

    unit: str
    value: int | None


class Keep(Enum):
    """How long a kernel setting holds."""

    RUNTIME = "until the next boot"
    PERSISTENT = "also after the next boot"
    FORGET = "now, and no longer after the next boot"


@frozen
class SysctlRequest:
    """Set one of the kernel settings in `sysctl.SETTINGS`."""

    name: str
    value: int
    keep: Keep = Keep.RUNTIME


@frozen
class CompactRequest:
    """Compact the memory of all zones, so that large contiguous blocks become free."""


@frozen
class SwapFileRequest:
    """Create a swap file of `size` bytes and switch it on."""

    path: str
    size: int
    priority: int | None = None
    persist: bool = False
    """Whether `/etc/fstab` gets a line for it."""


@frozen
class ZramRequest:
    """Make a compressed swap device in memory that takes `size` bytes of pages."""

    size: int
    algorithm: str | None = None
    """One of `comp_algorithm`; None: the kernel's own choice."""
    priority: int | None = 100


@frozen
class SweepZramRequest:
    """Take back what a cut-off `ZramRequest` left: its own device, in use or not, and none of those before it."""

    before: tuple[str, ...]
    identity: str = ""
    """The uuid of its swap signature."""
    override: bool = False


@frozen
class SwapOffRequest:
    """Switch a swap area off; `remove` deletes its file or zram device and its line in fstab afterwards."""

    path: str
    remove: bool = False
    override: bool = False


class DrillKind(Enum):
    """What a drill makes go wrong."""

    LEAK = "leak"
    SURGE = "surge"
    SWARM = "swarm"
    CACHE = "cache"
    FRAGMENT = "fragment"


@frozen
class DrillRequest:
    """Make trouble in a group of its own; None is what the kind of drill has by itself."""

    kind: DrillKind
    size: int | None = None
    """The limit of the group, in bytes."""
    rate: int | None = None
    """Bytes taken each second."""
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
    """Whether what `request` takes back is in a file, and so still there after a reboot."""
    if isinstance(request, SysctlRequest):
        return request.keep is not Keep.RUNTIME
    if isinstance(request, LimitRequest):
        return request.lasting
    return isinstance(request, UnitAdjRequest) or (isinstance(request, SwapOffRequest) and request.remove)
