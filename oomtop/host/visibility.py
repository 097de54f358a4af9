"""What `/proc` shows here and what it hides: mount options, namespaces, and emulated kernels.

proc(5) (`hidepid`, `subset`; systemd's ProtectProc= and ProcSubset= are these), pid_namespaces(7), lxcfs(8),
gVisor pkg/sentry/kernel/version.  Sample line of `/proc/self/mounts`: `proc /proc proc rw,hidepid=invisible 0 0`
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from oomtop.frozen import frozen
from oomtop.host.checked_meminfo import is_lxcfs
from oomtop.host.namespaces import is_in_namespace
from oomtop.host.privileges import Capability, has_capability
from oomtop.host.root import Root, read_optional, whole

_ALL_SHOWN = ("0", "off")
# Shown to nobody but those who may trace the process, whatever their group.
_NO_GROUP = ("4", "ptraceable")
# What gVisor has answered to uname(2) since its first release.
_GVISOR = "#1 SMP Sun Jan 10 15:06:54 PST 2016"


@frozen
class Visibility:
    """What the figures cover and what is hidden; all False or None on a machine that shows everything."""

    hidepid: str | None = None
    """The option of `/proc` by which this user does not see the processes of others."""
    pid_namespace: bool = False
    """Whether only the processes of a container are seen."""
    user_namespace: bool = False
    """Whether root is root of a container only."""
    lxcfs: bool = False
    """Whether `/proc/meminfo` is made by lxcfs: memory of the container, in part of the host."""
    gvisor: bool = False
    """Whether the kernel is gVisor's: its own figures, not those of the machine."""

    @property
    def hides_processes(self) -> bool:
        """Whether there may be processes that are not seen."""
        return self.hidepid is not None or self.pid_namespace


def read_visibility(root: Root) -> Visibility:
    """Return what is seen under `root` by this process."""
    mounts = read_optional(root.at("/proc/self/mounts")) or ""
    return Visibility(
        hidepid=effective_hidepid(mounts),
        pid_namespace=is_in_namespace("pid", root),
        user_namespace=is_in_namespace("user", root),
        lxcfs=is_lxcfs(mounts),
        gvisor=_GVISOR in (read_optional(root.at("/proc/version")) or ""),
    )


def effective_hidepid(mounts: str) -> str | None:
    """Return `hidepid` of `/proc` where it applies to this process: without CAP_SYS_PTRACE and not in its `gid`."""
    options = proc_options(mounts)
    value = options.get("hidepid", "0")
    if value in _ALL_SHOWN or has_capability(Capability.SYS_PTRACE):
        return None
    group = options.get("gid", "0")
    is_member = group.isdigit() and int(group) in (os.getegid(), *os.getgroups())
    return None if is_member and value not in _NO_GROUP else value


def proc_options(mounts: str) -> dict[str, str]:
    """Return the mount options of `/proc`: of the last one mounted there, which covers the others."""
    options: Sequence[str] = ()
    for line in mounts.splitlines():
        words = line.split()
        if len(words) >= 4 and words[1:3] == ["/proc", "proc"]:
            options = words[3].split(",")
    return {name: value for name, _, value in (option.partition("=") for option in options)}


def read_threads(root: Root) -> int | None:
    """Return how many threads there are, seen or not (`/proc/loadavg`, `1/560`); None where it does not tell."""
    words = (read_optional(root.at("/proc/loadavg")) or "").split()
    count = words[3].partition("/")[2] if len(words) > 3 else ""
    try:
        return whole(count) or None
    except ValueError:
        return None
