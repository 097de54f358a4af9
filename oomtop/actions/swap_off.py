"""Switch swap off, after a check that what is in it fits elsewhere.

swapoff(2), `/proc/swaps` (Documentation/filesystems/proc.rst).  The kernel reads every page back; when that does not
fit, the OOM killer acts in the middle of it.
"""

from __future__ import annotations

import contextlib
import os
import stat
import threading
import time
from collections.abc import Callable

from oomtop.actions.context import ActionContext
from oomtop.actions.plan import Outcome, Plan, Status
from oomtop.actions.prepared import PreparedAction, refused
from oomtop.actions.privileges import Capability, has_capability
from oomtop.actions.requests import SwapOffRequest
from oomtop.actions.swap_calls import swapoff
from oomtop.actions.words import in_words
from oomtop.errors import ActionRefused, ParseError
from oomtop.host.meminfo import Meminfo, read_meminfo
from oomtop.host.root import Root
from oomtop.host.swaps import SwapDevice, read_swaps
from oomtop.units import format_bytes, printable

ACTION = "swap"
# What must be left over, so that the way back does not itself end in an OOM kill.
_RESERVE = 0.05
_NEWS_SECONDS = 0.5


def prepare_swap_off(request: SwapOffRequest, context: ActionContext) -> PreparedAction:
    """Check that the contents fit and return what is going to be read back."""
    title = f"Stop swapping to {printable(request.path)}"
    try:
        device = _checked(request, context)
    except (ActionRefused, ParseError) as refusal:
        return refused(ACTION, title, str(refusal))
    steps = [f"swapoff: read {format_bytes(device.used)} back into memory"]
    if request.remove:
        steps.append(f"remove {printable(request.path)}")
    plan = Plan(
        action=ACTION,
        title=title,
        steps=tuple(steps),
        effect=f"{format_bytes(device.size)} less of swap",
        risk="takes minutes when much is swapped out, and memory fills meanwhile",
    )
    return PreparedAction(plan, _SwitchingOff(request, context.root))


def room_without(device: SwapDevice, devices: tuple[SwapDevice, ...], meminfo: Meminfo) -> int:
    """Return how many bytes there are for what `device` holds: available memory and the other swap."""
    others = sum(other.size - other.used for other in devices if other.filename != device.filename)
    available = meminfo.mem_available if meminfo.mem_available is not None else meminfo.mem_free
    return max(0, int(available - meminfo.mem_total * _RESERVE)) + others


def _checked(request: SwapOffRequest, context: ActionContext) -> SwapDevice:
    mode = context.guard.mode_refusal()
    if mode is not None:
        raise ActionRefused(mode)
    devices = read_swaps(context.root)
    device = _find(request.path, devices)
    if device is None:
        raise ActionRefused("it is no swap area in use")
    if not has_capability(Capability.SYS_ADMIN):
        raise ActionRefused("not permitted: swapoff needs CAP_SYS_ADMIN")
    room = room_without(device, devices, read_meminfo(context.root))
    if device.used > room and not request.override:
        raise ActionRefused(
            f"does not fit: {format_bytes(device.used)} is in it, and there is room for {format_bytes(room)}; "
            "the OOM killer would act"
        )
    return device


def _find(path: str, devices: tuple[SwapDevice, ...]) -> SwapDevice | None:
    """`/proc/swaps` writes a blank in a name as `\\040`."""
    escaped = path.replace(" ", "\\040")
    return next((device for device in devices if device.filename == escaped), None)


class _SwitchingOff:
    """Switches off with news of how much is left, then removes the file; called once."""

    def __init__(self, request: SwapOffRequest, root: Root) -> None:
        self._request = request
        self._root = root

    def __call__(self, report: Callable[[str], None]) -> Outcome:
        """Switch off in a thread of its own: the call returns only when everything is read back."""
        path, started = self._request.path, time.monotonic()
        problems: list[OSError] = []
        thread = threading.Thread(target=_switch, args=(path, problems), name="oomtop-swapoff", daemon=True)
        thread.start()
        while thread.is_alive():
            thread.join(_NEWS_SECONDS)
            device = self._device()
            if thread.is_alive() and device is not None:
                report(f"{format_bytes(device.used)} still to read back")
        if problems:
            raise problems[0]
        details = self._remove() if self._request.remove else ()
        return Outcome(
            action=ACTION,
            status=Status.PARTLY if details else Status.DONE,
            summary=f"{printable(path)} is off after {time.monotonic() - started:.1f} s",
            details=details,
            seconds=time.monotonic() - started,
            before="in use",
            after="off",
        )

    def _device(self) -> SwapDevice | None:
        with contextlib.suppress(ParseError):
            return _find(self._request.path, read_swaps(self._root))
        return None

    def _remove(self) -> tuple[str, ...]:
        """Only a regular file is ever removed; return the problem, if any."""
        path = self._request.path
        try:
            if not stat.S_ISREG(os.lstat(path).st_mode):
                return (f"{printable(path)} is no regular file and stays",)
            os.unlink(path)
        except OSError as error:
            return (f"{printable(path)} stays: {in_words(error)}",)
        return ()


def _switch(path: str, problems: list[OSError]) -> None:
    try:
        swapoff(path)
    except OSError as error:
        problems.append(error)
