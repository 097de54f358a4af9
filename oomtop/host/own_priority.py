"""How the kernel treats this process: its score adjustment and its priority."""

from __future__ import annotations

import os
from typing import NamedTuple

from oomtop.host.root import Root, read_int


class OwnPriority(NamedTuple):
    """What a child is to have that is started after this process has protected itself."""

    adj: int
    """`/proc/self/oom_score_adj`, 0 where it cannot be read."""
    nice: int


def own_standing(root: Root) -> OwnPriority:
    """Return what this process has now."""
    return OwnPriority(read_int(root.at("/proc/self/oom_score_adj")) or 0, os.getpriority(os.PRIO_PROCESS, 0))
