"""What the kernel permits this process to do to other processes, to cgroups and to swap.

kill(2): the real or effective user of the sender is the real or saved user of the target, or the sender has CAP_KILL
in the user namespace of the target.  swapon(2): CAP_SYS_ADMIN.  proc_pid_oom_score_adj(5): CAP_SYS_RESOURCE.
"""

from __future__ import annotations

import os
from functools import cache

from oomtop.frozen import frozen
from oomtop.host.cgroup import CgroupLayout, find_layout, folder_of
from oomtop.host.freezer import freezer_folder
from oomtop.host.namespaces import is_in_namespace
from oomtop.host.privileges import Capability, effective_capabilities
from oomtop.host.process import Process
from oomtop.host.root import Root

_UNMAPPED = 65534
"""/proc/sys/kernel/overflowuid: a user that a user namespace does not map, over whom its root has no rights."""


@frozen
class Permissions:
    """The rights of this process; they do not change while it runs."""

    users: frozenset[int]
    """Its real and its effective user id."""
    capabilities: int
    """Its effective capabilities as a bit mask."""
    in_user_namespace: bool
    layout: CgroupLayout | None

    @property
    def is_root(self) -> bool:
        """Whether it runs as root, with all rights or with fewer."""
        return 0 in self.users

    def has(self, capability: Capability) -> bool:
        """Whether it may use a capability."""
        return bool(self.capabilities >> capability & 1)

    def may_signal(self, process: Process) -> bool:
        """Whether it may send a signal to a process."""
        is_under = not self.in_user_namespace or process.uid != _UNMAPPED
        return process.uid in self.users or (is_under and self.has(Capability.KILL))

    def may_limit(self, path: str) -> bool:
        """Whether it may change the memory limit of a cgroup."""
        if self.layout is None:
            return False
        name = "memory.max" if self.layout.version == 2 else "memory.limit_in_bytes"
        return _may_write(f"{folder_of(self.layout, path)}/{name}")

    def may_freeze_group(self, path: str) -> bool:
        """Whether it may freeze a cgroup; on v1 there may be no group of that path in the freezer's hierarchy."""
        if self.layout is None:
            return False
        if self.layout.version == 2:
            return _may_write(f"{folder_of(self.layout, path)}/cgroup.freeze")
        return _may_write(f"{freezer_folder(self.layout)}{path}/freezer.state")


def _may_write(path: str) -> bool:
    # Of the real user the kernel forgets the capabilities that the file of the program gives.
    return os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids)


@cache
def own_permissions() -> Permissions:
    """Return the rights of this process."""
    users = frozenset({os.getuid(), os.geteuid()})
    return Permissions(users, effective_capabilities(), is_in_namespace("user"), find_layout(Root()))
