"""`/proc/zoneinfo`: free pages and watermarks of each zone (mm/page_alloc.c, mm/vmstat.c).

Sample lines: `Node 0, zone   Normal` / `  pages free     3971`
"""

from __future__ import annotations

import re

from oomtop.errors import ParseError
from oomtop.frozen import frozen
from oomtop.host.root import Root, read_optional, whole


@frozen
class Zone:
    """One memory zone, in bytes.  The kernel kills when no zone the request may use stays above `min`."""

    node: int
    name: str
    free: int
    min: int
    low: int
    high: int
    managed: int
    present: int
    protection: tuple[int, ...] = ()
    """`lowmem_reserve`: what requests for higher zones must leave here, by zone index."""


_ZONE = re.compile(r"^Node (\d+), zone +(\S+)$")
_COUNTS = ("free", "min", "low", "high", "managed", "present")


def parse_zoneinfo(text: str, page_size: int, path: str = "/proc/zoneinfo") -> tuple[Zone, ...]:
    """Return the zones that hold memory.

    Raises:
        ParseError: a zone without its watermarks.
    """
    zones: list[Zone] = []
    head: re.Match[str] | None = None
    block: list[str] = []
    for line in [*text.splitlines(), "Node 0, zone end"]:
        match = _ZONE.match(line)
        if match is None:
            block.append(line)
            continue
        if head is not None:
            zones.append(_parse_zone(head, block, page_size, path))
        head, block = match, []
    return tuple(zone for zone in zones if zone.managed)


def _parse_zone(head: re.Match[str], block: list[str], page_size: int, path: str) -> Zone:
    counts: dict[str, int] = {}
    protection: tuple[int, ...] = ()
    try:
        for line in block:
            words = line.replace("pages free", "free").split()
            if len(words) == 2 and words[0] in _COUNTS:
                counts.setdefault(words[0], whole(words[1]) * page_size)
            elif words and words[0] == "protection:":
                numbers = line.partition("(")[2].partition(")")[0]
                protection = tuple(whole(number) * page_size for number in numbers.split(","))
        return Zone(node=whole(head[1]), name=head[2], protection=protection, **{key: counts[key] for key in _COUNTS})
    except (KeyError, ValueError):
        raise ParseError(path, head[0]) from None


def read_zoneinfo(root: Root, page_size: int) -> tuple[Zone, ...]:
    """Return the zones of the machine under `root`, none where there is no such file."""
    path = root.at("/proc/zoneinfo")
    text = read_optional(path)
    return () if text is None else parse_zoneinfo(text, page_size, path)
