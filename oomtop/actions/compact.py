"""Compaction: write 1 to `/proc/sys/vm/compact_memory`, so that large contiguous blocks become free.

Documentation/admin-guide/sysctl/vm.rst ("compact_memory"), `/proc/buddyinfo` (Documentation/filesystems/proc.rst).
Sample line: `Node 0, zone   Normal   5184   3690   2533   1814   1085    615    356    306    183     93    231`
"""

from __future__ import annotations

import time
from collections.abc import Callable

from oomtop.actions.context import ActionContext
from oomtop.actions.kernel_file import KernelFile
from oomtop.actions.plan import Outcome, Plan, Status
from oomtop.actions.prepared import PreparedAction, refused
from oomtop.actions.requests import CompactRequest
from oomtop.errors import ActionRefused, ParseError
from oomtop.host.root import Root, read_optional

ACTION = "compact"
FILE = "/proc/sys/vm/compact_memory"
# 2^9 pages of 4 KiB: the size of a transparent huge page on x86 and arm64.
HUGE_ORDER = 9


def parse_buddyinfo(text: str, path: str = "/proc/buddyinfo") -> tuple[int, ...]:
    """Return the free blocks of each order, all zones together.

    Raises:
        ParseError: a zone line with something else than counts.
    """
    totals: list[int] = []
    for line in text.splitlines():
        _, found, rest = line.partition("zone")
        if not found:
            continue
        try:
            counts = [int(word) for word in rest.split()[1:]]
        except ValueError:
            raise ParseError(path, line) from None
        totals.extend([0] * (len(counts) - len(totals)))
        for order, count in enumerate(counts):
            totals[order] += count
    return tuple(totals)


def huge_blocks(orders: tuple[int, ...]) -> int:
    """Return how many blocks of 2 MiB the free lists hold, larger ones split."""
    return sum(count << (order - HUGE_ORDER) for order, count in enumerate(orders) if order >= HUGE_ORDER)


def prepare_compact(request: CompactRequest, context: ActionContext) -> PreparedAction:
    """Open the file and return what compaction is for."""
    title = "Compact memory"
    reason = context.guard.mode_refusal()
    if reason is not None:
        return refused(ACTION, title, reason)
    try:
        file = KernelFile(context.root.at(FILE), "to run as root")
        blocks = huge_blocks(_read(context.root))
    except ActionRefused as refusal:
        return refused(ACTION, title, str(refusal))
    except ParseError as error:
        file.close()
        return refused(ACTION, title, str(error))
    plan = Plan(
        action=ACTION,
        title=title,
        steps=(f"write 1 to {FILE}",),
        effect=f"frees nothing; makes large blocks out of small ones ({blocks} blocks of 2 MiB are free now)",
        frees=0,
        risk="moves pages about: takes CPU for seconds on a large machine",
    )
    return PreparedAction(plan, _Compacting(context.root, file), [file])


def _read(root: Root) -> tuple[int, ...]:
    path = root.at("/proc/buddyinfo")
    return parse_buddyinfo(read_optional(path) or "", path)


class _Compacting:
    """Writes and compares the free lists; called once."""

    def __init__(self, root: Root, file: KernelFile) -> None:
        self._root = root
        self._file = file

    def __call__(self, report: Callable[[str], None]) -> Outcome:
        """Compact, and say how many large blocks there are afterwards."""
        started = time.monotonic()
        try:
            before = huge_blocks(_read(self._root))
            report("the kernel compacts")
            self._file.write("1")
            after = huge_blocks(_read(self._root))
        except ParseError as error:
            return Outcome(ACTION, Status.FAILED, str(error))
        seconds = time.monotonic() - started
        return Outcome(
            action=ACTION,
            status=Status.DONE,
            summary=f"free blocks of 2 MiB: {before} -> {after} in {seconds:.1f} s",
            seconds=seconds,
            before=str(before),
            after=str(after),
        )
