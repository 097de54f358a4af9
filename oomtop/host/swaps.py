"""Swap: `/proc/swaps`, zram devices under `/sys/block/zram*`, zswap under `/sys/module/zswap/parameters`.

Documentation/admin-guide/blockdev/zram.rst, Documentation/admin-guide/mm/zswap.rst.
Sample line: `/swapfile   file   2097148   0   -2`
"""

from __future__ import annotations

import os
import re

from oomtop.errors import ParseError
from oomtop.frozen import frozen
from oomtop.host.root import Root, read_int, read_optional, whole

_ESCAPED = re.compile(r"\\([0-7]{3})")


@frozen
class SwapDevice:
    """One line of `/proc/swaps`; sizes in bytes."""

    filename: str
    kind: str
    size: int
    used: int
    priority: int

    @property
    def path(self) -> str:
        """The name as the file system has it: the kernel writes blank, tab, newline and backslash in octal."""
        return _ESCAPED.sub(lambda found: chr(int(found[1], 8)), self.filename)


@frozen
class Zram:
    """One zram device in use; sizes in bytes."""

    name: str
    disksize: int
    orig_data_size: int
    mem_used_total: int
    algorithm: str | None


@frozen
class Zswap:
    """Whether zswap is on, and with which compressor and share of RAM at most (per cent)."""

    enabled: bool
    compressor: str | None
    max_pool_percent: int | None


def parse_swaps(text: str, path: str = "/proc/swaps") -> tuple[SwapDevice, ...]:
    """Return the swap devices; the kernel escapes blanks in names as `\\040`.

    Raises:
        ParseError: a line that has not five columns, or more used than there is.
    """
    devices: list[SwapDevice] = []
    for line in text.splitlines()[1:]:
        words = line.split()
        try:
            name, kind, size, used, priority = words
            device = SwapDevice(name, kind, whole(size) * 1024, whole(used) * 1024, whole(priority))
            if not 0 <= device.used <= device.size:
                raise ValueError
            devices.append(device)
        except ValueError:
            raise ParseError(path, line) from None
    return tuple(devices)


def read_swaps(root: Root) -> tuple[SwapDevice, ...]:
    """Return the swap devices in use, none where there is no such file."""
    path = root.at("/proc/swaps")
    text = read_optional(path)
    return parse_swaps(text, path) if text else ()


def read_zram(root: Root) -> tuple[Zram, ...]:
    """Return the zram devices that have been given a size."""
    block = root.at("/sys/block")
    try:
        names = sorted(name for name in os.listdir(block) if name.startswith("zram"))
    except OSError:
        return ()
    found = (_read_zram_device(block, name) for name in names)
    return tuple(device for device in found if device is not None)


def _read_zram_device(block: str, name: str) -> Zram | None:
    folder = os.path.join(block, name)
    disksize = read_int(f"{folder}/disksize")
    sizes = (read_optional(f"{folder}/mm_stat") or "").split()
    try:
        held, _, used = (whole(size) for size in sizes[:3])
    except ValueError:
        return None
    if not disksize or min(held, used) < 0:
        return None
    algorithms = read_optional(f"{folder}/comp_algorithm") or ""
    chosen = algorithms.partition("[")[2].partition("]")[0] or None
    return Zram(name, disksize, held, used, chosen)


def read_zswap(root: Root) -> Zswap | None:
    """Return zswap's settings, None where the kernel has no zswap."""
    folder = root.at("/sys/module/zswap/parameters")
    enabled = read_optional(f"{folder}/enabled")
    if enabled is None:
        return None
    compressor = (read_optional(f"{folder}/compressor") or "").strip() or None
    return Zswap(enabled.strip() in ("Y", "1"), compressor, read_int(f"{folder}/max_pool_percent"))
