"""`assess`: turns the facts of one tick and the history into everything that is shown.  Pure."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from itertools import compress
from operator import attrgetter

from oomtop.analysis.account import account_memory, account_pressure, account_swap
from oomtop.analysis.cgroups.assess import assess_groups, nearest_limits
from oomtop.analysis.cgroups.reuse import unchanged
from oomtop.analysis.dangers.build import Findable, by_subject, find_dangers
from oomtop.analysis.findings.machine import find
from oomtop.analysis.findings.rule import Facts
from oomtop.analysis.model.assessment import (
    Assessment,
    CgroupFigures,
    Growth,
    MemoryAccount,
    PastSeries,
    ProcessRow,
    Victims,
)  # fmt: skip
from oomtop.analysis.model.danger import Danger, DangerKind
from oomtop.analysis.oom_score.badness import badness, total_pages
from oomtop.analysis.oom_score.daemon_options import Shortage
from oomtop.analysis.oom_score.daemon_rules import early_killers
from oomtop.analysis.oom_score.ranking import culprit, rank, rank_scored
from oomtop.analysis.scope import scope_of, scope_problems
from oomtop.analysis.trends.group_growth import growths
from oomtop.analysis.trends.part_growth import part_growths
from oomtop.analysis.trends.process_growth import growth
from oomtop.analysis.trends.slope import Curve
from oomtop.analysis.unlogged_kills import unlogged_kills
from oomtop.frozen import replace
from oomtop.history import History
from oomtop.host.containers import name_of
from oomtop.host.meminfo import Meminfo
from oomtop.host.node_domains import node_domains
from oomtop.host.process import Process, ProcessId
from oomtop.snapshot import Snapshot, Tick

_GROWERS = 5
_MUCH = 0.1
_BADNESS, _PROCESS, _IDENTITY = attrgetter("badness"), attrgetter("process"), attrgetter("process.id")
_LEAST_GROWTH = 64 * 1024.0
_CHART_SECONDS = 600.0
_DAY_SECONDS = 86400.0
_CHART_POINTS = 300


def assess(tick: Tick, history: History, previous: Assessment | None = None) -> Assessment:
    """Return the assessment of a tick already added to `history`; rows of `previous` are reused."""
    snapshot = tick.snapshot
    before, scope = history.previous, scope_of(snapshot)
    memory = account_memory(snapshot)
    swap = account_swap(snapshot, before)
    pressure = account_pressure(snapshot, history)
    groups = assess_groups(snapshot, unchanged(snapshot, before, previous))
    rows = _Rows(snapshot, before, history, previous, groups).build()
    growers = _growers(rows)
    parts, grown = part_growths(history.parts), _growths(snapshot, history, previous)
    victims = _victims(snapshot, memory, rows)
    nodes = _node_victims(snapshot)
    dangers = find_dangers(
        Findable(
            snapshot, history, memory, groups, rows, growers, victims, dict(nodes),
            by_subject(previous.dangers if previous else ()), tick.ahead,
        )
    )  # fmt: skip
    groups = _with_dangers(groups, dangers)
    machine = next((danger for danger in dangers if danger.kind is DangerKind.MACHINE), None)
    return Assessment(
        time=snapshot.time,
        monotonic=snapshot.monotonic,
        machine=snapshot.machine,
        memory=memory,
        swap=swap,
        pressure=pressure,
        dangers=dangers,
        victims=victims,
        growers=tuple(row.process.id for row in growers),
        findings=find(
            Facts(
                memory,
                swap,
                pressure,
                dangers,
                rows,
                growers,
                groups,
                _lasting(rows, history),
                snapshot.kernel,
                snapshot.meminfo,
                snapshot.zones,
                snapshot.machine.page_size,
                parts,
                grown,
            )
        ),
        rows=rows,
        cgroups=groups,
        limit=_own_limit(snapshot, groups),
        zones=snapshot.zones,
        events=tuple(history.events),
        unlogged_kills=_unlogged(snapshot, history),
        log_read=history.log_read,
        series=_series(history, snapshot.time),
        day=_day(history, snapshot.time, previous.day if previous is not None else None),
        problems=(*scope_problems(snapshot.visibility, scope), *snapshot.problems),
        scope=scope,
        pss=snapshot.pss,
        node_victims=nodes,
        early_killers=early_killers(
            snapshot.killers,
            Shortage(memory, swap, rows, groups, machine.rate if machine and machine.median else None),
        )
        if snapshot.killers
        else (),
        unwatched_limits=snapshot.unwatched_limits,
        sample_seconds=snapshot.sample_seconds,
        kernel=snapshot.kernel,
        meminfo=snapshot.meminfo,
        growths=grown,
        parts=parts,
        growths_at=history.lasting_at,
        curves=tuple((identity, tuple(history.process_points(identity) or ())) for identity in tick.watched),
    )


class _Rows:
    """Builds the process rows of one tick; unchanged processes keep their row object."""

    def __init__(
        self,
        snapshot: Snapshot,
        before: Snapshot | None,
        history: History,
        previous: Assessment | None,
        groups: tuple[CgroupFigures, ...],
    ) -> None:
        self._snapshot = snapshot
        self._history = history
        self._page = snapshot.machine.page_size
        self._pages = total_pages(snapshot.meminfo.mem_total, snapshot.meminfo.swap_total, self._page)
        self._users = dict(snapshot.users)
        self._names = dict(snapshot.containers)
        self._renamed = before is not None and (before.containers, before.users) != (
            snapshot.containers,
            snapshot.users,
        )
        self._limits = nearest_limits(groups)
        self._seconds = snapshot.monotonic - before.monotonic if before else 0.0
        self._old: Mapping[ProcessId, ProcessRow] = (
            dict(zip(map(_IDENTITY, previous.rows), previous.rows, strict=True)) if previous is not None else {}
        )
        self._units: dict[str | None, str | None] = {}

    def build(self) -> tuple[ProcessRow, ...]:
        """Return one row per process, in the order of the snapshot."""
        # Hot loop over every process: unchanged ones are handled here without a call.
        old_rows, limits, renamed = self._old, self._limits, self._renamed
        rows = []
        for process in self._snapshot.processes:
            old = old_rows.get(process.id)
            limit = limits.get(process.cgroup) if process.cgroup is not None else None
            if (
                old is None
                or old.process is not process
                or old.growth
                or old.cpu != 0.0
                or old.headroom != (limit[0] if limit is not None else None)
                or renamed
            ):
                old = self._row(process, old, limit)
            rows.append(old)
        return tuple(rows)

    def _row(self, process: Process, old: ProcessRow | None, limit: tuple[int, str] | None) -> ProcessRow:
        left, path = limit if limit is not None else (None, None)
        points = badness(process, self._pages, self._page)
        return ProcessRow(
            process=process,
            user=self._user(process),
            # Seen once, it may be growing as fast as any.
            growth=growth(self._history.process_points(process.id), self._snapshot.monotonic) if old else None,
            cpu=self._per_second(old.process.cpu_seconds, process.cpu_seconds) if old else None,
            major_fault_rate=self._per_second(old.process.major_faults, process.major_faults) if old else None,
            badness=points,
            share=None if points is None else points / self._pages,
            unit=self._unit(process.cgroup),
            headroom=left,
            headroom_path=path,
        )

    def _per_second(self, old: float, new: float) -> float | None:
        return (new - old) / self._seconds if self._seconds > 0 and new >= old else None

    def _user(self, process: Process) -> str:
        if process.euid is None:
            return "-"
        return self._users.get(process.euid, str(process.euid))

    def _unit(self, path: str | None) -> str | None:
        if path not in self._units:
            self._units[path] = name_of(path, self._names)
        return self._units[path]


def _growers(rows: Sequence[ProcessRow]) -> list[ProcessRow]:
    growing = (row for row in rows if row.growth is not None and row.growth > _LEAST_GROWTH)
    return heapq.nlargest(_GROWERS, growing, key=lambda row: row.growth or 0.0)


def _lasting(rows: Sequence[ProcessRow], history: History) -> list[tuple[ProcessRow, Curve]]:
    """Return the rows of the largest processes with their last half hour."""
    curves = history.lasting
    # Only the largest have a curve: no turn of a loop for each of 5,000 rows.
    found = compress(rows, map(curves.__contains__, map(_IDENTITY, rows))) if curves else ()
    return [(row, curves[row.process.id]) for row in found]


def _growths(snapshot: Snapshot, history: History, previous: Assessment | None) -> tuple[Growth, ...]:
    """Return the growth over minutes, recomputed when there is a new point."""
    is_same = previous is not None and previous.growths_at == history.lasting_at
    return previous.growths if previous is not None and is_same else growths(snapshot, history)


def _victims(snapshot: Snapshot, memory: MemoryAccount, rows: Sequence[ProcessRow]) -> Victims:
    page = snapshot.machine.page_size
    pages = total_pages(snapshot.meminfo.mem_total, snapshot.meminfo.swap_total, page)
    groups = {group.path: group for group in snapshot.cgroups if group.oom_group}
    found = rank_scored(list(map(_BADNESS, rows)), list(map(_PROCESS, rows)), pages, groups=groups)
    parts = (
        ("kernel memory", _of_no_process(snapshot.meminfo)), ("tmpfs", _unmapped(memory, rows)),
        ("hugepages", memory.hugetlb), ("held by the hypervisor's balloon", memory.balloon),
    )  # fmt: skip
    return replace(found, culprit=culprit(memory.total, parts, memory.anon or 0))


def _node_victims(snapshot: Snapshot) -> tuple[tuple[str, Victims], ...]:
    """Return who dies where the nodes that processes are confined to are full (`constrained_alloc`)."""
    bound, page = dict(snapshot.bound), snapshot.machine.page_size
    groups = {group.path: group for group in snapshot.cgroups if group.oom_group}
    found = []
    for domain in node_domains(snapshot.nodes, snapshot.processes, bound):
        present = sum(zone.present for zone in snapshot.zones if domain.nodes >> zone.node & 1)
        members = [process for process in snapshot.processes if domain.has(process, bound)]
        pages = total_pages(present, snapshot.meminfo.swap_total, page)
        found.append((domain.subject, rank(members, pages, page, groups=groups)))
    return tuple(found)


def _of_no_process(info: Meminfo) -> int:
    """Return kernel memory without page tables and stacks, which are freed with their processes."""
    return (info.s_unreclaim or 0) + (info.percpu or 0)


def _unmapped(memory: MemoryAccount, rows: Sequence[ProcessRow]) -> int:
    """Return shared memory that no process maps, so that no kill frees it; 0 if it is small."""
    if (memory.shmem or 0) < memory.total * _MUCH:
        return 0
    return max(0, (memory.shmem or 0) - sum(row.process.rss_shmem or 0 for row in rows))


def _with_dangers(groups: Sequence[CgroupFigures], dangers: Sequence[Danger]) -> tuple[CgroupFigures, ...]:
    known = by_subject(dangers)
    return tuple(
        group if group.danger is (danger := known.get(group.cgroup.path)) else replace(group, danger=danger)
        for group in groups
    )


def _own_limit(snapshot: Snapshot, groups: Sequence[CgroupFigures]) -> CgroupFigures | None:
    """Return the limit of the container that oomtop runs in, None outside a container."""
    path = snapshot.own_cgroup
    if path is None:
        return None
    limited = {group.cgroup.path: group for group in groups if group.cgroup.max is not None}
    found = limited.get(path) or limited.get("/")
    return found if snapshot.is_container or path == "/" else None


def _unlogged(snapshot: Snapshot, history: History) -> int | None:
    if not history.log_read or snapshot.vmstat is None:
        return None
    return unlogged_kills(snapshot.vmstat.oom_kill, history.events, snapshot.machine.boot_time or 0.0)


def _series(history: History, now: float) -> PastSeries:
    points = [point for point in history.machine if now - point.time <= _CHART_SECONDS]
    step = max(1, len(points) // _CHART_POINTS)
    points = points[::step]
    return PastSeries(
        times=tuple(point.time for point in points),
        available=tuple(point.available for point in points),
        swap_used=tuple(point.swap_used for point in points),
        some_avg10=tuple(point.some_avg10 for point in points),
        full_avg10=tuple(point.full_avg10 for point in points),
        marks=_marks(history, now - _CHART_SECONDS),
    )


def _day(history: History, now: float, before: PastSeries | None) -> PastSeries:
    """Return the minutes of the last day; the previous object if there is no new minute or mark."""
    marks = _marks(history, now - _DAY_SECONDS)
    is_same = before is not None and before.times[-1:] == (history.day.newest,) and before.marks == marks
    if before is not None and is_same:
        return before
    columns = {name: history.day.column(name) for name in ("available", "swap_used", "some_avg10", "full_avg10")}
    return PastSeries(
        times=tuple(value or 0.0 for value in history.day.column("time")),
        available=_whole(columns["available"]),
        swap_used=_whole(columns["swap_used"]),
        some_avg10=columns["some_avg10"],
        full_avg10=columns["full_avg10"],
        marks=marks,
    )


def _whole(values: Iterable[float | None]) -> tuple[int | None, ...]:
    return tuple(None if value is None else int(value) for value in values)


def _marks(history: History, since: float) -> tuple[tuple[float, str], ...]:
    """Return (time, label) of the OOM events and actions after a time."""
    events = [(event.time, "OOM") for event in history.events if event.time and event.time >= since]
    return tuple(events + [mark for mark in history.marks if mark[0] >= since])
