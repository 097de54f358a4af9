"""`/proc/PID/smaps` and `smaps_rollup`: what the pages of a process are (Documentation/filesystems/proc.rst).

Both walk the page tables under the target's mmap lock, and may hang as long as the target does: never on the
tick.  Measured: a process of 1 GiB in 4 KiB pages costs 11 ms for `smaps_rollup` and 10 ms for `smaps`, one of
20,000 small mappings 4 ms and 250 ms.

Sample lines: `7f3a8c000000-7f3a8c021000 rw-p 00000000 00:00 0      [heap]` / `Private_Dirty:        24 kB`
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from oomtop.errors import ParseError
from oomtop.frozen import frozen
from oomtop.host.process import ProcessId
from oomtop.host.process_folder import chunks_at, process_folder
from oomtop.host.root import Root, whole


@frozen
class MappedMemory:
    """What one mapping, or all of one name, or a whole process holds, in bytes."""

    name: str
    """File, `[heap]`, `[stack]`, `[anon]`, `[anon:NAME]` (5.17), `/memfd:NAME (deleted)`, `[rollup]`."""
    count: int = 0
    """How many mappings have the name."""
    size: int = 0
    """Address space, whether there is a page behind it or not."""
    rss: int = 0
    pss: int = 0
    """Resident, each page divided by the number of processes that map it."""
    private_clean: int = 0
    private_dirty: int = 0
    swap: int = 0
    swap_pss: int = 0
    locked: int = 0
    anon_huge_pages: int = 0
    private_hugetlb: int = 0

    @property
    def uss(self) -> int:
        """Resident pages that nobody else maps: what the death of the process gives back, swap aside."""
        return self.private_clean + self.private_dirty


_FIELDS = {
    b"Size": "size",
    b"Rss": "rss",
    b"Pss": "pss",
    b"Private_Clean": "private_clean",
    b"Private_Dirty": "private_dirty",
    b"Swap": "swap",
    b"SwapPss": "swap_pss",
    b"Locked": "locked",
    b"AnonHugePages": "anon_huge_pages",
    b"Private_Hugetlb": "private_hugetlb",
}
_HEAD = re.compile(rb"^([0-9a-f]+)-[0-9a-f]+ ([rwxsp-]{4}) \S+ \S+ +(\d+) *(.*)$")
# Below this the heap of the main thread of an old glibc never lies, and Go's always does.
_GO_HEAP = b"c000"


def parse_smaps(lines: Iterable[bytes], path: str = "/proc/PID/smaps") -> tuple[MappedMemory, ...]:
    """Return the memory by name, largest resident and swapped first.

    Raises:
        ParseError: a known line without a number, or figures before any mapping.
    """
    sums: dict[str, dict[str, int]] = {}
    current: dict[str, int] | None = None
    for line in lines:
        key, separator, rest = line.partition(b":")
        field = _FIELDS.get(key) if separator else None
        if field is None:
            head = _HEAD.match(line)
            if head is not None:
                current = sums.setdefault(_name(head), {"count": 0})
                current["count"] += 1
            continue
        try:
            if current is None:
                raise ValueError
            current[field] = current.get(field, 0) + whole(rest.split(None, 1)[0]) * 1024
        except (ValueError, IndexError):
            raise ParseError(path, line[:120].decode("utf-8", "backslashreplace")) from None
    found = (MappedMemory(name, **values) for name, values in sums.items())
    return tuple(sorted(found, key=lambda mapping: -(mapping.rss + mapping.swap)))


def _name(head: re.Match[bytes]) -> str:
    name = head[4].decode("utf-8", "backslashreplace")
    if name.startswith("[stack"):
        # Before 4.5 the stacks of threads were named `[stack:TID]`, one by one.
        return "[stack]"
    if name:
        return name
    return "[anon, Go heap]" if head[1].startswith(_GO_HEAP) and len(head[1]) == 10 else "[anon]"


def read_smaps(root: Root, identity: ProcessId) -> tuple[MappedMemory, ...]:
    """Return the memory of a process by mapping name; may hang, see above.

    Raises:
        OSError: exited, or no right to look (the same user or CAP_SYS_PTRACE).
        ParseError: not the shape of smaps.
    """
    with process_folder(root, identity) as folder:
        return parse_smaps(_lines(chunks_at(folder, "smaps")))


def read_smaps_rollup(root: Root, identity: ProcessId) -> MappedMemory:
    """Return the sums over a whole process; may hang, see above.  Before 4.14 they are added up from smaps.

    Raises:
        OSError: exited, or no right to look (the same user or CAP_SYS_PTRACE).
        ParseError: not the shape of smaps.
    """
    try:
        with process_folder(root, identity) as folder:
            found = parse_smaps(_lines(chunks_at(folder, "smaps_rollup")), "/proc/PID/smaps_rollup")
    except FileNotFoundError:
        found = read_smaps(root, identity)
    return total(found)


def total(mappings: Iterable[MappedMemory]) -> MappedMemory:
    """Return the sum of all mappings under the name `[rollup]`."""
    found = tuple(mappings)
    numbers = {field: sum(getattr(mapping, field) for mapping in found) for field in ("count", *_FIELDS.values())}
    return MappedMemory("[rollup]", **numbers)


def _lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        yield from whole
    if rest:
        yield rest
