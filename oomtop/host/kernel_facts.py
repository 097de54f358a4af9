"""`KernelFacts`: settings, free lists, huge pages and slab caches; what changes slowly and is read seldom.

Measured, 2 cores: settings, free lists and pools 0.7 ms, slabinfo with 124 caches 1.9 ms more; so twice a minute,
and slabinfo only when somebody looks at it or the kernel's share is large.
The sources: `sysctl`, `buddyinfo`, `hugepages`, `slabinfo`.
"""

from __future__ import annotations

from oomtop.frozen import frozen
from oomtop.host.buddyinfo import BuddyZone, read_buddyinfo
from oomtop.host.hugepages import HugePool, read_hugepages
from oomtop.host.root import Root, whole
from oomtop.host.slabinfo import Slab, read_slabinfo
from oomtop.host.sysctl import read_settings


@frozen
class KernelFacts:
    """The kernel's memory settings, and the state that no counter of meminfo shows."""

    settings: tuple[tuple[str, str], ...]
    """(name, text): `swappiness`, ..., `kernel.panic`, `transparent_hugepage/enabled`, ... as in `sysctl.FILES`."""
    buddy: tuple[BuddyZone, ...] = ()
    slabs: tuple[Slab, ...] | None = None
    """Largest first; None where they were not asked for or may not be read (root only)."""
    huge_pools: tuple[HugePool, ...] = ()

    def setting(self, name: str) -> str | None:
        """Return the text of a setting, None where this kernel lacks it."""
        return next((text for known, text in self.settings if known == name), None)

    def number(self, name: str) -> int | None:
        """Return a setting that is one number, None where it is missing or something else."""
        text = self.setting(name)
        try:
            return None if text is None else whole(text.strip())
        except ValueError:
            return None


_SECONDS = 30.0
# Less than the usual interval, so that a setting just changed is seen with the next tick.
_SECONDS_LOOKED_AT = 1.5


class KernelWatch:
    """Keeps the facts between two readings: 30 s, or 1.5 s while somebody looks at them."""

    def __init__(self, root: Root, page_size: int) -> None:
        self._root = root
        self._page_size = page_size
        self._facts: KernelFacts | None = None
        self._read_at = 0.0
        self._had_slabs = False

    def facts(self, now: float, with_slabs: bool) -> KernelFacts:
        """Return the facts, read anew when they are old or the slab caches are wanted for the first time.

        Raises:
            ParseError: buddyinfo or slabinfo has another shape than documented.
        """
        age = now - self._read_at
        is_due = age >= (_SECONDS_LOOKED_AT if with_slabs else _SECONDS) or (with_slabs and not self._had_slabs)
        if self._facts is None or is_due:
            self._facts = read_kernel_facts(self._root, self._page_size, with_slabs)
            self._read_at, self._had_slabs = now, with_slabs
        return self._facts


def read_kernel_facts(root: Root, page_size: int = 4096, with_slabs: bool = False) -> KernelFacts:
    """Return the facts of the machine under `root`; what it lacks is empty or None.

    Raises:
        ParseError: buddyinfo or slabinfo has another shape than documented.
    """
    return KernelFacts(
        settings=read_settings(root),
        buddy=read_buddyinfo(root),
        slabs=read_slabinfo(root, page_size) if with_slabs else None,
        huge_pools=read_hugepages(root),
    )
