"""How the kernel treats this process: its score adjustment and its priority."""

from __future__ import annotations

import os
from contextlib import suppress
from functools import cache
from typing import NamedTuple

from oomtop.host.root import Root, read_int

OWN_NICE = -10
"""The priority of a program that must run when nothing else does."""


class OwnPriority(NamedTuple):
    """The values for children that are started after this process has protected itself."""

    adj: int
    """`/proc/self/oom_score_adj`, 0 where it cannot be read."""
    nice: int


def own_standing(root: Root) -> OwnPriority:
    """Return what this process has now."""
    return OwnPriority(read_int(root.at("/proc/self/oom_score_adj")) or 0, os.getpriority(os.PRIO_PROCESS, 0))


@cache
def started_with() -> OwnPriority:
    """Return the values at the first call, which is before this process protects itself."""
    return own_standing(Root())


def hurry() -> None:
    """Raise the priority of this thread and of threads it starts, if permitted; a lower number is kept."""
    if started_with().nice > OWN_NICE:
        with suppress(PermissionError):
            os.setpriority(os.PRIO_PROCESS, 0, OWN_NICE)
