"""Which namespaces this process runs in: those of the machine itself, or a container's (namespaces(7)).

The first ones have fixed inodes, PROC_*_INIT_INO of include/linux/proc_ns.h.
"""

from __future__ import annotations

import os

from oomtop.host.root import Root

_FIRST = {"user": 4026531837, "pid": 4026531836, "cgroup": 4026531835}


def is_in_namespace(kind: str, root: Root = Root()) -> bool:  # noqa: B008 - frozen, and `/` is what almost all mean
    """Whether this process is in another namespace of `kind` (`user`, `pid`, `cgroup`) than pid 1 of the machine.

    False where the kernel has no such namespaces, or does not tell.
    """
    try:
        return os.readlink(root.at(f"/proc/self/ns/{kind}")) != f"{kind}:[{_FIRST[kind]}]"
    except OSError:
        return False
