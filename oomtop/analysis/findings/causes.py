"""Names the cause of a shortage by what grew: a process, many processes, or memory that no process owns."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import attrgetter

from oomtop.analysis.findings.rule import Facts
from oomtop.analysis.model.assessment import Finding, PartGrowth, ProcessRow, Severity
from oomtop.frozen import frozen
from oomtop.host.process import ProcessId
from oomtop.units import format_bytes, format_rate, format_share

_MAIN = 0.5
_MAIN_PROCESS = 0.25
"""Share of the machine's growth that a cause must have."""
_MANY = 3
_LEAST_GROWTH = 64 * 1024.0
_HOLDS = 0.1
_SCARCE = 0.25
_QUARTER = 0.25
_PAGE_TABLES = attrgetter("process.page_tables")

NOBODYS = "no kill frees it"


@frozen
class Growing:
    """Why memory runs out: `text` continues "memory full in 2m", `advice` names the key that helps."""

    text: str
    advice: str
    target: ProcessId | None = None
    is_process: bool = False


def cause_of(facts: Facts, rate: float) -> Growing:
    """Return the cause of growth by `rate` bytes per second, or of the shortage if nothing grows."""
    grower = facts.growers[0] if facts.growers else None
    grown = (grower.growth or 0.0) if grower is not None else 0.0
    part = next((part for part in facts.parts if part.part != "anon"), None)
    if part is not None and part.rate >= max(rate * _MAIN, grown * 2):
        return _part_cause(facts, part)
    if grower is not None and grown >= rate * _MAIN_PROCESS:
        advice = "J select the grower, k kill it, f freeze it; W adds swap"
        return Growing(f": {grower.process.comm} grows {format_rate(grower.growth)}", advice, grower.process.id, True)
    if rate:
        return _spread(facts, rate)
    return _holder(facts)


def _spread(facts: Facts, rate: float) -> Growing:
    """Return the cause if no single process is one: many processes, or memory in no process."""
    growing = [row.growth for row in facts.rows if row.growth is not None and row.growth > _LEAST_GROWTH]
    programs = [item for item in facts.growths if item.kind == "program" and (item.minute or 0.0) >= rate * _MAIN]
    if programs:
        first = max(programs, key=lambda item: item.minute or 0.0)
        text = f" at {format_rate(rate)}: the {first.name} processes grow {format_rate(first.minute)} together"
        return Growing(text, "g group by program; Space or c tag, k kill the tagged; W add swap")
    if len(growing) >= _MANY and sum(growing) >= rate * _MAIN:
        text = f" at {format_rate(rate)}: many processes grow, none of them this fast"
        return Growing(text, "g group by program; W add swap")
    return Growing(f" at {format_rate(rate)}: in no visible process", "see the Kernel tab; W add swap")


def _holder(facts: Facts) -> Growing:
    """Return the largest holder if nothing grows; memory that no kill frees is no reason to kill."""
    memory = facts.memory
    parts = (("the hypervisor's balloon", memory.balloon), ("huge pages", memory.hugetlb), ("ZFS ARC", memory.arc))
    name, size = max(parts, key=lambda part: part[1])
    if size > memory.total * _QUARTER and size > (memory.anon or 0):
        return Growing(f": {name} {'hold' if name[-1] == 's' else 'holds'} {format_bytes(size)}", NOBODYS)
    return Growing("", "J select the next victim, k kill it, f freeze it; W adds swap")


def _part_cause(facts: Facts, part: PartGrowth) -> Growing:
    what, advice = _PARTS[part.part](facts)
    where = f" in {part.cgroup}" if part.cgroup is not None else ""
    row = _largest_tables(facts.rows) if part.part == "page tables" else None
    target = row.process.id if row is not None else None
    return Growing(f": {what} {format_rate(part.rate)}{where}", advice, target, row is not None)


def _slab(facts: Facts) -> tuple[str, str]:
    slabs = facts.kernel.slabs if facts.kernel is not None else None
    largest = f" ({slabs[0].name} has {format_bytes(slabs[0].bytes)})" if slabs else ""
    return f"kernel slab{largest} grows", f"{NOBODYS}: see its caches on the Kernel tab"


def _tables(facts: Facts) -> tuple[str, str]:
    row = _largest_tables(facts.rows)
    whose = f", most of {row.process.comm}," if row is not None else ""
    return f"page tables{whose} grow", "J select the process with most of them, k kill it; huge pages need fewer"


