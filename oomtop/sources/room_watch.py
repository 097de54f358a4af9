"""`RoomWatch`: what one limit has room for, read several times a second from kept descriptors.

`memory.current` and `memory.stat` of a group (v1: `memory.usage_in_bytes`); `/proc/meminfo` for the machine.
"""

from __future__ import annotations

import time

from oomtop.analysis.dangers.trigger import Room
from oomtop.host.cgroup import CgroupLayout
from oomtop.host.checked_meminfo import read_meminfo
from oomtop.host.group_use import GroupFiles
from oomtop.host.root import Root


class RoomWatch:
    """Reads one limit; has to be closed."""

    def __init__(self, root: Root, layout: CgroupLayout | None, path: str | None, limit: int) -> None:
        """Watch the group at `path`, or the machine where it is None; `limit` in bytes."""
        self._root = root
        self._files = GroupFiles(layout, path) if layout is not None and path is not None else None
        self._limit = limit

    def close(self) -> None:
        """Give the descriptors back."""
        if self._files is not None:
            self._files.close()

    def read(self) -> Room | None:
        """Return the room that is left, None where the group is gone.

        Raises:
            ParseError: `/proc/meminfo` is malformed.
        """
        now = time.monotonic()
        if self._files is None:
            info = read_meminfo(self._root)
            return Room(now, (info.mem_available or info.mem_free or 0) + (info.swap_free or 0), self._limit)
        usage, split = self._files.usage(), self._files.split()
        if usage is None or split is None:
            return None
        return Room(now, self._limit - (usage - split.cache), self._limit)
