"""Add a zram device (compressed swap in memory), or remove one left by an interrupted run.

Documentation/admin-guide/blockdev/zram.rst.  It needs no disk and gains what compression saves; memory
that does not compress gains nothing.
"""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Callable
from functools import partial

from oomtop.actions.base.context import ActionContext
from oomtop.actions.base.errno_text import in_words
from oomtop.actions.base.plan import Outcome, Plan, Status
from oomtop.actions.base.prepared import PreparedAction, refused
from oomtop.actions.base.requests import SwapOffRequest, SweepZramRequest, ZramRequest
from oomtop.actions.swap.off import prepare_swap_off
from oomtop.actions.swap.syscalls import read_identity, swap_header, swapon
from oomtop.actions.swap.zram_device import (
    add_device,
    device_numbers,
    is_empty,
    is_loaded,
    load,
    parse_algorithms,
    remove_device,
    set_up,
)
from oomtop.errors import NothingLeft, ParseError
from oomtop.host.privileges import Capability, has_capability
from oomtop.host.root import Root, read_optional
from oomtop.host.swaps import read_swaps
from oomtop.units import format_bytes, printable

ACTION = "swap"
_SMALLEST = 1 << 20
# zstd keeps about a third; more than twice the RAM of pages may need more RAM than there is.
_MOST = 2.0


def prepare_zram(request: ZramRequest, context: ActionContext) -> PreparedAction:
    """Check the size and the algorithm, and plan the device."""
    title = f"Add {format_bytes(request.size)} of compressed swap in memory (zram)"
    reason = _refusal(request, context)
    if reason is not None:
        return refused(ACTION, title, reason)
    loads = () if is_loaded(context.root) else ("modprobe zram",)
    before = tuple(f"zram{number}" for number in device_numbers(context.root))
    identity = uuid.uuid4()
    plan = Plan(
        action=ACTION,
        title=title,
        steps=(
            *loads,
            "read /sys/class/zram-control/hot_add: a new device /dev/zramN",
            *((f"write {request.algorithm} to comp_algorithm",) if request.algorithm else ()),
            f"write {request.size} to disksize",
            f"write the swap signature, swapon(priority {request.priority})",
        ),
        effect=f"{format_bytes(request.size)} of pages fit in, using about a third to a half of that as RAM",
        risk="uses CPU; pages that do not compress take as much RAM as before",
        warnings=_warnings(request, context),
        undo="swapoff and remove the device",
        recovery=SweepZramRequest(before, str(identity)),
    )
    return PreparedAction(plan, partial(_add_zram, request, identity, context.root))


def _refusal(request: ZramRequest, context: ActionContext) -> str | None:
    mode = context.guard.mode_refusal()
    if mode is not None:
        return mode
    if request.size < _SMALLEST or (request.priority is not None and not 0 <= request.priority <= 0x7FFF):
        return f"the size must be at least {format_bytes(_SMALLEST)}, the priority from 0 to 32767"
    if request.algorithm is not None and not request.algorithm.replace("-", "").isalnum():
        return "the algorithm must be a name such as lz4, lzo-rle or zstd"
    if request.size > context.meminfo.mem_total * _MOST:
        return f"more than {_MOST:g} times the RAM: it may not fit"
    if not has_capability(Capability.SYS_ADMIN):
        return "not permitted: zram and swapon need CAP_SYS_ADMIN"
    return _algorithm_refusal(request.algorithm, context.root)


def _algorithm_refusal(algorithm: str | None, root: Root) -> str | None:
    """Check the algorithm against the list of an existing device; without one the kernel checks it."""
    for number in device_numbers(root)[:1]:
        known, _ = parse_algorithms(read_optional(root.at(f"/sys/block/zram{number}/comp_algorithm")) or "")
        if algorithm is not None and known and algorithm not in known:
            return f"this kernel has {', '.join(known)}, not {printable(algorithm)}"
    return None


def _warnings(request: ZramRequest, context: ActionContext) -> tuple[str, ...]:
    available = context.meminfo.mem_available
    if available is not None and available < request.size / 20:
        return (f"only {format_bytes(available)} is available: compressing needs some free memory first",)
    return ()


def _add_zram(request: ZramRequest, identity: uuid.UUID, root: Root, report: Callable[[str], None]) -> Outcome:
    """Load the module, add, set up, sign, turn on."""
    if not is_loaded(root):
        report("modprobe zram")
        load()
    number = add_device(root)
    path = root.at(f"/dev/zram{number}")
    try:
        algorithm = set_up(number, request.algorithm, request.size, root)
        report(f"zram{number}: {algorithm}, {format_bytes(request.size)}")
        _sign(path, request.size, identity)
        swapon(path, request.priority)
    except BaseException:
        with contextlib.suppress(OSError):
            remove_device(number, root)
        raise
    return Outcome(
        action=ACTION,
        status=Status.DONE,
        summary=f"{format_bytes(request.size)} of compressed swap at {path} ({algorithm})",
        before="no such device",
        after=f"in use, {format_bytes(request.size)}, {algorithm}",
        undo=SwapOffRequest(path, remove=True),
    )


def _sign(path: str, size: int, identity: uuid.UUID) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.pwrite(descriptor, swap_header(size, os.sysconf("SC_PAGE_SIZE"), identity), 0)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def prepare_sweep_zram(request: SweepZramRequest, context: ActionContext) -> PreparedAction:
    """Find the device that an interrupted action left: by its signature, or empty and not in use."""
    title = "Remove the zram device of an interrupted action"
    reason = context.guard.mode_refusal()
    if reason is None and not has_capability(Capability.SYS_ADMIN):
        reason = "not permitted: removing a zram device needs CAP_SYS_ADMIN"
    if reason is not None:
        return refused(ACTION, title, reason)
    try:
        used = {device.path for device in read_swaps(context.root)}
        left = _left_over(request, used, context.root)
    except (OSError, ParseError) as error:
        return refused(ACTION, title, in_words(error) if isinstance(error, OSError) else str(error))
    in_use = next((path for number in left if (path := f"/dev/zram{number}") in used), None)
    if in_use is not None:
        return prepare_swap_off(SwapOffRequest(in_use, remove=True, override=request.override), context)
    if not left:
        return refused(ACTION, title, NothingLeft("no such device is left"))
    plan = Plan(
        action=ACTION,
        title=f"Remove {', '.join(f'zram{number}' for number in left)}",
        steps=tuple(f"reset and hot_remove zram{number}" for number in left),
        effect="frees the memory of the devices",
        recovery=request,
    )
    return PreparedAction(plan, partial(_sweep_now, left, context.root))


def _left_over(request: SweepZramRequest, used: set[str], root: Root) -> tuple[int, ...]:
    found: list[int] = []
    for number in device_numbers(root):
        path = f"/dev/zram{number}"
        if f"zram{number}" in request.before:
            continue
        if str(read_identity(root.at(path))) == request.identity or (path not in used and is_empty(number, root)):
            found.append(number)
    return tuple(found)


def _sweep_now(numbers: tuple[int, ...], root: Root, report: Callable[[str], None]) -> Outcome:
    """Remove each device; the kernel returns EBUSY for one in use."""
    problems: list[str] = []
    for number in numbers:
        try:
            remove_device(number, root)
            report(f"zram{number} is removed")
        except OSError as error:
            problems.append(f"zram{number} could not be removed: {in_words(error)}")
    status = Status.DONE if not problems else Status.PARTLY
    count = len(numbers) - len(problems)
    return Outcome(ACTION, status if count else Status.FAILED, f"{count} devices removed", tuple(problems))
