"""The kernel's choice recomputed from the task table of a report (mm/oom_kill.c, oom_badness).

    points = rss + swapents + pgtables_bytes / page size  +  oom_score_adj * (totalpages / 1000)

Sample row: `[    116]     0   116    16730    16285   163840        0          1000 stress-ng-vm`
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from oomtop.analysis.postmortem.model import Ranked, Total
from oomtop.analysis.postmortem.platform import counts_both
from oomtop.analysis.postmortem.zones import ram_of
from oomtop.oomlog.event import OomEvent, Task

_OOM_DISABLE = -17
UNLIMITED = 1 << 60
"""Bytes; what the kernel prints for memory.max "max" is PAGE_COUNTER_MAX, near 2^63."""


def total_of(event: OomEvent) -> Total:
    """Return the pages that `oom_score_adj` and shares are measured against."""
    if event.type == "memcg":
        return _cgroup_total(event)
    told = ram_of(event)
    if told is not None:
        ram, source = told, "'pages RAM' - 'pages reserved'"
    elif event.ram_pages is not None:
        return Total(None, False, "'pages RAM' of the report does not fit its zones, or a zone is damaged")
    elif event.page_size is not None and any(zone.managed for zone in event.zones):
        ram, source = sum(zone.managed or 0 for zone in event.zones) // event.page_size, "'managed' of all zones"
    else:
        return Total(None, False, "the report does not say how much RAM there is")
    if event.swap_total is None or event.page_size is None:
        what = "the page size" if event.page_size is None else "the total of swap"
        return Total(ram, False, f"{source}; {what} is not in the log", is_least=True)
    constrained = event.type in ("global-cpuset", "mempolicy")
    words = f"{source} + 'Total swap'" + ("; bound to nodes, so the kernel took less" if constrained else "")
    return Total(ram + max(0, event.swap_total) // event.page_size, not constrained, words)


def _cgroup_total(event: OomEvent) -> Total:
    if event.memcg_limit is None:
        return Total(None, False, "the cgroup's limit is not in the log")
    if event.memcg_limit >= UNLIMITED:
        return Total(None, False, "the cgroup has no limit of memory")
    if event.page_size is None:
        return Total(None, False, "the page size is not in the log")
    limit = event.memcg_limit // event.page_size
    if event.memcg_swap_limit is None or event.memcg_swap_limit >= UNLIMITED:
        known = "is not in the log" if event.memcg_swap_limit is None else "has no limit"
        return Total(limit, False, f"the cgroup's limit; its swap {known}, so swap may come on top", is_least=True)
    swap = max(0, event.memcg_swap_limit - event.memcg_limit) if counts_both(event) else event.memcg_swap_limit
    words = "the cgroup's limit" + (" and its swap limit (if the machine has that much swap)" if swap else "")
    return Total(limit + swap // event.page_size, not swap, words)


def rank(event: OomEvent, total: Total) -> tuple[Ranked, ...]:
    """Return all rows of the task table, the kernel's first choice first; exempt ones last."""
    if event.page_size is None:
        return ()
    tasks = {task.pid: task for task in event.tasks}
    size = event.page_size
    pages = {pid: _own_pages(task, size) for pid, task in tasks.items()}
    step = (total.pages or 0) // 1000
    points = {pid: pages[pid] + (task.oom_score_adj or 0) * step for pid, task in tasks.items()}
    able = [task.pid for task in tasks.values() if _exempt(task) is None]
    # With every oom_score_adj at 0, those that -1000 exempts could be chosen as well.
    places, plain = _places(able, points), _places([pid for pid in tasks if pid != 1], pages)
    # What is in swap counts, and so do pages charged to other groups: a total that lacks them measures nothing.
    is_whole = not total.is_least or not any(
        task.swap or pages[task.pid] > (total.pages or 0) for task in tasks.values()
    )
    measure = total.pages if is_whole else None
    rows = [_ranked(event, task, pages, points, (places, plain), measure) for task in tasks.values()]
    return tuple(sorted(rows, key=lambda row: (row.rank is None, row.rank or 0, -row.own_pages)))


def _own_pages(task: Task, page_size: int) -> int:
    return ((task.rss or 0) + (task.swap or 0) + (task.pgtables or 0)) // page_size


def _exempt(task: Task) -> str | None:
    if task.pid == 1:
        return "pid 1 is never killed"
    if task.oom_score_adj == -1000:
        return "oom_score_adj -1000: never killed"
    if task.oom_score_adj is None and task.oom_adj == _OOM_DISABLE:
        return "oom_adj -17: never killed"
    return None


def _places(able: Iterable[int], points: Mapping[int, int]) -> dict[int, int]:
    """Return the rank of each pid, from 1; the row that comes later in the table wins a tie, as in the kernel."""
    order = sorted(enumerate(able), key=lambda item: (points[item[1]], item[0]), reverse=True)
    return {pid: place for place, (_, pid) in enumerate(order, 1)}


