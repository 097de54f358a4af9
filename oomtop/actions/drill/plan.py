"""A drill: a controlled failure in a cgroup with a hard limit, to test the machine and its alerts.

Only the group is at risk: the limit is hard, the load joins it before its first allocation, and the machine must
have twice the limit to spare.  Load and group are removed afterwards, even if oomtop is killed.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Mapping
from functools import partial

from oomtop.actions.base.context import ActionContext
from oomtop.actions.base.plan import Outcome, Plan, Status, Target
from oomtop.actions.base.prepared import PreparedAction, refused
from oomtop.actions.base.requests import DrillKind, DrillRequest
from oomtop.actions.drill.group import PREFIX, DrillGroup, begin, remove_leftovers
from oomtop.errors import ActionRefused
from oomtop.frozen import frozen
from oomtop.host.cgroup import CgroupLayout
from oomtop.host.process import ProcessId
from oomtop.units import format_bytes, format_duration, format_rate

ACTION = "drill"
_MIB = 1 << 20
_SMALLEST = 32 * _MIB
_LOOK_SECONDS = 0.2


@frozen
class Drill:
    """What a drill does, and its default size."""

    what: str
    size: int
    rate: int
    seconds: float
    is_killed: bool = True


KINDS: Mapping[DrillKind, Drill] = {
    DrillKind.LEAK: Drill("one process grows slowly until the limit kills it", 256 * _MIB, 4 * _MIB, 180),
    DrillKind.SURGE: Drill("one process grows fast until the limit kills it", 1024 * _MIB, 64 * _MIB, 60),
    DrillKind.SWARM: Drill("many small processes fill the group until one is killed", 512 * _MIB, 32 * _MIB, 60),
    DrillKind.CACHE: Drill("a file of twice the limit is read: page cache, no kill", 256 * _MIB, 64 * _MIB, 30, False),
    DrillKind.FRAGMENT: Drill("free memory is split into single pages: no kill", 512 * _MIB, 256 * _MIB, 30, False),
}  # fmt: skip


def prepare_drill(request: DrillRequest, context: ActionContext) -> PreparedAction:
    """Return the plan of the drill, or why it cannot start."""
    kind = KINDS[request.kind]
    title = f"Drill {request.kind.value}: {kind.what}"
    try:
        layout, limit = _checked(request, context)
    except ActionRefused as refusal:
        return refused(ACTION, title, str(refusal))
    group = DrillGroup(layout, f"{PREFIX}{os.getpid()}", limit)
    rate, seconds = request.rate or kind.rate, request.seconds or kind.seconds
    plan = Plan(
        action=ACTION,
        title=title,
        steps=(
            f"mkdir {group.folder}",
            *(f"write {value} to {name}" for name, value in group.writes()),
            f"allocate in it at {format_rate(rate)}, for at most {format_duration(seconds)}",
            f"kill what is left, rmdir {group.folder}",
        ),
        effect=f"{group.path} reaches {format_bytes(limit)}, the kernel kills in it" if kind.is_killed else "no kill",
        risk="alerts may fire; nothing outside the group is limited or killed",
    )
    return PreparedAction(plan, partial(_drill_now, request.kind, group, rate, seconds))


def _checked(request: DrillRequest, context: ActionContext) -> tuple[CgroupLayout, int]:
    context.guard.check_mode()
    layout = context.require_layout()
    if not os.access(layout.memory_mount, os.W_OK):
        raise ActionRefused("not permitted: making a group needs root")
    room = _room(context)
    limit = request.size or min(KINDS[request.kind].size, room // 4 // _MIB * _MIB)
    if limit < _SMALLEST:
        raise ActionRefused(f"{format_bytes(limit)} is too small: a drill needs {format_bytes(_SMALLEST)}")
    if room < 2 * limit:
        raise ActionRefused(f"a drill of {format_bytes(limit)} needs twice that to spare; {format_bytes(room)} is free")
    if request.kind is DrillKind.CACHE:
        _check_disk(limit)
    return layout, limit


def _room(context: ActionContext) -> int:
    """Return the memory that the machine, or oomtop's container, has to spare."""
    free = context.meminfo.mem_available or context.meminfo.mem_free or 0
    top = next((group for group in context.cgroups if group.path == "/"), None)
    if top is None or top.max is None or top.current is None:
        return free
    return min(free, top.max - top.current)


