"""Recommends limits and sizes from observed peaks, with the margin and any doubts; pure.

Swap by demand, never below the table of Red Hat's installation guide (2 GiB of RAM and less: twice RAM; up to 8 GiB:
as much as RAM; above: 4 GiB).
"""

from __future__ import annotations

import re
from enum import Enum

from oomtop.analysis.sizing.peaks import GroupPeaks, Observation
from oomtop.frozen import frozen
from oomtop.host.cgroup import is_inside
from oomtop.host.containers import container_at, unit_at
from oomtop.units import GIB, MIB, format_bytes, format_duration

MARGIN = 0.25
SHORT = 600.0
"""Seconds; a shorter observation may miss the peak."""
_SMALLEST = 32 * MIB
# A group killed at its limit wanted more than it got; how much more is unknown.
_AFTER_KILL = 1.5
_RISING = 1.1


class Keeper(Enum):
    """The manager of a group's limit, which decides how to set it permanently."""

    DOCKER = "docker"
    PODMAN = "podman"
    KUBERNETES = "kubernetes"
    SYSTEMD = "systemd"
    CGROUP = "cgroup"


@frozen
class GroupAdvice:
    """The recommendation for one group, in bytes."""

    peaks: GroupPeaks
    keeper: Keeper
    subject: str
    """Its name at the manager: the unit, or the container id."""
    request: int
    """Its peak need: the Kubernetes request."""
    high: int
    """`memory.high`: throttle above it."""
    max: int
    """`memory.max`: kill at it."""
    basis: str
    """The figure it is based on, as text."""
    doubts: tuple[str, ...]


@frozen
class MachineAdvice:
    """The recommendation for the machine, in bytes."""

    swap: int
    ram: int
    basis: str
    doubts: tuple[str, ...]


@frozen
class Recommendation:
    """Everything recommended from one observation."""

    observation: Observation
    margin: float
    groups: tuple[GroupAdvice, ...]
    machine: MachineAdvice


def recommend(seen: Observation, margin: float = MARGIN, path: str | None = None) -> Recommendation:
    """Return limits for all containers and services, biggest first; only `path` and its descendants if given."""
    chosen = [peaks for peaks in seen.groups if _is_chosen(peaks, path)]
    chosen.sort(key=lambda peaks: peaks.need, reverse=True)
    groups = tuple(_advise(peaks, seen, margin) for peaks in chosen)
    return Recommendation(seen, margin, groups, _size(seen, margin, groups))


def _is_chosen(peaks: GroupPeaks, path: str | None) -> bool:
    if path is not None:
        return peaks.path == path or (is_inside(peaks.path, path) and _is_ruled(peaks.path))
    return _is_ruled(peaks.path) and peaks.need > 0


def _is_ruled(path: str) -> bool:
    """Whether this group has a manager for its limit; a user manager is not a service of its own."""
    if container_at(path) is not None:
        return True
    unit = unit_at(path) or ""
    return unit.endswith(".service") and not re.fullmatch(r"user@\d+\.service", unit)


def keeper_of(path: str) -> tuple[Keeper, str]:
    """Return the manager of a group's limit and its name there, from the path alone."""
    container = container_at(path)
    if container is not None:
        engine, number = container
        if "kubepods" in path:
            return Keeper.KUBERNETES, number[:12]
        keeper = {"libpod": Keeper.PODMAN, "docker": Keeper.DOCKER}.get(engine)
        return (Keeper.CGROUP, path) if keeper is None else (keeper, number[:12])
    unit = unit_at(path)
    return (Keeper.CGROUP, path) if unit is None else (Keeper.SYSTEMD, unit)


def _advise(peaks: GroupPeaks, seen: Observation, margin: float) -> GroupAdvice:
    keeper, subject = keeper_of(peaks.path)
    need, basis = _need(peaks, seen)
    cut = peaks.kills > 0 and peaks.limit is not None
    if cut and peaks.limit is not None:
        need = max(need, int(peaks.limit * _AFTER_KILL))
    return GroupAdvice(
        peaks=peaks,
        keeper=keeper,
        subject=subject,
        request=_round(need),
        high=_round(int(need * (1 + margin / 2))),
        max=_round(int(need * (1 + margin))),
        basis=basis,
        doubts=tuple(_doubts(peaks, seen, cut)),
    )


def _need(peaks: GroupPeaks, seen: Observation) -> tuple[int, str]:
    """Return the bytes to plan for: the peak of a long observation, else the kernel's peak."""
    if seen.seconds >= SHORT or peaks.peak is None:
        return peaks.need, f"working set, highest of {seen.samples} samples in {format_duration(seen.seconds)}"
    basis = "memory.peak since it was created, without its current page cache"
    return max(peaks.need, peaks.peak - peaks.cache), basis


def _doubts(peaks: GroupPeaks, seen: Observation, cut: bool) -> list[str]:
    found = []
    if cut:
        found.append(
            f"{peaks.kills} OOM kill{'s' * (peaks.kills != 1)} at {format_bytes(peaks.limit)}: its peak was cut off "
            "there, half of that limit was added; measure again afterwards"
        )
    if peaks.limit is not None and not cut and (peaks.peak or 0) >= peaks.limit:
        found.append(f"it reached its limit of {format_bytes(peaks.limit)}, possibly by page cache alone")
    if seen.seconds >= SHORT and peaks.last > peaks.first * _RISING and peaks.last >= peaks.need:
        found.append("it was still growing at the end: a limit does not fix a leak")
    return found


def _round(size: int) -> int:
    """Round up to a size that a person would write."""
    step = 16 * MIB if size < GIB else 64 * MIB if size < 8 * GIB else 256 * MIB
    return max(_SMALLEST, -(-size // step) * step)


def _size(seen: Observation, margin: float, groups: tuple[GroupAdvice, ...]) -> MachineAdvice:
    demand = int(seen.demand_peak * (1 + margin))
    swap = max(_table(seen.total), -(-(demand - seen.total) // GIB) * GIB)
    doubts = []
    if seen.oom_kills:
        doubts.append(f"{seen.oom_kills} OOM kill{'s' * (seen.oom_kills != 1)} since boot: demand was higher than seen")
    promised = sum(advice.max for advice in groups)
    if promised > seen.total:
        doubts.append(
            f"the limits above add up to {format_bytes(promised)}, RAM is {format_bytes(seen.total)}: not all can peak"
        )
    if any(advice.keeper is Keeper.KUBERNETES for advice in groups):
        doubts.append("the kubelet refuses to start with swap unless failSwapOn is false")
    basis = (
        f"highest demand {format_bytes(seen.demand_peak)} (MemTotal - MemAvailable, and swap in use) of {seen.samples} "
        f"sample{'s' * (seen.samples != 1)} in {format_duration(seen.seconds)}"
    )
    return MachineAdvice(swap, -(-demand // GIB) * GIB, basis, tuple(doubts))


def _table(ram: int) -> int:
    """Return the usual swap size for this much RAM."""
    if ram <= 2 * GIB:
        return -(-2 * ram // (256 * MIB)) * 256 * MIB
    return -(-ram // GIB) * GIB if ram <= 8 * GIB else 4 * GIB
