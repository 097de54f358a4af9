"""Whom this kernel's OOM killer passes over, as `/proc` tells: `oom_score`, and the pid namespace of `/proc/1`.

`oom_badness` of mm/oom_kill.c: the global init, a vfork child before its exec (`in_vfork`), and one whose memory the
reaper took already (`MMF_OOM_SKIP`) have no points, and `/proc/PID/oom_score` shows 0 for them.  Since 5.9 it shows 0
for nobody else whose adj is above -999: (1000 + points * 1000 / totalpages) * 2 / 3.
"""

from __future__ import annotations

from oomtop.host.namespaces import is_in_namespace
from oomtop.host.process import Process
from oomtop.host.root import Root, read_int

_LEAST_TOLD_ADJ = -998


class OomRules:
    """The rules of one kernel; the scale of `oom_score` and the pid namespace do not change while it runs."""

    def __init__(self, root: Root) -> None:
        self._tells = has_shifted_scale(
            read_int(root.at("/proc/self/oom_score")), read_int(root.at("/proc/self/oom_score_adj"))
        )
        self._global_init = not is_in_namespace("pid", root)

    def spares(self, process: Process, score: int | None, adj: int | None) -> bool:
        """Whether the kernel passes over a process that has a memory map and this `oom_score` and adj above -1000."""
        if process.pid == 1 and self._global_init:
            return True
        is_told = self._tells and adj is not None and adj >= _LEAST_TOLD_ADJ
        return is_told and score == 0 and process.virtual_size > 0 and not process.is_kernel_thread


def has_shifted_scale(score: int | None, adj: int | None) -> bool:
    """Whether `oom_score` is on the scale of 5.9 and later, by the score of a small process with this adj.

    Distributions carry that change back, so the kernel's version does not tell.
    """
    if score is None or adj is None:
        return False
    return abs(score - (1000 + adj) * 2 / 3) < abs(score - max(0, adj))