def _check_disk(limit: int) -> None:
    folder = os.environ.get("TMPDIR", "/var/tmp")
    try:
        disk = os.statvfs(folder)
    except OSError as error:
        raise ActionRefused(f"{folder}: {os.strerror(error.errno or 0)}") from None
    # On tmpfs the file would be shared memory, not page cache.
    if _is_tmpfs(folder):
        raise ActionRefused(f"{folder} is on tmpfs: set TMPDIR to a folder on a disk")
    if disk.f_bavail * disk.f_frsize < 4 * limit:
        raise ActionRefused(f"{folder} has too little space for a file of {format_bytes(2 * limit)}")


def _is_tmpfs(folder: str) -> bool:
    real, best, kind = os.path.realpath(folder), "", ""
    with open("/proc/self/mounts", encoding="utf-8", errors="surrogateescape") as file:
        for words in (line.split() for line in file):
            inside = real == words[1] or real.startswith(words[1].rstrip("/") + "/")
            if inside and len(words[1]) >= len(best):
                best, kind = words[1], words[2]
    return kind in ("tmpfs", "ramfs")


def _drill_now(kind: DrillKind, group: DrillGroup, rate: int, seconds: float, report: Callable[[str], None]) -> Outcome:
    """Make the group, start the load, wait for its end, clean up."""
    for path in remove_leftovers(group.layout):
        report(f"removed {path}, which an earlier drill left")
    group.make()
    sweeper = group.start_sweeper()
    try:
        load, begun = group.start_load(kind.value, rate), time.monotonic()
        try:
            report(f"{kind.value} runs as pid {load.pid} in {group.path}, limit {format_bytes(group.limit)}")
            return _watch(load, kind, group, seconds, report)
        except KeyboardInterrupt:
            return _ended(load, kind, group, group.peak() or 0, "stopped", time.monotonic() - begun)
        finally:
            load.kill()
            load.wait()
    finally:
        sweeper.communicate()
        report(f"{group.path} is removed")


def _watch(
    load: subprocess.Popen[bytes], kind: DrillKind, group: DrillGroup, seconds: float, report: Callable[[str], None]
) -> Outcome:
    begun, quarter = time.monotonic(), 0
    begin(load)
    peak, kills = 0, 0
    while load.poll() is None and not kills and time.monotonic() - begun < seconds:
        time.sleep(_LOOK_SECONDS)
        peak, kills = max(peak, group.peak() or 0), group.kills()
        if peak * 4 // group.limit > quarter:
            quarter = peak * 4 // group.limit
            report(f"{format_bytes(peak)} of {format_bytes(group.limit)}")
    took = time.monotonic() - begun
    kills = kills or group.kills()
    if kills or load.poll() is None:
        return _ended(load, kind, group, peak, "killed" if kills else "time is up", took)
    return Outcome(ACTION, Status.FAILED, f"the load exited with code {load.returncode}", seconds=took)


def _ended(
    load: subprocess.Popen[bytes], kind: DrillKind, group: DrillGroup, peak: int, how: str, took: float
) -> Outcome:
    who = Target(ProcessId(load.pid, 0), f"oomtop-{kind.value}", None, "", None, peak, peak)
    end = {"killed": f"the kernel killed in {group.path}", "stopped": "stopped"}.get(how, "nothing was killed")
    return Outcome(
        action=ACTION,
        status=Status.DONE,
        summary=f"{end} after {format_duration(took)}; it held {format_bytes(peak)}",
        freed=peak,
        seconds=took,
        after=how,
        ended=(who,) if how == "killed" else (),
    )
