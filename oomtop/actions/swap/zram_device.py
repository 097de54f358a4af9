"""A zram device: add, set algorithm and size, reset, remove.

Documentation/admin-guide/blockdev/zram.rst ("hot_add", "comp_algorithm", "disksize").
Sample line of `comp_algorithm`: `lzo-rle lzo [lz4] zstd`
"""

from __future__ import annotations

import errno
import os
import re
import subprocess
import time

from oomtop.actions.base.kernel_file import write_file
from oomtop.host.root import Root, read_int, read_optional

CONTROL = "/sys/class/zram-control"
_NAME = re.compile(r"/dev/zram(\d+)")
_LOAD_SECONDS = 20.0
# udev opens a block device after each change, for some milliseconds.
_PATIENCE = (0.05, 0.1, 0.2, 0.4, 0.0)


def device_number(path: str) -> int | None:
    """Return N for `/dev/zramN`, else None."""
    match = _NAME.fullmatch(path)
    return int(match[1]) if match else None


def device_numbers(root: Root) -> tuple[int, ...]:
    """Return the existing devices; none if the module is not loaded."""
    try:
        names = os.listdir(root.at("/sys/block"))
    except OSError:
        return ()
    return tuple(sorted(int(name[4:]) for name in names if re.fullmatch(r"zram\d+", name)))


def is_loaded(root: Root) -> bool:
    """Whether the kernel offers zram now."""
    return os.path.isdir(root.at(CONTROL))


def load() -> None:
    """Load the module.

    Raises:
        OSError: modprobe is missing or fails: this kernel has no zram.
    """
    try:
        done = subprocess.run(
            ["modprobe", "zram", "num_devices=0"],
            capture_output=True, text=True, timeout=_LOAD_SECONDS, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise OSError(f"modprobe zram does not finish within {_LOAD_SECONDS:.0f} s") from None
    if done.returncode != 0:
        raise OSError(done.stderr.strip()[:200] or f"modprobe zram exits with code {done.returncode}")


def parse_algorithms(text: str) -> tuple[tuple[str, ...], str | None]:
    """Return all algorithms, and the selected one (in brackets)."""
    names = tuple(word.strip("[]") for word in text.split())
    chosen = next((word.strip("[]") for word in text.split() if word.startswith("[")), None)
    return names, chosen


def add_device(root: Root) -> int:
    """Have the kernel make a new device and return its number.

    Raises:
        OSError: EPERM without root.
    """
    with open(root.at(f"{CONTROL}/hot_add"), encoding="ascii") as file:
        return int(file.read())


def set_up(number: int, algorithm: str | None, size: int, root: Root) -> str | None:
    """Set the algorithm, then the size, which allocates nothing yet; return the algorithm in use.

    Raises:
        OSError: EINVAL for an algorithm that this kernel does not have.
    """
    folder = root.at(f"/sys/block/zram{number}")
    if algorithm is not None:
        write_file(f"{folder}/comp_algorithm", algorithm)
    write_file(f"{folder}/disksize", str(size))
    return parse_algorithms(read_optional(f"{folder}/comp_algorithm") or "")[1]


def is_empty(number: int, root: Root) -> bool:
    """Whether nothing was ever stored in it."""
    words = (read_optional(root.at(f"/sys/block/zram{number}/mm_stat")) or "").split()
    size = read_int(root.at(f"/sys/block/zram{number}/disksize"))
    return not size or (bool(words) and words[0] == "0")


def remove_device(number: int, root: Root) -> None:
    """Reset the device, which frees its memory, and remove it.

    Raises:
        OSError: EBUSY while something uses it.
    """
    for patience in _PATIENCE:
        try:
            write_file(root.at(f"/sys/block/zram{number}/reset"), "1")
            write_file(root.at(f"{CONTROL}/hot_remove"), str(number))
        except OSError as error:
            if error.errno != errno.EBUSY or not patience:
                raise
            time.sleep(patience)
        else:
            return
