"""Turn swap off, after checking that its contents fit elsewhere.

swapoff(2), `/proc/swaps` (Documentation/filesystems/proc.rst).  The kernel reads every page back; if that does not
fit, the OOM killer runs meanwhile.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable
from functools import partial

from oomtop.actions.base.context import ActionContext
from oomtop.actions.base.errno_text import in_words
from oomtop.actions.base.plan import Outcome, Plan, Status
from oomtop.actions.base.prepared import PreparedAction, refused
from oomtop.actions.base.requests import SwapOffRequest
from oomtop.actions.swap.artifacts import Remain, find_remains
from oomtop.actions.swap.syscalls import swapoff
from oomtop.errors import ActionRefused, NothingLeft, ParseError
from oomtop.host.checked_meminfo import read_meminfo
from oomtop.host.meminfo import Meminfo
from oomtop.host.privileges import Capability, has_capability
from oomtop.host.root import Root
from oomtop.host.swaps import SwapDevice, read_swaps
from oomtop.threads import begin
from oomtop.units import format_bytes, format_duration, printable

ACTION = "swap"
# Memory that must be left over, so that swapoff does not cause an OOM kill.
_RESERVE = 0.05
_NEWS_SECONDS = 0.5


def prepare_swap_off(request: SwapOffRequest, context: ActionContext) -> PreparedAction:
    """Check that the contents fit and plan the swapoff and the removal."""
    title = f"Stop swapping to {printable(request.path)}"
    try:
        device = _checked(request, context)
        remains = find_remains(request.path, device is not None, context.root) if request.remove else ()
        if device is None and not remains:
            raise NothingLeft("not a swap area in use" + (", and it has no remains" * request.remove))
    except (ActionRefused, ParseError) as refusal:
        return refused(ACTION, title, refusal)
    except OSError as error:
        return refused(ACTION, title, in_words(error))
    steps = [f"swapoff: read {format_bytes(device.used)} back into memory"] if device is not None else []
    plan = Plan(
        action=ACTION,
        title=title if device is not None else f"Remove the remains of {printable(request.path)}",
        steps=(*steps, *(f"remove {remain.words}" for remain in remains)),
        effect="" if device is None else f"{format_bytes(device.size)} less swap",
        risk="" if device is None else "takes minutes if much is swapped out, and uses memory meanwhile",
        recovery=request if remains else None,
    )
    return PreparedAction(plan, partial(_remove_now, request.path, device is not None, remains, context.root))


def room_without(device: SwapDevice, devices: tuple[SwapDevice, ...], meminfo: Meminfo) -> int:
    """Return the bytes available for the contents of `device`: available memory and the other swap."""
    others = sum(other.size - other.used for other in devices if other.filename != device.filename)
    available = meminfo.mem_available if meminfo.mem_available is not None else meminfo.mem_free
    return max(0, int((available or 0) - meminfo.mem_total * _RESERVE)) + others


def _checked(request: SwapOffRequest, context: ActionContext) -> SwapDevice | None:
    context.guard.check_mode()
    devices = read_swaps(context.root)
    device = _find(request.path, devices)
    if not has_capability(Capability.SYS_ADMIN):
        raise ActionRefused("not permitted: swapoff needs CAP_SYS_ADMIN")
    if device is None:
        return None
    room = room_without(device, devices, read_meminfo(context.root))
    if device.used > room and not request.override:
        raise ActionRefused(
            f"does not fit: {format_bytes(device.used)} is swapped out, and there is room for {format_bytes(room)}; "
            "the OOM killer would run"
        )
    return device


def _find(path: str, devices: tuple[SwapDevice, ...]) -> SwapDevice | None:
    """Find the device; `/proc/swaps` has its path with links resolved."""
    names = (path, os.path.realpath(path))
    return next((device for device in devices if device.path in names), None)


def _remove_now(
    path: str, in_use: bool, remains: tuple[Remain, ...], root: Root, report: Callable[[str], None]
) -> Outcome:
    """Turn off and remove the remains; fstab first, so that a boot meanwhile does not look for a missing file."""
    started = time.monotonic()
    details = [_remove(remain) for remain in remains if remain.is_line]
    if in_use:
        _switch_off(path, root, report)
    details += [_remove(remain) for remain in remains if not remain.is_line]
    problems = tuple(detail for detail in details if detail is not None)
    seconds = time.monotonic() - started
    return Outcome(
        action=ACTION,
        status=Status.PARTLY if problems else Status.DONE,
        summary=f"{printable(path)} is {'off' if in_use else 'removed'} after {seconds:.1f} s",
        details=problems,
        seconds=seconds,
        before="in use" if in_use else "not in use",
        after="off",
    )


def _switch_off(path: str, root: Root, report: Callable[[str], None]) -> None:
    """Turn off in a separate thread: the call returns only when everything is read back."""
    problems: list[OSError] = []
    thread = threading.Thread(target=_switch, args=(path, problems), name="oomtop-swapoff", daemon=True)
    started, first = time.monotonic(), _device(path, root)
    try:
        begin(thread)
    except RuntimeError:
        # No memory for another thread: run without progress reports.
        _switch(path, problems)
    while thread.is_alive():
        thread.join(_NEWS_SECONDS)
        device = _device(path, root)
        if thread.is_alive() and device is not None and first is not None:
            report(_progress(device.used, first.used, time.monotonic() - started))
    if problems:
        raise problems[0]


def _device(path: str, root: Root) -> SwapDevice | None:
    with contextlib.suppress(ParseError):
        return _find(path, read_swaps(root))
    return None


def _remove(remain: Remain) -> str | None:
    """Return the problem, if any."""
    try:
        remain.remove()
    except OSError as error:
        return f"{remain.words} could not be removed: {in_words(error)}"
    return None


def _progress(left: int, total: int, seconds: float) -> str:
    """Return how much is left, and the estimated time."""
    done = total - left
    share = f"{done / total:.0%} read back, " if total else ""
    rest = f", about {format_duration(left * seconds / done)}" if done > 0 else ""
    return f"{share}{format_bytes(left)} to go{rest}"


def _switch(path: str, problems: list[OSError]) -> None:
    try:
        swapoff(path)
    except OSError as error:
        problems.append(error)