def _ranked(
    event: OomEvent,
    task: Task,
    pages: Mapping[int, int],
    points: Mapping[int, int],
    places: tuple[Mapping[int, int], Mapping[int, int]],
    total: int | None,
) -> Ranked:
    exempt = _exempt(task)
    badness = None if exempt else points[task.pid]
    share = badness / total if badness is not None and total else None
    chosen = chosen_pid(event)
    return Ranked(
        rank=places[0].get(task.pid),
        rank_without_adj=places[1].get(task.pid),
        pid=task.pid,
        name=task.name,
        uid=task.uid,
        rss=task.rss,
        swap=task.swap,
        pgtables=task.pgtables,
        adj=task.oom_score_adj,
        own_pages=pages[task.pid],
        adj_pages=points[task.pid] - pages[task.pid],
        badness=badness,
        share=share,
        exempt=exempt,
        # A thread stands for its process where the leader is gone: the kill line may name the one or the other.
        is_selected=chosen is not None and chosen in (task.pid, task.tgid),
        is_victim=not _victim_pids(event).isdisjoint((task.pid, task.tgid)),
    )


def _victim_pids(event: OomEvent) -> frozenset[int]:
    first = () if event.victim is None else (event.victim.pid,)
    return frozenset((*first, *(victim.pid for victim in event.other_victims)))


def chosen_pid(event: OomEvent) -> int | None:
    """Return the pid of the kernel's choice: the selected one, which is not the victim where a child died."""
    if event.selected is not None and event.selected.pid is not None:
        return event.selected.pid
    return event.victim.pid if event.victim else None


def is_origin(event: OomEvent) -> bool:
    """Whether the choice was swapoff, which asks to be killed first (oom_task_origin in mm/oom_kill.c)."""
    name = event.selected.name if event.selected and event.selected.name else event.victim and event.victim.name
    return event.killer == "kernel" and name == "swapoff"


def is_proven(event: OomEvent, rows: Iterable[Ranked]) -> bool:
    """Whether the order of these rows by size is the kernel's own: a whole table with every column that counts."""
    columns = set(event.table_columns)
    if event.tasks_unparsed or not {"swapents", "rss"} <= columns:
        return False
    # Up to 4.16 root's processes got 3 % off.
    return "pgtables_bytes" in columns or all(row.uid != 0 for row in rows)


def is_swap_untold(event: OomEvent) -> bool:
    """Whether swap was in use but the table has no column for it, so that a process held its rss at least."""
    columns = event.table_columns
    return bool(columns) and "swapents" not in columns and (event.swap_total or 0) > (event.swap_free or 0)


def agreement(event: OomEvent, ranking: Sequence[Ranked], total: Total) -> tuple[bool | None, str]:
    """Return whether our first is the kernel's choice, and in words why if it is not, or cannot be told."""
    chosen = chosen_pid(event)
    if event.killer != "kernel":
        return None, f"{event.killer} has rules of its own; the kernel's badness does not apply."
    if event.tasks and event.page_size is None:
        return None, "The page size is not in the log, so swap, page tables and limits cannot be added up: no ranking."
    if not ranking:
        return (
            None,
            "There is no whole task table in this report (vm.oom_dump_tasks=0, cut, or rate-limited), so no ranking.",
        )
    if chosen is None:
        return None, "The log does not say whom the kernel chose."
    if is_origin(event):
        return None, "swapoff marks itself as the first to be killed while it runs, whatever its badness."
    if event.allocating_task:
        return None, "vm.oom_kill_allocating_task is set: the task that asked is killed, whatever its badness."
    row = next((row for row in ranking if row.is_selected), None)
    if row is None:
        return None, f"The kernel's choice, pid {chosen}, has no row in the table."
    if row.rank == 1:
        return True, "The badness recomputed from the table puts the kernel's choice first."
    return False, _why_not(event, row, ranking[0], total)


def _why_not(event: OomEvent, row: Ranked, first: Ranked, total: Total) -> str:
    place = f"By the table {first.name} (pid {first.pid}) comes first and the kernel's choice is number {row.rank}"
    columns = set(event.table_columns)
    if row.badness is not None and row.badness == first.badness:
        return f"{place}, with the same badness: the order of the tasks decided."
    if row.exempt:
        return (
            f"The kernel's choice is exempt by the table ({row.exempt}); the value was changed, or the row is damaged."
        )
    if "oom_score_adj" not in columns and "oom_adj" in columns:
        return f"{place}: kernels before 2.6.36 choose by total_vm, run time and oom_adj instead."
    if event.tasks_unparsed:
        return f"{place}: {event.tasks_unparsed} rows of the table are damaged."
    if total.pages is None and (row.adj or first.adj):
        return f"{place}: without the total the oom_score_adj terms cannot be computed."
    if columns and "swapents" not in columns:
        return f"{place}: this kernel's table has no swap and page-table columns, which count."
    if first.uid == 0 and "pgtables_bytes" not in columns:
        return f"{place}: kernels up to 4.16 let privileged processes off 3 %."
    if not total.certain and (row.adj or first.adj):
        return f"{place}: the total is not certain, and the oom_score_adj terms depend on it."
    bound = ", not bound to these nodes" if event.type in ("global-cpuset", "mempolicy") else ""
    return f"{place}: the first was passed over (being killed already, in vfork{bound}), or figures changed."
