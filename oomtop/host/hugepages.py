"""`/sys/kernel/mm/hugepages`: the reserved pools of huge pages, by size (Documentation/admin-guide/mm/hugetlbpage.rst).

Sample path: `/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages`
"""

from __future__ import annotations

import os
import re

from oomtop.frozen import frozen
from oomtop.host.root import Root, read_int


@frozen
class HugePool:
    """One pool: `page_size` in bytes, the rest are numbers of pages."""

    page_size: int
    total: int
    free: int
    reserved: int
    overcommit: int
    """How many more the kernel may take from free memory on demand (`nr_overcommit_hugepages`)."""


_FOLDER = re.compile(r"hugepages-(\d+)kB")


def read_hugepages(root: Root) -> tuple[HugePool, ...]:
    """Return the pools by size, none where the kernel has no hugetlbfs."""
    folder = root.at("/sys/kernel/mm/hugepages")
    try:
        names = os.listdir(folder)
    except OSError:
        return ()
    sizes = [(int(match[1]) * 1024, name) for name in names if (match := _FOLDER.fullmatch(name))]
    return tuple(_read_pool(size, os.path.join(folder, name)) for size, name in sorted(sizes))


def _read_pool(page_size: int, folder: str) -> HugePool:
    return HugePool(
        page_size,
        read_int(f"{folder}/nr_hugepages") or 0,
        read_int(f"{folder}/free_hugepages") or 0,
        read_int(f"{folder}/resv_hugepages") or 0,
        read_int(f"{folder}/nr_overcommit_hugepages") or 0,
    )
