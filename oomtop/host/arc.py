"""`/proc/spl/kstat/zfs/arcstats`: the cache of ZFS, which the kernel counts as used memory (OpenZFS, arc_stats).

Sample line: `size                            4    8589934592`
"""

from __future__ import annotations

from oomtop.frozen import frozen
from oomtop.host.root import Root, read_optional, whole


@frozen
class Arc:
    """The cache's size and the size below which it does not shrink, in bytes."""

    size: int
    minimum: int


def parse_arcstats(text: str) -> Arc | None:
    """Return the two figures, None where the text lacks one."""
    words = (line.split() for line in text.splitlines())
    values = {parts[0]: parts[2] for parts in words if len(parts) == 3}
    try:
        return Arc(whole(values["size"]), whole(values["c_min"]))
    except (KeyError, ValueError):
        return None


def read_arc(root: Root) -> Arc | None:
    """Return the cache of ZFS, None on a machine without it."""
    text = read_optional(root.at("/proc/spl/kstat/zfs/arcstats"))
    return None if text is None else parse_arcstats(text)
