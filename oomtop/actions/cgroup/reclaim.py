"""Reclaim from a cgroup: `memory.reclaim` (v2, 5.19+) or `memory.force_empty` (v1).

Documentation/admin-guide/cgroup-v2.rst ("memory.reclaim"), Documentation/admin-guide/cgroup-v1/memory.rst (5.1).
"""

from __future__ import annotations

import errno
import time
from collections.abc import Callable
from functools import partial

from oomtop.actions.base.cgroup_target import CgroupTarget, find_group, require_allowed
from oomtop.actions.base.context import ActionContext
from oomtop.actions.base.kernel_file import KernelFile
from oomtop.actions.base.plan import Outcome, Plan, Status
from oomtop.actions.base.prepared import PreparedAction, refused
from oomtop.actions.base.requests import ReclaimCgroupRequest
from oomtop.errors import ActionRefused
from oomtop.host.root import parse_counters, read_optional
from oomtop.units import format_bytes, printable

ACTION = "reclaim"


def prepare_reclaim(request: ReclaimCgroupRequest, context: ActionContext) -> PreparedAction:
    """Open the file and plan how much the group can give."""
    title = f"Reclaim from {printable(request.path)}"
    try:
        group = find_group(context, request.path)
        require_allowed(group, context, request.override)
        if request.size is not None and request.size <= 0:
            raise ActionRefused("the size to reclaim must be above 0")
        name = "memory.reclaim" if group.version == 2 else "memory.force_empty"
        file = KernelFile(group.file(name), "root, or the group delegated to you")
    except ActionRefused as refusal:
        return refused(ACTION, title, str(refusal))
    cache = page_cache(group)
    text = str(request.size or max(1, cache)) if group.version == 2 else "0"
    plan = _plan(title, group, f"write {text} to {printable(group.file(name))}", request.size, cache, context)
    again = partial(require_allowed, group, context, request.override)
    return PreparedAction(plan, partial(_reclaim_now, group, text, file), [file], again)


def page_cache(group: CgroupTarget) -> int:
    """Return the file pages of the group without tmpfs."""
    stat = parse_counters(read_optional(group.file("memory.stat")) or "", "memory.stat")
    prefix = "" if group.version == 2 else "total_"
    return stat.get(f"{prefix}active_file", 0) + stat.get(f"{prefix}inactive_file", 0)


def _plan(title: str, group: CgroupTarget, step: str, size: int | None, cache: int, context: ActionContext) -> Plan:
    swap_free = context.meminfo.swap_free or 0
    warnings: list[str] = []
    if group.version == 1 and size is not None:
        warnings.append("cgroup v1 takes no size: it reclaims all it can")
    if (size or 0) > cache or group.version == 1:
        warnings.append(
            f"beyond its page cache ({format_bytes(cache)}) memory goes to swap ({format_bytes(swap_free)} free)"
            if swap_free
            else f"there is no free swap: little more than its page cache ({format_bytes(cache)}) can be reclaimed"
        )
    return Plan(
        action=ACTION,
        title=title,
        steps=(step,),
        effect=f"the group holds {format_bytes(group.usage)}, of which {format_bytes(cache)} is page cache",
        frees=cache if size is None else min(size, cache + swap_free),
        risk="reclaimed pages are read back when needed: the group is slower for a while",
        warnings=tuple(warnings),
    )


def _reclaim_now(group: CgroupTarget, text: str, file: KernelFile, report: Callable[[str], None]) -> Outcome:
    """Reclaim; less than requested is not a failure."""
    before, started = group.usage, time.monotonic()
    report("reclaiming")
    details: tuple[str, ...] = ()
    try:
        file.write(text)
    except OSError as error:
        if error.errno not in (errno.EAGAIN, errno.EBUSY):
            raise
        details = ("the kernel could not reclaim the requested amount",)
    after = group.usage
    freed = None if before is None or after is None else before - after
    seconds = time.monotonic() - started
    return Outcome(
        action=ACTION,
        status=Status.PARTLY if details else Status.DONE,
        summary=f"{printable(group.path)} gave back {format_bytes(freed)} in {seconds:.1f} s",
        details=details,
        freed=freed,
        seconds=seconds,
        before=format_bytes(before),
        after=format_bytes(after),
    )
