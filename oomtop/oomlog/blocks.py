"""The tables inside a report: tasks, Mem-Info, zones, free lists, cgroup statistics, slab.

Printed by mm/oom_kill.c, mm/show_mem.c and mm/memcontrol.c.

Each parser gets the lines of one report and takes what has the shape; a cut or interleaved line is passed over.
Sample line: `[  116]     0   116    16730    16285    16285        0        0   163840        0    1000 stress`
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

from oomtop.frozen import frozen, replace
from oomtop.oomlog.event import OomEvent, ReportZone, Task, Victim

_HEADER = re.compile(r"^\[ *pid *\]\s+(uid\s+tgid\s+total_vm\s.*\sname) *$")
_ROW = re.compile(r"^\[\s*(\d{1,10})\]\s+(-?\d.*)$")
_NUMBER = re.compile(r"-?\d{1,19}", re.A)
_ADJ_MAX = 1000
_OOM_ADJ = range(-17, 16)
_HEAD = ("uid", "tgid", "total_vm", "rss")
_TAIL = ("swapents", "oom_score_adj")
# The columns of rows without a header, by how many numbers they have; with seven, the values decide.
_BY_COUNT = {
    8: (*_HEAD, "nr_ptes", "nr_pmds", *_TAIL),
    9: (*_HEAD, "nr_ptes", "nr_pmds", "nr_puds", *_TAIL),
    10: (*_HEAD, "rss_anon", "rss_file", "rss_shmem", "pgtables_bytes", *_TAIL),
}
_SEVEN = len((*_HEAD, "pgtables_bytes", *_TAIL))


_SAME_ROWS = 4096
"""Rows that are remembered: in a storm most tasks stand in report after report with the same figures."""


@frozen
class TaskTable:
    """The rows of the task table as printed, and the columns as the kernel named them."""

    columns: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    """The columns that are numbers, in their order; guessed where the header is missing."""
    rows: Sequence[str] = ()


def is_table_header(line: str) -> bool:
    """Whether a line is the header of the task table."""
    return _HEADER.match(line) is not None


def is_table_row(line: str) -> bool:
    """Whether a line has the shape of a row of the task table: its pid again or a thread's, and enough numbers."""
    row = _ROW.match(line)
    return row is not None and _count(row[2].split()) >= _SEVEN


def parse_table(lines: Iterable[str]) -> TaskTable:
    """Return the task table; column names come from the header, else from what the rows have in common."""
    columns: tuple[str, ...] = ()
    found: list[str] = []
    for line in lines:
        header = _HEADER.match(line) if "total_vm" in line else None
        if header is not None:
            columns = tuple(header[1].split())
        elif _is_row(line):
            found.append(line)
    return TaskTable(columns, columns[:-1] if columns else _guess([_words(line)[1] for line in found]), found)


@lru_cache(_SAME_ROWS)
def _is_row(line: str) -> bool:
    return _ROW.match(line) is not None


def _words(line: str) -> tuple[int, list[str]]:
    """Return the pid of a row and the words after it; the last one is the rest of the line."""
    pid, _, rest = line[1:].partition("]")
    return int(pid), rest.split(None, 15)


_Row = tuple[int, Sequence[int], str]
"""The pid, the numbers behind it in the order of the columns, and the name."""


def _row(line: str, whole: re.Match[str] | None, count: int, tgid: int | None) -> _Row | None:
    """Return one row of `count` numbers, the tgid in its place; None for a damaged one."""
    if whole is not None and count:
        pid, name = int(whole[1]), whole[3]
        values = list(map(int, whole[2].split()))
    else:
        pid, words = _words(line)
        numbers, name = words[:count], " ".join(words[count:])
        if len(numbers) < count or not count or not all(map(_NUMBER.fullmatch, numbers)):
            return None
        values = list(map(int, numbers))
    return None if tgid is not None and _is_merged(pid, values[tgid]) else (pid, values, name)


def _is_merged(pid: int, tgid: int) -> bool:
    """Whether two bracket fields ran into one (`[123033] 48 23033`).

    A pid other than the tgid alone is no damage: it is the thread that has the memory map when the leader is gone.
    """
    return pid != tgid and str(pid).endswith(str(tgid))


def _count(words: Sequence[str]) -> int:
    return next((at for at, word in enumerate(words) if not _NUMBER.fullmatch(word)), len(words))


