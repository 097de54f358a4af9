"""What one key does about a danger, and how much time it gains."""

from __future__ import annotations

from functools import lru_cache

from oomtop.analysis.model.danger import Danger, DangerKind, Remedy
from oomtop.host.process import ProcessId
from oomtop.units import GIB, MIB

_STEPS = (1, 2, 5)
_LIMIT_SHARE, _SWAP_SHARE = 3, 8


def remedies(danger: Danger, grower: ProcessId | None) -> tuple[Remedy, ...]:
    """Return the remedies, the most effective first; `grower` is the fastest-growing process there."""
    if danger.kind is DangerKind.COMMIT:
        return ()
    found = [] if danger.victim is None else [_kill(danger)]
    if grower is not None:
        found.append(Remedy("freeze", grower, None, None))
    size = limit_step(danger.limit) if danger.kind is DangerKind.CGROUP else round_size(danger.limit // _SWAP_SHARE)
    action = "limit" if danger.kind is DangerKind.CGROUP else "swap"
    found.append(Remedy(action, None, size, bought(danger, size)))
    return tuple(found)


def _kill(danger: Danger) -> Remedy:
    victim = danger.victim
    assert victim is not None
    return Remedy("kill", victim.id, victim.frees, bought(danger, victim.frees))


def limit_step(limit: int) -> int:
    """Return by how much a limit is raised: a round number of about a third of it, in bytes."""
    return round_size(limit // _LIMIT_SHARE)


def bought(danger: Danger, size: int) -> float | None:
    """Return the seconds that `size` bytes last at the current rate, None without growth."""
    if danger.median is None or not danger.rate or danger.rate <= 0:
        return None
    return size / danger.rate


@lru_cache(maxsize=256)
def round_size(size: int) -> int:
    """Return the largest 1, 2 or 5 times a power of ten MiB (or GiB) up to `size`."""
    unit = GIB if size >= GIB else MIB
    scale = unit
    while scale * 10 <= size:
        scale *= 10
    return max((step * scale for step in _STEPS if step * scale <= size), default=unit)
