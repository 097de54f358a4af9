"""The remains of a swap area: the file, a partial file, the zram device, the fstab line.

Only known swap areas are removed: in use just before, or signed with oomtop's label, or the
`.oomtop-part` file of an interrupted creation.  Documentation/admin-guide/blockdev/zram.rst ("hot_remove").
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable

from oomtop.actions.swap import fstab
from oomtop.actions.swap.file import part_of
from oomtop.actions.swap.syscalls import LABEL, is_signed
from oomtop.actions.swap.zram_device import device_number, device_numbers, is_empty, remove_device
from oomtop.frozen import frozen
from oomtop.host.root import Root
from oomtop.units import printable


@frozen
class Remain:
    """One thing to remove, its name, and the function that removes it."""

    words: str
    remove: Callable[[], object]
    is_line: bool = False


def find_remains(path: str, in_use: bool, root: Root) -> tuple[Remain, ...]:
    """Return the remains of the swap at `path`.

    Raises:
        OSError: one of them cannot be read.
    """
    found: list[Remain] = []
    if fstab.has_line(path, root):
        words = f"its line from {fstab.FILE}"
        found.append(Remain(words, lambda: fstab.remove(path, root), is_line=True))
    elif fstab.has_traces(root):
        found.append(Remain(f"the copy of {fstab.FILE}", lambda: fstab.remove(path, root), is_line=True))
    number = device_number(path)
    if number is not None:
        # An empty device is what an interrupted removal leaves after the reset.
        if in_use or is_signed(path, LABEL) or (number in device_numbers(root) and is_empty(number, root)):
            found.append(Remain(f"zram{number}", lambda: remove_device(number, root)))
        return tuple(found)
    if _is_regular(path) and (in_use or is_signed(path, LABEL)):
        found.append(Remain(printable(path), lambda: os.unlink(path)))
    part = part_of(path)
    if _is_regular(part):
        found.append(Remain(printable(part), lambda: os.unlink(part)))
    return tuple(found)


def _is_regular(path: str) -> bool:
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except FileNotFoundError:
        return False
