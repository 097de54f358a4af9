"""Whether something of a size can be started now: what each limit on its way has left, and what holds the rest.

Now is what the kernel gives by dropping page cache; after reclaim is what it can gain by swapping out as well.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator
from enum import Enum

from oomtop.analysis.cgroups.assess import chain
from oomtop.analysis.model.assessment import Assessment, ProcessRow, SwapAccount
from oomtop.analysis.model.danger import Danger, DangerKind
from oomtop.frozen import frozen

_HOLDERS = 5


class CanStart(Enum):
    """Whether it can be started now."""

    YES = "yes"
    AFTER_RECLAIM = "after reclaim"
    NO = "no"


@frozen
class RoomLeft:
    """What one limit has left, in bytes."""

    name: str
    kind: str
    """`machine`, `cgroup`, `throttle` (memory.high), `commit` or `killer` (a daemon that kills early)."""
    limit: int | None
    now: int
    after_reclaim: int


@frozen
class Holder:
    """A program and what its processes hold in RAM and swap there."""

    name: str
    processes: int
    size: int


@frozen
class HeadroomAnswer:
    """Whether `size` bytes fit, and what stands in the way."""

    size: int
    cgroup: str | None
    fit: CanStart
    rooms: tuple[RoomLeft, ...]
    """The least room first."""
    holders: tuple[Holder, ...]
    """Who holds most where the room is least."""


def answer_headroom(assessment: Assessment, size: int, cgroup: str | None) -> HeadroomAnswer | None:
    """Return whether `size` bytes fit into the machine and all limits from `cgroup` up; None where nothing is known."""
    path = tuple(chain(cgroup)) if cgroup is not None else ()
    rooms = sorted(_rooms(assessment, path), key=lambda room: (room.after_reclaim, room.now))
    if not rooms:
        return None
    least = [min(room.now for room in rooms), min(room.after_reclaim for room in rooms)]
    fit = CanStart.YES if size <= least[0] else CanStart.AFTER_RECLAIM if size <= least[1] else CanStart.NO
    tightest = min(rooms, key=lambda room: room.now)
    inside = tightest.name if tightest.kind in ("cgroup", "throttle") else None
    return HeadroomAnswer(size, cgroup, fit, tuple(rooms), _holders(assessment.rows, inside))


def _rooms(assessment: Assessment, path: Iterable[str]) -> Iterator[RoomLeft]:
    memory, swap = assessment.memory, assessment.swap
    if memory.available is not None:
        movable = max(0, (memory.anon or 0) + (memory.shmem or 0) - (memory.mlocked or 0))
        gain = min(_swap_beside_ram(swap), movable)
        yield RoomLeft("RAM", "machine", memory.total, memory.available, memory.available + gain)
    for danger in assessment.dangers:
        if danger.kind is DangerKind.COMMIT:
            left = max(0, danger.limit - danger.held)
            yield RoomLeft(danger.name, "commit", danger.limit, left, left)
        elif danger.kind is DangerKind.CGROUP and danger.subject in path:
            yield from _of_group(danger)
    for killer in assessment.early_killers:
        if killer.room is not None:
            yield RoomLeft(killer.name, "killer", None, killer.room, killer.room)


def _swap_beside_ram(swap: SwapAccount) -> int:
    """Return the free swap that costs no RAM: what zram gains is not known before it has compressed it."""
    if not swap.devices:
        return swap.free or 0
    return sum(device.size - device.used for device in swap.devices if "zram" not in device.path)


def _of_group(danger: Danger) -> Iterator[RoomLeft]:
    left = max(0, danger.limit - danger.held)
    yield RoomLeft(danger.subject, "cgroup", danger.limit, left, left + danger.swap_left)
    if danger.brake is not None:
        slow = max(0, danger.brake - danger.held)
        # Above it the group is slowed down until it has reclaimed; nothing is refused.
        yield RoomLeft(danger.subject, "throttle", danger.brake, slow, left + danger.swap_left)


def _holders(rows: Iterable[ProcessRow], inside: str | None) -> tuple[Holder, ...]:
    named: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        process = row.process
        if not process.is_kernel_thread and (inside is None or inside in chain(process.cgroup or "/")):
            named[process.comm].append(process.rss_and_swap)
    found = [Holder(name, len(sizes), sum(sizes)) for name, sizes in named.items()]
    return tuple(heapq.nlargest(_HOLDERS, found, key=lambda holder: holder.size))
