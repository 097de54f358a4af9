"""`Danger`: one resource that can run out, with its forecast, its victims, and the remedies.

Bytes and seconds; None means unknown.  Times of a curve and of kills are Unix times.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from oomtop.frozen import frozen
from oomtop.host.process import ProcessId


class DangerKind(Enum):
    """The kind of limit."""

    MACHINE = "machine"
    """RAM and usable swap."""
    CGROUP = "cgroup"
    """A cgroup with its own limit."""
    NODE = "node"
    """RAM of the NUMA nodes that a cpuset or a memory policy confines processes to, and usable swap."""
    COMMIT = "commit"
    """CommitLimit in overcommit mode 2: allocations fail at it, no process is killed."""


class DangerState(Enum):
    """The trend of its use."""

    WATCHING = "watching"
    """Watched for less than ten seconds."""
    FILLING = "filling"
    """It grows; `median` is the time until it is full."""
    UNSTEADY = "unsteady"
    """It grows, but too irregularly for a forecast."""
    AT_LIMIT = "at its limit"
    """The kernel reclaims to stay below the limit."""
    STEADY = "steady"
    FALLING = "falling"
    EMPTY = "empty"


class Confidence(Enum):
    """How often a range of this kind holds: at least 90 % for high, 70 % for medium."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@frozen
class Forecast:
    """Time until the limit is reached: `earliest <= median <= latest`, in seconds from now."""

    earliest: float
    median: float
    latest: float
    confidence: Confidence
    basis: str
    """`linear`, `accelerating`, `peaks` (of a saw-tooth) or `last round` (of a crash loop)."""


@frozen
class Dying:
    """A process that the kernel would kill at this limit."""

    id: ProcessId
    name: str
    uid: int | None
    held: int
    """RSS and swap."""
    frees: int
    """Bytes of this resource that its death frees, at most the resource's use."""


@frozen
class PastKill:
    """A past kill at this limit."""

    time: float
    pid: int | None
    name: str
    size: int | None
    """Anonymous memory of the victim."""


@frozen
class Remedy:
    """One action that helps."""

    action: str
    """The id of the key binding: `kill`, `freeze`, `limit` or `swap`."""
    target: ProcessId | None
    size: int | None
    """Bytes it frees or adds; None if it only stops the growth."""
    seconds: float | None
    """Seconds gained at the current rate; None without growth, or if it stops the growth."""


@frozen
class Rounds:
    """A crash loop: start, growth, kill, restart."""

    count: int
    span: float
    """Seconds from the first of these kills to the last."""
    each: float
    """Median duration of a round in seconds."""


@frozen
class UseCurve:
    """Use over the last minutes: parallel columns, oldest first, at least a point a second while it changes."""

    times: Sequence[float] = ()
    held: Sequence[float] = ()
    used: Sequence[float] = ()
    swapped: Sequence[float] = ()


@frozen
class Danger:
    """One resource that can run out."""

    subject: str
    """`RAM`, `commit`, `node 1`, or the path of the cgroup: a stable name, used by `n` and alerts."""
    name: str
    """Display name: the unit or container of the cgroup, if any."""
    kind: DangerKind
    limit: int
    brake: int | None
    """`memory.high`: growth is throttled above it, nothing is killed."""
    used: int
    held: int
    """Memory that only a kill or swap frees: anonymous, shared, kernel and locked memory."""
    cache: int
    """Memory that the kernel reclaims first; `held + cache == used`."""
    swapped: int
    """The part in swap."""
    swap_left: int
    """Swap still usable for the held memory."""
    state: DangerState
    first_seen: float
    """Unix time of its first sample."""
    growing: float | None = None
    """Seconds for which it has grown at this rate, None without growth."""
    rate: float | None = None
    """Current growth of `held` in bytes per second, None with too few points."""
    earliest: float | None = None
    median: float | None = None
    latest: float | None = None
    confidence: Confidence | None = None
    basis: str | None = None
    reclaims: float | None = None
    """Limit hits with reclaim per second, None if not counted."""
    dying: tuple[Dying, ...] = ()
    """The victim when it is full, and the next ones: at most three."""
    dies_with: tuple[ProcessId, ...] = ()
    """Others that die with the victim: a whole group (`memory.oom.group`), or processes sharing its memory."""
    near_tie: bool = False
    """Whether the first two are so close that either may be chosen."""
    kills: tuple[PastKill, ...] = ()
    """Kills at this limit, newest first."""
    rounds: Rounds | None = None
    remedies: tuple[Remedy, ...] = ()
    curve: UseCurve = UseCurve()
    truth: UseCurve = UseCurve()
    """What happened next, in a replay only."""
    later_kills: tuple[PastKill, ...] = ()
    """The kills that came next at this limit, newest first; in a replay only."""

    def watched(self, now: float) -> float:
        """Return the seconds since it was first seen; `now` is Unix time."""
        return max(0.0, now - self.first_seen)

    @property
    def room(self) -> int:
        """Bytes left before a kill."""
        return max(0, self.limit - self.held) + self.swap_left

    @property
    def dies_together(self) -> bool:
        """Whether others die with the victim."""
        return bool(self.dies_with)

    @property
    def capacity(self) -> int:
        """Bytes that fill up before a kill: the limit, and for the machine its swap as well."""
        return self.limit + (self.swapped + self.swap_left if self.kind is DangerKind.MACHINE else 0)

    @property
    def filled(self) -> int:
        """What is held of the capacity, at most all of it."""
        return min(self.capacity, self.held + (self.swapped if self.kind is DangerKind.MACHINE else 0))

    @property
    def resource(self) -> str:
        """The path of the cgroup, else the name: its label in JSON and metrics."""
        return self.subject if self.kind is DangerKind.CGROUP else self.name

    @property
    def share(self) -> float:
        """Held memory as a share of the limit, 0.0 to 1.0."""
        return min(1.0, self.held / self.limit) if self.limit else 0.0

    @property
    def victim(self) -> Dying | None:
        """The process killed when it is full."""
        return self.dying[0] if self.dying else None


@frozen
class Armed:
    """An action that waits for its time."""

    subject: str
    """The danger whose limit is watched."""
    title: str
    before: float
    """Seconds before the limit is full."""
