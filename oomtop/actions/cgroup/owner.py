"""Who owns a cgroup and would write its own limit back: systemd, docker or podman; each has a command for limits.

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
    """A program that manages the group, and the group's name there."""

    tool: str
    """`systemctl`, `docker` or `podman`."""
    name: str


def owner_of(path: str, root: Root) -> Owner | None:
    """Return who manages the group at `path` itself, None where nobody does or oomtop cannot tell it to."""
    container = container_at(path)
    if container is not None:
        tool = {"docker": "docker", "libpod": "podman"}.get(container[0])
        return Owner(tool, container[1]) if tool is not None and find_tool(tool) else None
    # Only the unit's own group: what is inside of one, of a container or of a user's manager may have any name.
    unit = unit_at(path)
    runs = os.path.isdir(root.at("/run/systemd/system"))
    return Owner("systemctl", unit) if unit is not None and runs and find_tool("systemctl") else None


def command_of(owner: Owner, request: LimitRequest, group: CgroupTarget) -> tuple[str, ...] | None:
    """Return the command that sets the limit, None where this owner has none for it."""
    if owner.tool == "systemctl":
        value = "infinity" if request.size is None else str(request.size)
        lasting = () if request.lasting else ("--runtime",)
        return ("systemctl", "set-property", *lasting, owner.name, f"{_PROPERTY[request.limit]}={value}")
    flag = _FLAG.get(request.limit)
    # Docker takes 0 for "as it was".
    if flag is None or not request.size:
        return None
    swap = _memory_and_swap(request.size, group) if request.limit is Limit.MAX else ()
    return (owner.tool, "update", flag, str(request.size), *swap, owner.name)


def _memory_and_swap(size: int, group: CgroupTarget) -> tuple[str, str]:
    """Both engines count memory and swap together there, and refuse a memory limit above the old sum."""
    swap = group.number("memory.swap.max") if group.version == 2 else None
    return "--memory-swap", "-1" if swap is None else str(size + swap)
