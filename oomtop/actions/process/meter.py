"""Measures the memory freed when processes exit, from their cgroups or the whole machine.

The figures of a process do not show it: copy-on-write, `CLONE_VM` and vfork pages stay with others, tmpfs and shared
memory may go or stay.  Other processes change the same counters, so only intervals count in which
one of the processes is exiting.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from oomtop.actions.base.context import ActionContext
from oomtop.errors import ParseError
from oomtop.host.checked_meminfo import read_meminfo
from oomtop.host.process import Process
from oomtop.host.root import Root, read_int


class Meter:
    """Sums the memory freed between reads."""

    def __init__(self, processes: Iterable[Process], context: ActionContext) -> None:
        self._root = context.root
        self._files = _usage_files([process.cgroup for process in processes], context)
        self._last: int | None = None
        self._sum: int | None = None

    def look(self, are_going: bool) -> None:
        """Read again; the difference counts if processes were exiting since the last read."""
        now = self._held()
        if are_going and now is not None and self._last is not None:
            self._sum = (self._sum or 0) + self._last - now
        self._last = now

    @property
    def came_back(self) -> int | None:
        """Freed bytes, None if nothing was measured."""
        return None if self._sum is None else max(0, self._sum)

    def _held(self) -> int | None:
        if not self._files:
            return _held_by_all(self._root)
        found = [read_int(file) for file in self._files]
        return None if None in found else sum(value for value in found if value is not None)


def _usage_files(paths: Sequence[str | None], context: ActionContext) -> tuple[str, ...]:
    """Return the usage files of the topmost groups; empty if a process is in the root group."""
    layout = context.layout
    own = {path.rstrip("/") for path in paths if path is not None}
    if layout is None or None in paths or "" in own:
        return ()
    name = "memory.current" if layout.version == 2 else "memory.usage_in_bytes"
    uppermost = [path for path in own if not any(path.startswith(f"{other}/") for other in own)]
    return tuple(f"{layout.memory_mount}{path}/{name}" for path in sorted(uppermost))


def _held_by_all(root: Root) -> int | None:
    """Return the memory of all processes and tmpfs; the page cache changes independently of exits."""
    try:
        found = read_meminfo(root)
    except ParseError:
        return None
    parts = (found.anon_pages, found.shmem, found.page_tables)
    swap = (found.swap_total or 0) - (found.swap_free or 0)
    return None if None in parts else swap + sum(part for part in parts if part is not None)
