"""Drop caches: `sync`, then write 1, 2 or 3 to `/proc/sys/vm/drop_caches`.

Documentation/admin-guide/sysctl/vm.rst ("drop_caches").  The file needs uid 0; no capability
replaces it.  The kernel logs each write (`oomtop (4711): drop_caches: 3`).
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import partial

from oomtop.actions.base.context import ActionContext
from oomtop.actions.base.kernel_file import KernelFile
from oomtop.actions.base.plan import Outcome, Plan, Status
from oomtop.actions.base.prepared import PreparedAction, refused
from oomtop.actions.base.requests import DropCachesRequest
from oomtop.errors import ActionRefused, ParseError
from oomtop.host.checked_meminfo import read_meminfo
from oomtop.host.meminfo import Meminfo
from oomtop.host.root import Root
from oomtop.units import format_bytes

ACTION = "drop-caches"
FILE = "/proc/sys/vm/drop_caches"
_WHAT = {1: "page cache", 2: "dentries and inodes", 3: "page cache, dentries and inodes"}
# Less than a twentieth of RAM is used up again before the next sample.
_WORTH_IT = 0.05


def clean_cache(meminfo: Meminfo) -> int:
    """Return the page cache that can be dropped: not tmpfs, dirty or mapped."""
    cached = (meminfo.cached or 0) + (meminfo.buffers or 0) - (meminfo.shmem or 0)
    pinned = (meminfo.dirty or 0) + (meminfo.writeback or 0) + max(0, (meminfo.mapped or 0) - (meminfo.shmem or 0))
    return max(0, cached - pinned)


def prepare_drop_caches(request: DropCachesRequest, context: ActionContext) -> PreparedAction:
    """Open the file and plan how much can be dropped."""
    title = f"Drop caches ({request.level}: {_WHAT.get(request.level, '?')})"
    try:
        context.guard.check_mode()
        if request.level not in _WHAT:
            raise ActionRefused("the level must be 1 (page cache), 2 (dentries and inodes) or 3 (both)")
        file = KernelFile(context.root.at(FILE), "to run as root: the kernel requires uid 0 here, no capability helps")
    except ActionRefused as refusal:
        return refused(ACTION, title, str(refusal))
    return PreparedAction(
        _plan(title, request.level, context.meminfo), partial(_drop_now, request.level, context.root, file), [file]
    )


def _plan(title: str, level: int, meminfo: Meminfo) -> Plan:
    cache = clean_cache(meminfo) if level & 1 else 0
    slab = (meminfo.s_reclaimable or 0) if level & 2 else 0
    parts = [
        f"{format_bytes(size)} of {what}"
        for size, what in ((cache, "clean page cache"), (slab, "reclaimable slab"))
        if size
    ]
    return Plan(
        action=ACTION,
        title=title,
        steps=("sync: write back dirty pages first", f"write {level} to {FILE}"),
        effect=f"frees up to {' and '.join(parts) or '0B'}; MemAvailable already includes it",
        frees=cache + slab,
        risk="dropped data is read from disk again: programs are slower for a while; nothing is lost",
        warnings=_warnings(cache + slab, meminfo),
    )


def _warnings(gain: int, meminfo: Meminfo) -> tuple[str, ...]:
    if gain >= meminfo.mem_total * _WORTH_IT:
        return ()
    anon = meminfo.anon_pages
    owner = f", {format_bytes(anon)} is anonymous memory of processes, which no cache drop frees" if anon else ""
    return (f"will not help: only {format_bytes(gain)} can be dropped{owner}",)


def _drop_now(level: int, root: Root, file: KernelFile, report: Callable[[str], None]) -> Outcome:
    """Drop, and compare the memory account before and after."""
    started = time.monotonic()
    report("writing back dirty pages (sync)")
    os.sync()
    try:
        before = read_meminfo(root)
        report(f"writing {level} to {FILE}")
        file.write(str(level))
        after = read_meminfo(root)
    except ParseError as error:
        return Outcome(ACTION, Status.FAILED, str(error))
    return _outcome(before, after, time.monotonic() - started)


def _outcome(before: Meminfo, after: Meminfo, seconds: float) -> Outcome:
    freed = (after.mem_free or 0) - (before.mem_free or 0)
    gained = (after.mem_available or 0) - (before.mem_available or 0)
    return Outcome(
        action=ACTION,
        status=Status.DONE,
        summary=f"dropping caches freed {format_bytes(max(0, freed))} in {seconds:.1f} s; "
        f"MemAvailable {_signed(gained)}",
        details=(
            _compared("page cache", before.cached, after.cached),
            _compared("reclaimable slab", before.s_reclaimable, after.s_reclaimable),
            _compared("MemFree", before.mem_free, after.mem_free),
        ),
        freed=freed,
        seconds=seconds,
        before=_account(before),
        after=_account(after),
    )


def _signed(value: int) -> str:
    return format_bytes(value) if value < 0 else f"+{format_bytes(value)}"


def _compared(what: str, before: int | None, after: int | None) -> str:
    return f"{what}: {format_bytes(before)} -> {format_bytes(after)}"


def _account(meminfo: Meminfo) -> str:
    return (
        f"Cached {format_bytes(meminfo.cached)}, SReclaimable {format_bytes(meminfo.s_reclaimable)}, "
        f"MemAvailable {format_bytes(meminfo.mem_available)}"
    )
