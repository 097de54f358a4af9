"""`/proc/slabinfo`: the kernel's own objects, by cache (slabinfo(5)); only root may read it.

Sample line: `dentry  1104 1155  192  21  1 : tunables  0  0  0 : slabdata  55  55  0`
"""

from __future__ import annotations

from oomtop.errors import ParseError
from oomtop.frozen import frozen
from oomtop.host.root import Root, read_optional, whole


@frozen
class Slab:
    """One cache; `objsize` in bytes, `bytes` is what its pages take."""

    name: str
    active_objs: int
    objsize: int
    bytes: int


def parse_slabinfo(text: str, page_size: int, path: str = "/proc/slabinfo") -> tuple[Slab, ...]:
    """Return the caches that hold memory, largest first.

    Raises:
        ParseError: a line of a cache without its numbers.
    """
    slabs = [_parse_line(line, page_size, path) for line in text.splitlines() if not line.startswith(("slabinfo", "#"))]
    return tuple(sorted((slab for slab in slabs if slab.bytes), key=lambda slab: -slab.bytes))


def _parse_line(line: str, page_size: int, path: str) -> Slab:
    head, _, rest = line.partition(" : tunables")
    try:
        # From the right, because nothing forbids a blank in a cache's name.
        name, active, _, size, _, pages_per_slab = head.rsplit(None, 5)
        slabs = whole(rest.partition("slabdata")[2].split()[1])
        return Slab(name.strip(), whole(active), whole(size), slabs * whole(pages_per_slab) * page_size)
    except (ValueError, IndexError):
        raise ParseError(path, line) from None


def read_slabinfo(root: Root, page_size: int) -> tuple[Slab, ...] | None:
    """Return the caches, None where the file is missing or not ours to read."""
    path = root.at("/proc/slabinfo")
    text = read_optional(path)
    return None if text is None else parse_slabinfo(text, page_size, path)
