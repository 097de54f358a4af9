"""The kernel settings that decide about memory, each with its range and what it does.

Documentation/admin-guide/sysctl/vm.rst.
"""

from __future__ import annotations

from oomtop.frozen import frozen


@frozen
class Setting:
    """One file of `/proc/sys/vm`."""

    name: str
    lowest: int
    highest: int
    default: int | None
    """The kernel's default; None: computed from the size of the machine."""
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
    Setting(
        "admin_reserve_kbytes", 0, _INT_MAX, None, "kB kept for root to log in with (3 % of free memory, 8 MiB at most)"
    ),
    Setting("user_reserve_kbytes", 0, _INT_MAX, None, "kB kept from one process in mode 2, so that its user can act"),
    Setting("dirty_ratio", 0, 100, 20, "per cent of memory that writes may fill before the writer itself must wait"),
    Setting("dirty_background_ratio", 0, 100, 10, "per cent of memory from which on dirty pages are written back"),
    Setting("dirty_expire_centisecs", 0, _INT_MAX, 3000, "1/100 s after which a dirty page is written back"),
    Setting("dirty_writeback_centisecs", 0, _INT_MAX, 500, "1/100 s between two runs of the writeback threads"),
    Setting("compaction_proactiveness", 0, 100, 20, "how eagerly memory is made contiguous in the background (5.9+)"),
    Setting("extfrag_threshold", 0, 1000, 500, "fragmentation from which on compaction is tried before reclaim"),
    Setting(
        "watermark_boost_factor", 0, _INT_MAX, 15000, "how far watermarks rise, in 1/10000, when blocks fragment (5.0+)"
    ),
    Setting(
        "zone_reclaim_mode",
        0,
        7,
        0,
        "1: reclaim on the own NUMA node before memory of another node is used",
        "a node may thrash while others have memory free",
    ),
    Setting("page-cluster", 0, 31, 3, "2 to this power pages are read at once from swap"),
    Setting("max_map_count", 1, _INT_MAX, 65530, "mappings a process may have; beyond it mmap fails with ENOMEM"),
    Setting(
        "nr_hugepages",
        0,
        _INT_MAX,
        0,
        "huge pages set aside: nothing but hugetlb users can have that memory",
        "takes the memory from everything else at once",
    ),
    Setting("nr_overcommit_hugepages", 0, _INT_MAX, 0, "huge pages that may be taken from free memory on demand"),
)


@frozen
class Knob:
    """A setting that oomtop shows and does not write: a word, or one that silently resets another."""

    name: str
    """As in `oomtop.host.sysctl.FILES`."""
    file: str
    default: str | None
    what: str


KNOBS: tuple[Knob, ...] = (
    Knob("overcommit_kbytes", "/proc/sys/vm/overcommit_kbytes", "0", "kB in place of overcommit_ratio; 0: the ratio"),
    Knob("dirty_bytes", "/proc/sys/vm/dirty_bytes", "0", "bytes in place of dirty_ratio; 0: the ratio"),
    Knob("dirty_background_bytes", "/proc/sys/vm/dirty_background_bytes", "0", "bytes in place of the ratio"),
    Knob("lowmem_reserve_ratio", "/proc/sys/vm/lowmem_reserve_ratio", None, "what each zone keeps from higher ones"),
    Knob("kernel.panic", "/proc/sys/kernel/panic", "0", "seconds from a panic to the restart; 0: it stays stopped"),
    Knob(
        "transparent_hugepage/enabled",
        "/sys/kernel/mm/transparent_hugepage/enabled",
        "config",
        "whether programs get 2 MiB pages without asking (always), on asking (madvise), or not",
    ),
    Knob(
        "transparent_hugepage/defrag",
        "/sys/kernel/mm/transparent_hugepage/defrag",
        "madvise",
        "whether a fault waits for a 2 MiB page to be made",
    ),
    Knob(
        "transparent_hugepage/shmem_enabled",
        "/sys/kernel/mm/transparent_hugepage/shmem_enabled",
        "never",
        "the same for tmpfs and shared memory",
    ),
    Knob("lru_gen/enabled", "/sys/kernel/mm/lru_gen/enabled", "config", "multi-generational LRU (6.1+): 0x0007 is on"),
    Knob("lru_gen/min_ttl_ms", "/sys/kernel/mm/lru_gen/min_ttl_ms", "0", "kill rather than evict pages younger than"),
    Knob("ksm/run", "/sys/kernel/mm/ksm/run", "0", "1: merge equal pages of programs that ask for it"),
)


def find_setting(name: str) -> Setting | None:
    """Return the setting called `swappiness` or `vm.swappiness`."""
    short = name.removeprefix("vm.")
    return next((setting for setting in SETTINGS if setting.name == short), None)
