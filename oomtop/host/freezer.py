"""Whether the cgroup of a process is frozen: `freezer.state` (v1), `frozen` of `cgroup.events` (v2).

Documentation/admin-guide/cgroup-v1/freezer-subsystem.rst, Documentation/admin-guide/cgroup-v2.rst ("cgroup.events").
Sample lines of `/proc/PID/cgroup`: `6:freezer:/jobs`, `0::/system.slice/cron.service`.
"""

from __future__ import annotations

import os

from oomtop.host.cgroup import CgroupLayout
from oomtop.host.root import read_optional


def frozen_group(cgroup: bytes, layout: CgroupLayout | None) -> str | None:
    """Return the path of the frozen group that `/proc/PID/cgroup` names, None where the process may run."""
    if layout is None:
        return None
    for line in cgroup.decode("utf-8", "backslashreplace").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers == "freezer" and _is_frozen_v1(layout, path):
            return path
        if not controllers and layout.unified_mount is not None and _is_frozen_v2(layout.unified_mount, path):
            return path
    return None


def freezer_folder(layout: CgroupLayout) -> str:
    """Return where v1 has its freezer hierarchy: beside that of the memory controller."""
    return os.path.join(os.path.dirname(layout.memory_mount), "freezer")


def _is_frozen_v1(layout: CgroupLayout, path: str) -> bool:
    # The root has no such file; FREEZING means that a process of the group still runs.
    state = (read_optional(f"{freezer_folder(layout)}{path}/freezer.state") or "THAWED").strip()
    return state != "THAWED"


def _is_frozen_v2(mount: str, path: str) -> bool:
    return "frozen 1" in (read_optional(f"{mount}{path}/cgroup.events") or "").splitlines()