_PARTS: dict[str, Callable[[Facts], tuple[str, str]]] = {
    "shmem": lambda facts: ("tmpfs and shared memory grow", "delete files in /dev/shm and other tmpfs; W add swap"),
    "page tables": _tables,
    "kernel stacks": lambda facts: ("kernel stacks grow", "the column THR names who makes threads; k kill it"),
    "percpu": lambda facts: ("percpu memory grows", f"{NOBODYS}: used by many cgroups, BPF maps or mounts"),
    "slab": _slab,
    "huge pages": lambda facts: ("the huge page pool grows", "lower vm.nr_hugepages (y)"),
    "balloon": lambda facts: ("the hypervisor's balloon grows", f"{NOBODYS}: only the host can give it back"),
    "ARC": lambda facts: ("ZFS ARC grows", "it shrinks under pressure; zfs_arc_max limits it"),
    "zram": lambda facts: ("zram grows", "compressed pages take RAM: k kill a process, W add swap on disk"),
    "zswap": lambda facts: ("zswap pool grows", "compressed pages take RAM: k kill a process; lower max_pool_percent"),
}  # fmt: skip


def _largest_tables(rows: Iterable[ProcessRow]) -> ProcessRow | None:
    return max((row for row in rows if row.process.page_tables), key=_PAGE_TABLES, default=None)


def balloon(facts: Facts) -> Finding | None:
    """The hypervisor took a tenth of RAM, and memory is scarce."""
    size = facts.memory.balloon
    if not _is_scarce(facts) or size < facts.memory.total * _HOLDS:
        return None
    return Finding(
        "balloon",
        Severity.WARNING,
        f"the hypervisor's balloon holds {format_bytes(size)} ({format_share(size / facts.memory.total)})",
        "Balloon of /proc/meminfo, or memory that no other counter has",
        f"{NOBODYS}: give the guest more memory on the host",
    )


def idle_huge_pages(facts: Facts) -> Finding | None:
    """A tenth of RAM is reserved for unused huge pages, and memory is scarce."""
    idle = facts.memory.hugetlb_unused
    if not _is_scarce(facts) or idle < facts.memory.total * _HOLDS:
        return None
    return Finding(
        "huge_pages",
        Severity.WARNING,
        f"{format_bytes(idle)} of huge pages are reserved and unused",
        "HugePages_Free of /proc/meminfo; nothing else can use them",
        "y lower vm.nr_hugepages",
    )


def _is_scarce(facts: Facts) -> bool:
    available = facts.memory.available
    return available is not None and available < facts.memory.total * _SCARCE


def tmpfs(facts: Facts) -> Finding | None:
    """Shared memory holds a quarter of RAM."""
    size = facts.memory.shmem or 0
    if size < facts.memory.total * _QUARTER:
        return None
    owner = max(facts.rows, key=lambda row: row.process.rss_shmem or 0, default=None)
    mapped = 0 if owner is None else owner.process.rss_shmem or 0
    held_by = f"; {owner.process.comm} maps {format_bytes(mapped)}" if owner is not None and mapped > size / 4 else ""
    group = max((g for g in facts.groups if g.cgroup.path != "/"), key=lambda g: g.cgroup.shmem or 0, default=None)
    where = f", {format_bytes(group.cgroup.shmem)} in {group.name}" if group is not None and group.cgroup.shmem else ""
    return Finding(
        "shmem",
        Severity.WARNING,
        f"tmpfs and shared memory hold {format_bytes(size)} ({format_share(size / facts.memory.total)})",
        f"Shmem of /proc/meminfo{where}{held_by}; no process needs to own it",
        "look for big files in /dev/shm and other tmpfs; it can be swapped out",
    )


def kernel_memory(facts: Facts) -> Finding | None:
    """Unreclaimable kernel memory holds a quarter of RAM."""
    info, size = facts.meminfo, facts.memory.kernel or 0
    if size < facts.memory.total * _QUARTER:
        return None
    tables = 0 if info is None else info.page_tables or 0
    largest = _largest_tables(facts.rows) if tables > size / 2 else None
    if largest is not None:
        held, comm = largest.process.page_tables, largest.process.comm
        evidence = f"page tables {format_bytes(tables)}, of which {comm} has {format_bytes(held)}"
        advice = f"J select {comm}, k kill it (frees its page tables)"
    else:
        slabs = facts.kernel.slabs if facts.kernel is not None else None
        named = f"; largest cache {slabs[0].name} {format_bytes(slabs[0].bytes)}" if slabs else ""
        evidence = f"SUnreclaim + PageTables + KernelStack + Percpu of /proc/meminfo{named}"
        advice = f"{NOBODYS}: see /proc/slabinfo"
    return Finding(
        "kernel_memory",
        Severity.WARNING,
        f"kernel memory is {format_bytes(size)} ({format_share(size / facts.memory.total)})",
        evidence,
        advice,
        target=largest.process.id if largest is not None else None,
    )
