"""The kernel settings that decide about memory, each with its range and what it does.

Documentation/admin-guide/sysctl/vm.rst.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Setting:
    """One file of `/proc/sys/vm`."""

    name: str
    lowest: int
    highest: int
    default: int | None
    """What the kernel starts with; None: computed from the machine's size."""
    what: str
    risk: str = ""

    @property
    def file(self) -> str:
        """Its path: `/proc/sys/vm/swappiness`."""
        return f"/proc/sys/vm/{self.name}"


_INT_MAX = (1 << 31) - 1

SETTINGS: tuple[Setting, ...] = (
    Setting(
        "swappiness", 0, 200, 60, "how readily anonymous memory is swapped against dropping page cache (5.8+: to 200)"
    ),
    Setting(
        "overcommit_memory",
        0,
        2,
        0,
        "0: refuse only obvious excess, 1: never refuse, 2: refuse beyond CommitLimit",
        "2 makes programs fail to allocate while memory is still free",
    ),
    Setting("overcommit_ratio", 0, _INT_MAX, 50, "per cent of RAM that counts towards CommitLimit in mode 2"),
    Setting(
        "min_free_kbytes",
        128,
        _INT_MAX,
        None,
        "kB kept free for the kernel itself; the watermarks follow from it",
        "too much (over 5 % of RAM) makes the machine run out of memory at once",
    ),
    Setting(
        "watermark_scale_factor",
        1,
        3000,
        10,
        "distance of the watermarks, in 1/10000 of memory: more wakes kswapd earlier",
    ),
    Setting(
        "vfs_cache_pressure",
        0,
        _INT_MAX,
        100,
        "how readily dentries and inodes are dropped against page cache",
        "0 never drops them: the kernel may run out of memory by itself",
    ),
    Setting(
        "panic_on_oom",
        0,
        2,
        0,
        "1: panic on a machine-wide OOM in place of a kill, 2: on any",
        "the machine stops, or restarts with kernel.panic",
    ),
    Setting("oom_kill_allocating_task", 0, 1, 0, "1: kill who asked for memory, not who holds the most"),
    Setting("oom_dump_tasks", 0, 1, 1, "1: list all tasks in the log with every OOM kill"),
)


def find_setting(name: str) -> Setting | None:
    """Return the setting called `swappiness` or `vm.swappiness`."""
    short = name.removeprefix("vm.")
    return next((setting for setting in SETTINGS if setting.name == short), None)
