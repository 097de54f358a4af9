"""The tables inside a report: tasks, Mem-Info, zones, free lists, cgroup statistics, slab.

Printed by mm/oom_kill.c, mm/show_mem.c and mm/memcontrol.c.

Each parser gets the lines of one report and takes what has the shape; a cut or interleaved line is passed over.
Sample line: `[  116]     0   116    16730    16285    16285        0        0   163840        0    1000 stress`
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from oomtop.frozen import frozen, replace
from oomtop.oomlog.event import ReportZone, Task

_HEADER = re.compile(r"^\[ *pid *\] +(uid +tgid +total_vm .*name) *$")
_ROW = re.compile(r"^\[ *(\d+)\] +(-?\d.*)$")
_UID_MAX = 1 << 32
# Rows whose header was lost are read by their count of numbers: only these counts are unambiguous.
_BY_COUNT = {
    7: ("uid", "tgid", "total_vm", "rss", "cpu", "oom_adj", "oom_score_adj"),
    10: (
        "uid", "tgid", "total_vm", "rss", "rss_anon", "rss_file", "rss_shmem", "pgtables_bytes", "swapents",
        "oom_score_adj",
    ),
}  # fmt: skip


@frozen
class TaskTable:
    """The rows of the task table, the columns as the kernel named them, and how many rows were damaged."""

    columns: tuple[str, ...] = ()
    tasks: tuple[Task, ...] = ()
    unparsed: int = 0


def is_table_header(line: str) -> bool:
    """Whether a line is the head of the task table."""
    return _HEADER.match(line) is not None


def parse_tasks(lines: Iterable[str], page_size: int) -> TaskTable:
    """Return the task table; column names come from the header, never from the kernel's version."""
    columns: tuple[str, ...] = ()
    tasks: list[Task] = []
    unparsed = 0
    for line in lines:
        header = _HEADER.match(line)
        if header is not None:
            columns = tuple(header[1].split())
            continue
        row = _ROW.match(line)
        if row is None:
            continue
        task = _task(int(row[1]), row[2], columns, page_size)
        if task is None:
            unparsed += 1
        else:
            tasks.append(task)
    return TaskTable(columns, tuple(tasks), unparsed)


def _task(pid: int, rest: str, columns: Sequence[str], page_size: int) -> Task | None:
    """Return one row; None for a damaged one."""
    names = columns[:-1] if columns else _guess(rest)
    words = rest.split(None, len(names)) if names else []
    if len(words) < len(names) or not names:
        return None
    name = words[len(names)] if len(words) > len(names) else ""
    try:
        values = {key: int(word) for key, word in zip(names, words, strict=False)}
    except ValueError:
        return None
    return None if _is_merged(pid, values.get("tgid", pid)) else _from_values(pid, name, values, page_size)


def _is_merged(pid: int, tgid: int) -> bool:
    """Whether two bracket fields ran into one (`[123033] 48 23033`).

    A pid other than the tgid alone is no damage: it is the thread that has the memory map when the leader is gone.
    """
    return pid != tgid and str(pid).endswith(str(tgid))


def _from_values(pid: int, name: str, values: dict[str, int], page_size: int) -> Task:
    def pages(key: str) -> int | None:
        return values[key] * page_size if key in values else None

    tables = values.get("pgtables_bytes")
    if tables is None and "nr_ptes" in values:
        tables = (values["nr_ptes"] + values.get("nr_pmds", 0)) * page_size
    return Task(
        pid=pid,
        name=name,
        uid=values.get("uid"),
        tgid=values.get("tgid"),
        total_vm=pages("total_vm"),
        rss=pages("rss"),
        rss_anon=pages("rss_anon"),
        rss_file=pages("rss_file"),
        rss_shmem=pages("rss_shmem"),
        pgtables=tables,
        swap=pages("swapents"),
        oom_adj=values.get("oom_adj"),
        oom_score_adj=values.get("oom_score_adj"),
    )


def _guess(rest: str) -> tuple[str, ...]:
    words = rest.split()
    count = next((index for index, word in enumerate(words) if not _is_number(word)), len(words))
    return _BY_COUNT.get(count, ())


def _is_number(word: str) -> bool:
    return word.lstrip("-").isdigit()


_COUNTER = re.compile(r"\b([a-z_]+):(\d+)\b(?!\s*kb)")
_ZONE = re.compile(r"^(?:Node (\d+) )?(DMA|DMA32|Normal|HighMem|Movable|Device) free:(\d+)kB(.*)$")
_ZONE_FIELD = re.compile(r"\b(boost|min|low|high|present|managed):(\d+)kB")
_RESERVE = re.compile(r"^lowmem_reserve\[\]: ([\d ]+)$")
_FREE_LIST = re.compile(r"^(?:Node (\d+) )?(DMA|DMA32|Normal|HighMem|Movable|Device): (\d+\*\d+kB.*)= (\d+)kB$")
_CHUNK = re.compile(r"(\d+)\*(\d+)kB")


