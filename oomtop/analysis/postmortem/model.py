"""What a post-mortem of one OOM event says: sentences first, then the figures they rest on.

Sizes are bytes unless a name says pages.  Names are as the log has them: whoever shows them makes them printable.
"""

from __future__ import annotations

from enum import Enum

from oomtop.frozen import frozen
from oomtop.oomlog.event import OomEvent


class Cause(Enum):
    """What ran out."""

    MACHINE = "machine"
    ZONE = "zone"
    FRAGMENTATION = "fragmentation"
    CGROUP = "cgroup"
    NODE = "node"
    SYSRQ = "sysrq"
    DAEMON = "daemon"
    UNKNOWN = "unknown"


@frozen
class ZoneVerdict:
    """Whether one zone could serve the request: `free` against `min` plus the reserve kept from such requests."""

    name: str
    free: int | None
    min: int | None
    high: int | None
    reserve: int | None
    set_aside: int
    """Free CMA that this request may not use, part of `free`."""
    highatomic: int
    """Reserved for high-order atomic requests, part of `free` at most."""
    boost: int
    """What fragmentation added to `min` for a while."""
    usable: bool
    """False where the request was not allowed to use this zone (lowmem request, HighMem zone)."""
    short: bool | None
    """At or under `min` + reserve; None where the report lacks the figures."""
    largest_chunk: int | None
    """The biggest contiguous free chunk, bytes; 0 for none."""
    has_chunk: bool | None
    """Whether a chunk of the wanted order was free."""


@frozen
class Ranked:
    """One row of the task table with the badness recomputed."""

    rank: int | None
    """From 1; None for a task that the kernel never considers."""
    rank_without_adj: int | None
    pid: int
    name: str
    uid: int | None
    rss: int | None
    swap: int | None
    pgtables: int | None
    adj: int | None
    own_pages: int
    """rss + swap + page tables."""
    adj_pages: int
    badness: int | None
    share: float | None
    """badness by total pages."""
    exempt: str | None
    """Why the kernel does not consider it."""
    is_selected: bool
    is_victim: bool


@frozen
class Total:
    """The pages that the badness is measured against."""

    pages: int | None
    certain: bool
    source: str
    is_least: bool = False
    """If it is uncertain: whether the kernel's value was at least this; otherwise it was at most this."""


@frozen
class NamedSize:
    """A named size; `source` is the words of the report that give it."""

    name: str
    size: int
    source: str


@frozen
class PostMortem:
    """One OOM event, explained."""

    event: OomEvent
    cause: Cause
    headline: str
    what_ran_out: str
    how_known: tuple[str, ...]
    zones: tuple[ZoneVerdict, ...]
    why_this_victim: tuple[str, ...]
    ranking: tuple[Ranked, ...]
    total: Total
    agrees: bool | None
    """Whether the first of this ranking is the kernel's choice; None if unknown."""
    agreement: str
    unowned: tuple[NamedSize, ...]
    """Memory that no process owns."""
    unowned_words: str | None
    """A sentence where it dominates."""
    limits: tuple[NamedSize, ...]
    completeness: tuple[str, ...]
    """What the report lacks; empty for a whole one."""
    prevention: tuple[str, ...]
    related: tuple[str, ...]
