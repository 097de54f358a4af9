"""`Danger`: one thing that can run out, with its forecast, who dies there, and what one key would do about it.

Bytes and seconds; None is "not known".  Times of a curve and of kills are Unix times.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from oomtop.frozen import frozen
from oomtop.host.process import ProcessId


class DangerKind(Enum):
    """What kind of limit it is."""

    MACHINE = "machine"
    """RAM, and the swap that can still be used."""
    CGROUP = "cgroup"
    """A cgroup with a limit of its own."""
    COMMIT = "commit"
    """CommitLimit in overcommit mode 2: at it allocations are refused, and no process is killed."""


class DangerState(Enum):
    """What its use does."""

    WATCHING = "watching"
    """Seen for less than ten seconds."""
    FILLING = "filling"
    """It grows, and `median` says when it is full."""
    UNSTEADY = "unsteady"
    """It grows, but too irregularly for a time."""
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
    """When the limit is reached: `earliest <= median <= latest`, in seconds from now."""

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
    """What its death gives back of this resource, at most what the resource holds."""


@frozen
class PastKill:
    """A kill at this limit that already happened."""

    time: float
    pid: int | None
    name: str
    size: int | None
    """Anonymous memory of the victim."""


@frozen
class Remedy:
    """What one key does about it."""

    action: str
    """The id of the key binding: `kill`, `freeze`, `limit` or `swap`."""
    target: ProcessId | None
    size: int | None
    """Bytes that it frees or adds; None for what only stops the growth."""
    seconds: float | None
    """The time that buys at the present rate; None where nothing grows, or where the growth ends."""


@frozen
class Rounds:
    """A crash loop: start, growth, kill, start again."""

    count: int
    span: float
    """Seconds from the first of these kills to the last."""
    each: float
    """Seconds a round takes, the median."""


@frozen
class UseCurve:
    """Its use over the last minutes: parallel columns, oldest first, a point a second or better while it moves."""

    times: Sequence[float] = ()
    held: Sequence[float] = ()
    used: Sequence[float] = ()
    swapped: Sequence[float] = ()


@frozen
class Danger:
    """One thing that can run out."""

    subject: str
    """`RAM`, `commit`, or the path of the cgroup: the same all the time, as `n` and alerts know it."""
    name: str
    """As it is shown: the unit or container of a cgroup where it has one."""
    kind: DangerKind
    limit: int
    brake: int | None
    """`memory.high`: growth is throttled there, nothing is killed."""
    used: int
    held: int
    """What nothing but a kill or swap gives back: anonymous, shared, kernel and locked memory."""
    cache: int
    """What the kernel takes back first; `held + cache == used`."""
    swapped: int
    """What of it lies in swap."""
    swap_left: int
    """Swap that what is held may still be moved to."""
    state: DangerState
    watched: float
    """Seconds since it was first seen."""
    growing: float | None = None
    """Seconds for which it has grown as it does now, None where nothing fills."""
    rate: float | None = None
    """Bytes a second by which `held` grows now, None while there are too few points."""
    earliest: float | None = None
    median: float | None = None
    latest: float | None = None
    confidence: Confidence | None = None
    basis: str | None = None
    reclaims: float | None = None
    """How often a second the limit was hit and memory had to be reclaimed, None where it is not counted."""
    dying: tuple[Dying, ...] = ()
    """Who dies when it is full, and who comes after: at most three."""
    dies_together: bool = False
    """Whether more than the victim dies at once: all of a group (`memory.oom.group`), or who shares its memory."""
    near_tie: bool = False
    """Whether the first two are so close that either may be chosen."""
    kills: tuple[PastKill, ...] = ()
    """The kills at this limit, newest first."""
    rounds: Rounds | None = None
    remedies: tuple[Remedy, ...] = ()
    curve: UseCurve = UseCurve()

    @property
    def room(self) -> int:
        """What it may still take before a kill."""
        return max(0, self.limit - self.held) + self.swap_left

    @property
    def resource(self) -> str:
        """The path of the cgroup, else the name: as JSON and metrics label it."""
        return self.subject if self.kind is DangerKind.CGROUP else self.name

    @property
    def share(self) -> float:
        """What is held of the limit, 0.0 to 1.0."""
        return min(1.0, self.held / self.limit) if self.limit else 0.0

    @property
    def victim(self) -> Dying | None:
        """Who dies when it is full."""
        return self.dying[0] if self.dying else None


@frozen
class Armed:
    """An action that waits for its time."""

    subject: str
    """The danger whose limit is watched."""
    title: str
    before: float
    """Seconds before the limit is full."""