def _guess(rows: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Return the columns of rows without a header: by the count of numbers that most have, and by their values."""
    counts = Counter(_count(words) for words in rows)
    count = counts.most_common(1)[0][0] if counts else 0
    numbers = [[int(word) for word in words[:count]] for words in rows if _count(words) == count]
    if not count or not all(-_ADJ_MAX <= row[-1] <= _ADJ_MAX for row in numbers):
        return ()
    return _seven(numbers) if count == _SEVEN else _BY_COUNT.get(count, ())


def _seven(rows: Sequence[Sequence[int]]) -> tuple[str, ...]:
    """Tell three tables apart: page tables in bytes (4.15), in pages (3.x), the CPU and oom_adj (2.6.32)."""
    middle, before_last = {row[-3] for row in rows}, {row[-2] for row in rows}
    # More pages of page tables than it maps has no process.
    is_bytes = any(row[-3] > row[2] for row in rows)
    if is_bytes or (any(middle) and not any(size % 4096 for size in middle)):
        return (*_HEAD, "pgtables_bytes", *_TAIL)
    is_scaled = all((row[-2] == -17) == (row[-1] == -_ADJ_MAX) and row[-2] * row[-1] >= 0 for row in rows)
    if is_scaled and before_last <= set(_OOM_ADJ) and (any(before_last) or 0 in middle):
        return (*_HEAD, "cpu", "oom_adj", "oom_score_adj")
    return (*_HEAD, "nr_ptes", *_TAIL)


def tasks_of(table: TaskTable, page_size: int | None) -> tuple[tuple[Task, ...], int]:
    """Return the rows with sizes in bytes, None where they depend on an unknown page size, and how many are damaged."""
    task_of = _tasks_by_row(table.names, page_size)
    tasks = tuple(task for row in table.rows if (task := task_of(row)) is not None)
    return tasks, len(table.rows) - len(tasks)


# The fields of `Task` after its name, by column, and whether the column counts pages.
_TASK_COLUMNS = (
    ("uid", False), ("tgid", False), ("total_vm", True), ("rss", True), ("rss_anon", True), ("rss_file", True),
    ("rss_shmem", True), ("pgtables_bytes", False), ("swapents", True), ("oom_adj", False), ("oom_score_adj", False),
)  # fmt: skip


@lru_cache(8)
def _tasks_by_row(names: tuple[str, ...], page_size: int | None) -> Callable[[str], Task | None]:
    """Return what reads a row of a table with these columns; None for a damaged one."""
    places = {name: place for place, name in enumerate(names)}
    columns = [(places.get(name), page_size if is_pages else 1) for name, is_pages in _TASK_COLUMNS]
    tables = [place for name, place in places.items() if name in ("nr_ptes", "nr_pmds", "nr_puds")]
    if "nr_ptes" not in places or "pgtables_bytes" in places:
        tables = []
    count, tgid = len(names), places.get("tgid")
    # Nearly all rows are undamaged, with a name of one word.
    whole = re.compile(rf"\[ *(\d{{1,10}})\]((?: +-?\d{{1,19}}){{{count}}}) +(\S+)$", re.A)

    @lru_cache(_SAME_ROWS)
    def task_of(line: str) -> Task | None:
        row = _row(line, whole.match(line), count, tgid)
        if row is None:
            return None
        pid, values, name = row
        sizes = [None if place is None or unit is None else values[place] * unit for place, unit in columns]
        task = Task(pid, name, *sizes)
        if not tables or page_size is None:
            return task
        return replace(task, pgtables=sum(values[place] for place in tables) * page_size)

    return task_of


_COUNTER = re.compile(r"\b([a-z_]+):(\d{1,19})\b(?!\s*kb)")
_ZONE = re.compile(r"^(?:Node (\d{1,5}) )?(DMA|DMA32|Normal|HighMem|Movable|Device) free:(\d{1,19})kB(.*)$")
_ZONE_FIELD = re.compile(r"\b(boost|min|low|high|present|managed):(\d{1,19})kB")
_OF_ZONES = ("Node ", "DMA", "Normal", "HighMem", "Movable", "Device", "lowmem_reserve")
_RESERVE = re.compile(r"^lowmem_reserve\[\]: (\d{1,19}(?: \d{1,19}){0,15}) *$")
_FREE_LIST = re.compile(
    r"^(?:Node (\d{1,5}) )?(DMA|DMA32|Normal|HighMem|Movable|Device): (\d{1,19}\*\d{1,19}kB.*)= (\d{1,19})kB$"
)
_CHUNK = re.compile(r"(\d{1,19})\*(\d{1,19})kB")


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
        if not line.startswith(_OF_ZONES):
            continue
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
    marks: dict[str, Any] = {name: int(size) * 1024 for name, size in _ZONE_FIELD.findall(rest)}
    return replace(ReportZone(*key, free * 1024), **marks)


_PAGE_SIZES = frozenset(1 << shift for shift in range(12, 19))
_SMALL_PAGES = re.compile(r"x86_64|amd64|i[3-6]86|\bpae\b|-v[67]l?\b|armv[67]|s390x", re.I)


def page_size_of(
    zones: Iterable[ReportZone], table: TaskTable, victims: Iterable[Victim], kernel: str | None
) -> int | None:
    """Return the page size in bytes, None where nothing tells.

    The first column of the free lists is one page.  Else the victim's total-vm, in kB on its own line and in pages in
    the table; else the kernel's name, where it tells of a processor that knows one size only.
    """
    sizes = {zone.free_lists[0][0] for zone in zones if zone.free_lists}
    sizes = sizes or set(_ratios(table, victims))
    if sizes:
        return sizes.pop() if len(sizes) == 1 and sizes <= _PAGE_SIZES else None
    return 4096 if kernel is not None and _SMALL_PAGES.search(kernel) else None


def _ratios(table: TaskTable, victims: Iterable[Victim]) -> Iterator[int]:
    sizes = {victim.pid: victim.total_vm for victim in victims}
    in_pages = _tasks_by_row(table.names, 1)
    pages: dict[int, int | None] = {}
    for row in table.rows:
        if int(row[1 : row.index("]")]) in sizes and (task := in_pages(row)) is not None:
            pages[task.pid] = task.total_vm
    for pid, size in sizes.items():
        count = pages.get(pid)
        if count and size and size % count == 0:
            yield size // count


_STAT = re.compile(r"^([a-z][a-z_0-9]{1,40}) (\d{1,20})$")
_STAT_V1 = re.compile(r"(?<![a-z_])([a-z_]{1,40}):(\d{1,19})KB")


def _is_of_stats(line: str) -> bool:
    return line.startswith("Memory cgroup stats for ")


def parse_memcg_stats(lines: Iterable[str]) -> tuple[tuple[str, int], ...]:
    """Return `Memory cgroup stats for` in bytes; the one-line form is of the group itself, later lines of children."""
    found: dict[str, int] = {}
    inside = False
    for line in lines:
        if _is_of_stats(line):
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
_TOTAL = re.compile(r"^(\d{1,19}) (pages RAM|pages reserved|total pagecache pages)$")
_SWAP = re.compile(r"^(Free|Total) swap {1,2}= (-?\d{1,19})kB$")


def parse_totals(lines: Iterable[str]) -> dict[str, int]:
    """Return RAM, reserved and page cache in pages, swap in bytes (it can be negative during swapoff)."""
    found: dict[str, int] = {}
    for line in lines:
        if not line.startswith(("Free", "Total")) and not line[:1].isdigit():
            continue
        total = _TOTAL.match(line)
        if total is not None:
            found[_SUMMARY[total[2]]] = int(total[1])
            continue
        swap = _SWAP.match(line)
        if swap is not None:
            found["swap_free" if swap[1] == "Free" else "swap_total"] = int(swap[2]) * 1024
    return found


_SLAB = re.compile(r"^(\S{1,60}) +(\d{1,19})KB +(\d{1,19})KB$")


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


def with_blocks(event: OomEvent, text: list[str]) -> OomEvent:
    """Return the event with the tables of its report."""
    others = [line for line in text if line[:1] != "["]
    zones = parse_zones(others)
    table = parse_table([line for line in text if line[:1] == "["])
    victims = () if event.victim is None else (event.victim, *event.other_victims)
    page_size = page_size_of(zones, table, victims, event.kernel)
    tasks, unparsed = tasks_of(table, page_size)
    totals = parse_totals(others)
    return replace(
        event,
        page_size=page_size,
        zones=zones,
        tasks=tasks,
        table_columns=table.columns,
        tasks_unparsed=unparsed,
        mem_info_pages=parse_mem_info(others),
        memcg_stats=parse_memcg_stats(text) if any(_is_of_stats(line) for line in others) else (),
        slab=parse_slab(others),
        ram_pages=totals.get("ram_pages"),
        reserved_pages=totals.get("reserved_pages"),
        pagecache_pages=totals.get("pagecache_pages"),
        swap_total=totals.get("swap_total"),
        swap_free=totals.get("swap_free"),
    )
