"""The manager of a cgroup (systemd, docker or podman), which would restore its own limit, and its command.

systemctl(1) ("set-property"), docker-update(1), podman-update(1).
"""

from __future__ import annotations

import os

from oomtop.actions.base.cgroup_target import CgroupTarget
from oomtop.actions.base.requests import Limit, LimitRequest
from oomtop.actions.base.run_program import find_tool
from oomtop.frozen import frozen
from oomtop.host.containers import container_at, unit_at
from oomtop.host.root import Root

_PROPERTY = {Limit.HIGH: "MemoryHigh", Limit.MAX: "MemoryMax", Limit.LOW: "MemoryLow"}
_FLAG = {Limit.MAX: "--memory", Limit.LOW: "--memory-reservation"}


@frozen
class Owner:
    """The program that manages a group, and its name for the group."""

    tool: str
    """`systemctl`, `docker` or `podman`."""
    name: str


def owner_of(path: str, root: Root) -> Owner | None:
    """Return the manager of the group at `path`, None if there is none that oomtop can use."""
    container = container_at(path)
    if container is not None:
        tool = {"docker": "docker", "libpod": "podman"}.get(container[0])
        return Owner(tool, container[1]) if tool is not None and find_tool(tool) else None
    # Only the unit's own group: names inside a unit, container or user manager are arbitrary.
    unit = unit_at(path)
    runs = os.path.isdir(root.at("/run/systemd/system"))
    return Owner("systemctl", unit) if unit is not None and runs and find_tool("systemctl") else None


def command_of(owner: Owner, request: LimitRequest, group: CgroupTarget) -> tuple[str, ...] | None:
    """Return the command that sets the limit, None if this owner has none."""
    if owner.tool == "systemctl":
        value = "infinity" if request.size is None else str(request.size)
        lasting = () if request.lasting else ("--runtime",)
        return ("systemctl", "set-property", *lasting, owner.name, f"{_PROPERTY[request.limit]}={value}")
    flag = _FLAG.get(request.limit)
    # Docker reads 0 as "unchanged".
    if flag is None or not request.size:
        return None
    swap = _memory_and_swap(request.size, group) if request.limit is Limit.MAX else ()
    return (owner.tool, "update", flag, str(request.size), *swap, owner.name)


def _memory_and_swap(size: int, group: CgroupTarget) -> tuple[str, str]:
    """Both engines limit the sum of memory and swap, and refuse a memory limit above the old sum."""
    swap = group.number("memory.swap.max") if group.version == 2 else None
    return "--memory-swap", "-1" if swap is None else str(size + swap)
