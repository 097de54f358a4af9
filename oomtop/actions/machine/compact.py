"""Compaction: write 1 to `/proc/sys/vm/compact_memory`, to free large contiguous blocks.

Documentation/admin-guide/sysctl/vm.rst ("compact_memory").
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
from oomtop.actions.base.requests import CompactRequest
from oomtop.errors import ActionRefused, ParseError
from oomtop.host.buddyinfo import read_buddyinfo
from oomtop.host.root import Root
from oomtop.units import format_bytes

ACTION = "compact"
FILE = "/proc/sys/vm/compact_memory"
# 2^9 pages of 4 KiB: the size of a transparent huge page on x86 and arm64.
HUGE_ORDER = 9
_BLOCK = format_bytes(os.sysconf("SC_PAGE_SIZE") << HUGE_ORDER)


def huge_blocks(root: Root) -> int | None:
    """Return the number of free blocks of `HUGE_ORDER`, counting larger ones as several; None if unreadable.

    Raises:
        ParseError: `/proc/buddyinfo` has an unknown format.
    """
    zones = read_buddyinfo(root)
    return sum(zone.pages_from(HUGE_ORDER) for zone in zones) >> HUGE_ORDER if zones else None


def prepare_compact(request: CompactRequest, context: ActionContext) -> PreparedAction:
    """Open the file and plan the compaction."""
    title = "Compact memory"
    try:
        context.guard.check_mode()
        file = KernelFile(context.root.at(FILE), "to run as root")
        blocks = huge_blocks(context.root)
    except ActionRefused as refusal:
        return refused(ACTION, title, str(refusal))
    except ParseError as error:
        file.close()
        return refused(ACTION, title, str(error))
    now = f"{_shown(blocks)} blocks of {_BLOCK} are free now"
    plan = Plan(
        action=ACTION,
        title=title,
        steps=(f"write 1 to {FILE}",),
        effect=f"frees no memory; makes large free blocks out of small ones ({now})",
        frees=0,
        risk="moves pages: uses CPU for seconds on a large machine",
    )
    return PreparedAction(plan, partial(_compact_now, context.root, file), [file])


def _shown(blocks: int | None) -> str:
    return "-" if blocks is None else str(blocks)


def _compact_now(root: Root, file: KernelFile, report: Callable[[str], None]) -> Outcome:
    """Compact, and report the number of large blocks afterwards."""
    started = time.monotonic()
    try:
        before = huge_blocks(root)
        report("compacting")
        file.write("1")
        after = huge_blocks(root)
    except ParseError as error:
        return Outcome(ACTION, Status.FAILED, str(error))
    seconds = time.monotonic() - started
    return Outcome(
        action=ACTION,
        status=Status.DONE,
        summary=f"free blocks of {_BLOCK}: {_shown(before)} -> {_shown(after)} in {seconds:.1f} s",
        seconds=seconds,
        before=_shown(before),
        after=_shown(after),
    )