def parse_mem_info(lines: Iterable[str]) -> tuple[tuple[str, int], ...]:
    """Return the counters of `Mem-Info:` in pages, in their order; nothing for a report without them."""
    found: dict[str, int] = {}
    inside = False
    for line in lines:
        # 2.6.30 writes `Active_anon`; where the log lost the heading, the first counter is the beginning.
        if line.startswith(("Mem-Info:", "active_anon:", "Active_anon:")):
            inside = True
        elif inside and line.startswith(("Node ", "DMA free:", "Normal free:")) and "active_anon" in found:
            break
        if inside:
            found.update((name, int(count)) for name, count in _COUNTER.findall(line.lower()))
    return tuple((name, count) for name, count in found.items() if name not in ("hi", "btch", "usd"))


def parse_zones(lines: Iterable[str]) -> tuple[ReportZone, ...]:
    """Return the zones with their watermarks, reserves and free lists."""
    zones: dict[tuple[int | None, str], ReportZone] = {}
    last: tuple[int | None, str] | None = None
    for line in lines:
        zone = _ZONE.match(line)
        if zone is not None:
            last = (_node(zone[1]), zone[2])
            zones[last] = _zone(last, int(zone[3]), zone[4])
            continue
        reserve = _RESERVE.match(line)
        if reserve is not None and last is not None:
            zones[last] = replace(zones[last], lowmem_reserve_pages=tuple(map(int, reserve[1].split())))
            continue
        chunks = _FREE_LIST.match(line)
        if chunks is not None:
            key = (_node(chunks[1]), chunks[2])
            free = tuple((int(size) * 1024, int(count)) for count, size in _CHUNK.findall(chunks[3]))
            zones[key] = replace(zones.get(key, ReportZone(*key)), free_lists=free)
    return tuple(zones.values())


def _node(text: str | None) -> int | None:
    return None if text is None else int(text)


def _zone(key: tuple[int | None, str], free: int, rest: str) -> ReportZone:
    values = {name: int(size) * 1024 for name, size in _ZONE_FIELD.findall(rest)}
    return ReportZone(
        *key,
        free=free * 1024,
        boost=values.get("boost"),
        min=values.get("min"),
        low=values.get("low"),
        high=values.get("high"),
        managed=values.get("managed"),
        present=values.get("present"),
    )


def page_size_of(zones: Iterable[ReportZone]) -> int:
    """Return the page size: the first column of the free lists is one page; 4096 where there are none."""
    sizes = [zone.free_lists[0][0] for zone in zones if zone.free_lists]
    return sizes[0] if sizes else 4096


_STAT = re.compile(r"^([a-z][a-z_0-9]{1,40}) (\d{1,20})$")
_STAT_V1 = re.compile(r"([a-z_]+):(\d+)KB")


def parse_memcg_stats(lines: Iterable[str]) -> tuple[tuple[str, int], ...]:
    """Return `Memory cgroup stats for` in bytes; the one-line form is of the group itself, later lines of children."""
    found: dict[str, int] = {}
    inside = False
    for line in lines:
        if line.startswith("Memory cgroup stats for "):
            if found:
                break
            inside = True
            found.update((name, int(size) * 1024) for name, size in _STAT_V1.findall(line))
            continue
        match = _STAT.match(line) if inside else None
        if match is not None:
            found.setdefault(match[1], int(match[2]))
        elif inside and line.startswith(("Tasks state", "[ ", "oom-kill:")):
            break
    return tuple(found.items())


_SUMMARY = {
    "pages RAM": "ram_pages",
    "pages reserved": "reserved_pages",
    "total pagecache pages": "pagecache_pages",
}
_TOTAL = re.compile(r"^(\d+) (pages RAM|pages reserved|total pagecache pages)$")
_SWAP = re.compile(r"^(Free|Total) swap {1,2}= (-?\d+)kB$")


def parse_totals(lines: Iterable[str]) -> dict[str, int]:
    """Return RAM, reserved and page cache in pages, swap in bytes (it can be negative during swapoff)."""
    found: dict[str, int] = {}
    for line in lines:
        total = _TOTAL.match(line)
        if total is not None:
            found[_SUMMARY[total[2]]] = int(total[1])
            continue
        swap = _SWAP.match(line)
        if swap is not None:
            found["swap_free" if swap[1] == "Free" else "swap_total"] = int(swap[2]) * 1024
    return found


_SLAB = re.compile(r"^(\S{1,60}) +(\d+)KB +(\d+)KB$")


def parse_slab(lines: Iterable[str]) -> tuple[tuple[str, int, int], ...]:
    """Return `Unreclaimable slab info:` (4.15+) as (name, used, total) in bytes, biggest first."""
    inside = False
    rows: list[tuple[str, int, int]] = []
    for line in lines:
        if line.startswith("Unreclaimable slab info:"):
            inside = True
            continue
        match = _SLAB.match(line) if inside else None
        if match is not None:
            rows.append((match[1], int(match[2]) * 1024, int(match[3]) * 1024))
        elif rows:
            break
    return tuple(sorted(rows, key=lambda row: row[2], reverse=True))
