"""`/proc/buddyinfo`: free blocks of each order in each zone (Documentation/filesystems/proc.rst, "buddyinfo").

Sample line: `Node 0, zone   Normal   1240   1701   2590   1789   1549   1076   1343   1013    727    403   1025`
"""

from __future__ import annotations

import re

from oomtop.errors import ParseError
from oomtop.frozen import frozen
from oomtop.host.root import Root, read_optional, whole


@frozen
class BuddyZone:
    """The free lists of one zone: `counts[order]` blocks of `2**order` pages each."""

    node: int
    zone: str
    counts: tuple[int, ...]

    @property
    def free_pages(self) -> int:
        """All free pages of the zone."""
        return sum(count << order for order, count in enumerate(self.counts))

    def pages_from(self, order: int) -> int:
        """Return the free pages that lie in blocks of `order` or larger: what such a request can be served from."""
        return sum(count << at for at, count in enumerate(self.counts) if at >= order)


_LINE = re.compile(r"^Node +(\d+), zone +(\S+) +([\d ]+)$")


def parse_buddyinfo(text: str, path: str = "/proc/buddyinfo") -> tuple[BuddyZone, ...]:
    """Return the free lists of all zones.

    Raises:
        ParseError: a line of a node without its numbers.
    """
    zones: list[BuddyZone] = []
    for line in text.splitlines():
        if not line.startswith("Node"):
            continue
        match = _LINE.match(line.rstrip())
        if match is None:
            raise ParseError(path, line)
        try:
            zones.append(BuddyZone(whole(match[1]), match[2], tuple(map(whole, match[3].split()))))
        except ValueError:
            raise ParseError(path, line) from None
    return tuple(zones)


def read_buddyinfo(root: Root) -> tuple[BuddyZone, ...]:
    """Return the free lists, none where there is no such file (or only root may read it)."""
    path = root.at("/proc/buddyinfo")
    text = read_optional(path)
    return () if text is None else parse_buddyinfo(text, path)
