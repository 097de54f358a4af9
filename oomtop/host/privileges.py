"""What this process is allowed to do: effective capabilities (`/proc/self/status`, capabilities(7)).

Sample line: `CapEff:	000001ffffffffff`
"""

from __future__ import annotations

from enum import IntEnum

from oomtop.host.root import read_optional


class Capability(IntEnum):
    """Bit numbers of include/uapi/linux/capability.h that oomtop asks about."""

    DAC_OVERRIDE = 1
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


def effective_capabilities() -> int:
    """Return what this process may do now as a bit mask; oomtop's own right, so never under another root."""
    return parse_capabilities(read_optional("/proc/self/status") or "")


def has_capability(capability: Capability) -> bool:
    """Whether this process may use `capability` now."""
    return bool(effective_capabilities() >> capability & 1)
