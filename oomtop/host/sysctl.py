"""`/proc/sys/vm` and the few switches under `/sys/kernel/mm`: the settings that decide about memory.

Documentation/admin-guide/sysctl/vm.rst, admin-guide/mm/transhuge.rst, admin-guide/mm/multigen_lru.rst.
Sample: `/proc/sys/vm/swappiness` holds `60`, `/sys/kernel/mm/transparent_hugepage/enabled` holds
`always [madvise] never`.
"""

from __future__ import annotations

from oomtop.host.root import Root, read_optional

_VM = (
    "swappiness", "overcommit_memory", "overcommit_ratio", "overcommit_kbytes", "min_free_kbytes",
    "watermark_scale_factor", "watermark_boost_factor", "vfs_cache_pressure", "panic_on_oom",
    "oom_kill_allocating_task", "oom_dump_tasks", "admin_reserve_kbytes", "user_reserve_kbytes",
    "extfrag_threshold", "compaction_proactiveness", "dirty_ratio", "dirty_background_ratio", "dirty_bytes",
    "dirty_background_bytes", "dirty_expire_centisecs", "dirty_writeback_centisecs", "zone_reclaim_mode",
    "lowmem_reserve_ratio", "page-cluster", "max_map_count", "nr_hugepages", "nr_overcommit_hugepages",
)  # fmt: skip
FILES: tuple[tuple[str, str], ...] = (
    *((name, f"/proc/sys/vm/{name}") for name in _VM),
    ("kernel.panic", "/proc/sys/kernel/panic"),
    ("transparent_hugepage/enabled", "/sys/kernel/mm/transparent_hugepage/enabled"),
    ("transparent_hugepage/defrag", "/sys/kernel/mm/transparent_hugepage/defrag"),
    ("transparent_hugepage/shmem_enabled", "/sys/kernel/mm/transparent_hugepage/shmem_enabled"),
    ("lru_gen/enabled", "/sys/kernel/mm/lru_gen/enabled"),
    ("lru_gen/min_ttl_ms", "/sys/kernel/mm/lru_gen/min_ttl_ms"),
    ("ksm/run", "/sys/kernel/mm/ksm/run"),
)
"""(name, path) of each setting; names without a prefix are of `vm.`"""


def read_settings(root: Root) -> tuple[tuple[str, str], ...]:
    """Return (name, text) of every setting that this kernel has and that may be read."""
    found = ((name, read_optional(root.at(path))) for name, path in FILES)
    return tuple((name, text.strip()) for name, text in found if text is not None)


def chosen(text: str) -> str:
    """Return the bracketed word of a list such as `always [madvise] never`, the text itself where there is none."""
    word = text.partition("[")[2].partition("]")[0]
    return word or text
