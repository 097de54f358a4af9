"""What a cgroup uses, from kept descriptors: cheap enough for every second (3 us a file where an open costs 20).

`memory.current`, `memory.stat` and `memory.swap.current` (v2); `memory.usage_in_bytes` and `memory.stat` (v1).
"""

from __future__ import annotations

import os

from oomtop.errors import ParseError
from oomtop.frozen import frozen
from oomtop.host.cgroup import CgroupLayout, folder_of
from oomtop.host.root import parse_counters, whole

_BYTES = 8192
_USAGE = {1: "memory.usage_in_bytes", 2: "memory.current"}
_CACHE = {
    1: ("total_active_file", "total_inactive_file"),
    2: ("active_file", "inactive_file", "slab_reclaimable"),
}


@frozen
class Split:
    """How much of a group's usage is cache, and how much it has in swap besides; bytes."""

    cache: int
    swapped: int


class GroupFiles:
    """The files of one group, opened when they are first read; has to be closed."""

    def __init__(self, layout: CgroupLayout, path: str) -> None:
        self._version = layout.version
        self._folder = folder_of(layout, path)
        self._descriptors: dict[str, int] = {}

    def close(self) -> None:
        """Give the descriptors back."""
        for descriptor in self._descriptors.values():
            os.close(descriptor)
        self._descriptors.clear()

    def usage(self) -> int | None:
        """Return the bytes charged to the group, None where it is gone."""
        return _number(self._read(_USAGE[self._version]))

    def split(self) -> Split | None:
        """Return how much of the usage is cache, None if the group is gone or the file is malformed."""
        text = self._read("memory.stat")
        if text is None:
            return None
        try:
            stat = parse_counters(text.decode("ascii", "replace"), f"{self._folder}/memory.stat")
        except ParseError:
            # The tick reads the same file and reports what is wrong with it.
            return None
        cache = sum(stat.get(name, 0) for name in _CACHE[self._version])
        swapped = stat.get("total_swap") if self._version == 1 else _number(self._read("memory.swap.current"))
        return Split(cache, swapped or 0)

    def _read(self, name: str) -> bytes | None:
        """Return the contents of a file; opened again if the group was recreated."""
        kept = self._descriptors.get(name)
        try:
            return os.pread(self._open(name) if kept is None else kept, _BYTES, 0)
        except OSError:
            self.close()
        if kept is None:
            return None
        try:
            return os.pread(self._open(name), _BYTES, 0)
        except OSError:
            self.close()
            return None

    def _open(self, name: str) -> int:
        descriptor = os.open(f"{self._folder}/{name}", os.O_RDONLY | os.O_CLOEXEC)
        self._descriptors[name] = descriptor
        return descriptor


def _number(text: bytes | None) -> int | None:
    try:
        return None if text is None else whole(text.strip())
    except ValueError:
        return None
