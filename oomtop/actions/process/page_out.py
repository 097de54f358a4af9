"""Page a process out: `process_madvise(MADV_PAGEOUT)` over its private mappings (5.10+).

process_madvise(2), `/proc/PID/maps` (Documentation/filesystems/proc.rst, 1.1).  Anonymous memory needs
swap; clean file pages are dropped.  The call needs CAP_SYS_NICE and the right to ptrace the target.
Sample line: `7f1c2a000000-7f1c2a021000 rw-p 00000000 00:00 0`
"""

from __future__ import annotations

import ctypes
import errno
import os
import time
from collections.abc import Callable, Sequence
from functools import partial

from oomtop.actions.base.context import ActionContext
from oomtop.actions.base.errno_text import in_words
from oomtop.actions.base.plan import Outcome, Plan, Status
from oomtop.actions.base.prepared import PreparedAction, refused
from oomtop.actions.base.requests import ReclaimProcessRequest
from oomtop.actions.process.handle import ProcessHandle, open_allowed, require
from oomtop.errors import ActionRefused, ParseError
from oomtop.frozen import frozen
from oomtop.host.meminfo import Meminfo
from oomtop.host.process import Process
from oomtop.units import format_bytes, printable

ACTION = "reclaim"
_PROCESS_MADVISE = 440
_MADV_PAGEOUT = 21
_LIBC = ctypes.CDLL(None, use_errno=True)
# One range per call: a refused range (VM_PFNMAP, locked) would end a vector early.
_SPECIAL = (b"[vvar]", b"[vdso]", b"[vsyscall]", b"[vvar_vclock]")


@frozen
class Range:
    """One mapping: its start and size in bytes."""

    start: int
    size: int


class _IoVec(ctypes.Structure):
    """`struct iovec` of sys/uio.h."""

    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


def parse_maps(raw: bytes) -> tuple[Range, ...]:
    """Return the private mappings that can be paged out.

    Raises:
        ParseError: a line without an address range.
    """
    found: list[Range] = []
    for line in raw.splitlines():
        words = line.split(None, 5)
        try:
            start, end = (int(part, 16) for part in words[0].split(b"-"))
            flags = words[1]
        except (IndexError, ValueError):
            raise ParseError("/proc/PID/maps", line[:80].decode("utf-8", "backslashreplace")) from None
        special = len(words) > 5 and words[5] in _SPECIAL
        if flags[3:4] == b"p" and flags[:3] != b"---" and not special:
            found.append(Range(start, end - start))
    return tuple(found)


def prepare_reclaim_process(request: ReclaimProcessRequest, context: ActionContext) -> PreparedAction:
    """Open the process and plan how much can be paged out."""
    title = f"Page out {request.target.pid}"
    try:
        context.guard.check_mode()
        with open_allowed(request.target, context, request.override) as (handle, process):
            require(_mappings_refusal(handle), process)
            return PreparedAction(_plan(process, context), partial(_page_out_now, process, handle), [handle])
    except ActionRefused as refusal:
        return refused(ACTION, title, refusal)
    except OSError as error:
        return refused(ACTION, title, in_words(error))


def _mappings_refusal(handle: ProcessHandle) -> str | None:
    try:
        os.close(handle.open("maps", os.O_RDONLY))
    except OSError as error:
        return f"its mappings cannot be read: {in_words(error)}; needs the same user or CAP_SYS_PTRACE"
    return None


def _plan(process: Process, context: ActionContext) -> Plan:
    swap_free = context.meminfo.swap_free or 0
    anon = process.rss_anon if process.rss_anon is not None else process.rss
    files = max(0, process.rss - anon)
    return Plan(
        action=ACTION,
        title=f"Page out {process.pid} ({printable(process.comm)})",
        steps=("process_madvise(MADV_PAGEOUT) over its private mappings",),
        targets=(context.target(process),),
        effect=f"{_swapped(anon, context.meminfo)}; of {format_bytes(files)} of file and shared pages those that no "
        "other process maps are dropped",
        frees=min(anon, swap_free) + files,
        risk="pages are faulted back in on access: slower for a while, nothing is lost",
    )


def _swapped(anon: int, meminfo: Meminfo) -> str:
    """Return how much of the anonymous memory can go to swap."""
    free, held = meminfo.swap_free or 0, format_bytes(anon)
    if not free:
        why = "swap is full" if meminfo.swap_total else "there is no swap"
        return f"{why}: all {held} of anonymous memory stay in RAM"
    if free < anon:
        return f"up to {format_bytes(free)} of {held} of anonymous memory to swap, which is full then"
    return f"up to {held} of anonymous memory to swap ({format_bytes(free)} free)"


def _page_out_now(process: Process, handle: ProcessHandle, report: Callable[[str], None]) -> Outcome:
    """Page out range by range; those that the kernel refuses are counted and skipped."""
    started, before = time.monotonic(), handle.facts()
    try:
        handle.require_same()
        ranges = parse_maps(handle.read("maps"))
    except (ActionRefused, ParseError) as error:
        return Outcome(ACTION, Status.FAILED, str(error))
    report(f"paging out {len(ranges)} mappings")
    errors = [code for item in ranges if (code := _page_out(handle.pidfd, item))]
    if len(errors) == len(ranges):
        return Outcome(ACTION, Status.FAILED, _failure(errors))
    seconds, after = time.monotonic() - started, handle.facts()
    if before is None or after is None:
        return Outcome(ACTION, Status.PARTLY, "it exited meanwhile", seconds=seconds)
    return Outcome(
        action=ACTION,
        status=Status.DONE,
        summary=f"{process.pid} ({printable(process.comm)}): resident {format_bytes(before.rss)} -> "
        f"{format_bytes(after.rss)} in {seconds:.1f} s",
        details=(f"{len(errors)} of {len(ranges)} mappings were refused ({_failure(errors)})",) if errors else (),
        freed=before.rss - after.rss,
        seconds=seconds,
        before=format_bytes(before.rss),
        after=format_bytes(after.rss),
    )


def _page_out(pidfd: int, item: Range) -> int:
    """Return 0, or the errno; a large range is taken in several calls."""
    done = 0
    while done < item.size:
        vector = _IoVec(item.start + done, item.size - done)
        ctypes.set_errno(0)
        taken: int = _LIBC.syscall(
            ctypes.c_long(_PROCESS_MADVISE),
            ctypes.c_long(pidfd),
            ctypes.byref(vector),
            ctypes.c_ulong(1),
            ctypes.c_long(_MADV_PAGEOUT),
            ctypes.c_ulong(0),
        )
        if taken <= 0:
            return ctypes.get_errno()
        done += taken
    return 0


def _failure(errors: Sequence[int]) -> str:
    if not errors:
        return "it has no private mapping"
    if errors[0] in (errno.EPERM, errno.EACCES):
        return f"{in_words(OSError(errors[0], ''))}: needs CAP_SYS_NICE and ptrace permission"
    return in_words(OSError(errors[0], ""))
