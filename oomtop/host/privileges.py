"""What this process is allowed to do: effective capabilities (`/proc/self/status`, capabilities(7)).

Sample line: `CapEff:	000001ffffffffff`
"""

from __future__ import annotations

import os
from enum import IntEnum

from oomtop.host.namespaces import is_in_namespace
from oomtop.host.root import read_optional


class Capability(IntEnum):
    """Bit numbers of include/uapi/linux/capability.h that oomtop asks about."""

    KILL = 5
    IPC_LOCK = 14
    SYS_PTRACE = 19
    SYS_ADMIN = 21
    SYS_NICE = 23
    SYS_RESOURCE = 24
    SYSLOG = 34


def parse_capabilities(status: str) -> int:
    """Return the effective set as a bit mask, 0 where the line is missing or malformed."""
    for line in status.splitlines():
        name, _, value = line.partition(":")
        if name == "CapEff":
            try:
                return int(value.strip(), 16)
            except ValueError:
                return 0
    return 0


# What the kernel asks of the machine's own root (`capable`), however much a container's root has (user_namespaces(7)).
_OF_THE_MACHINE = (
    Capability.IPC_LOCK, Capability.SYS_ADMIN, Capability.SYS_NICE, Capability.SYS_RESOURCE, Capability.SYSLOG,
)  # fmt: skip


def effective_capabilities() -> int:
    """Return what this process may do now as a bit mask; oomtop's own right, so never under another root.

    In a user namespace those are left out that count there for nothing oomtop does.
    """
    held = parse_capabilities(read_optional("/proc/self/status") or "")
    if not is_in_namespace("user"):
        return held
    return held & ~sum(1 << capability for capability in _OF_THE_MACHINE)


def describe_rights() -> str:
    """Return what this process is: `root`, `root of a user namespace`, `root with fewer rights`, `unprivileged`."""
    if os.geteuid() != 0:
        return "unprivileged"
    if is_in_namespace("user"):
        return "root of a user namespace"
    held = effective_capabilities()
    return "root" if all(held >> capability & 1 for capability in Capability) else "root with fewer rights"


def has_capability(capability: Capability) -> bool:
    """Whether this process may use `capability` now."""
    return bool(effective_capabilities() >> capability & 1)
