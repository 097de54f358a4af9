"""`Study`: everything an assessment has about one process; the last known state once it has exited."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from oomtop.analysis.cgroups.assess import chain, limit_pages, usable_swap, working_set
from oomtop.analysis.model.assessment import Assessment, CgroupFigures, ProcessRow
from oomtop.analysis.oom_score.badness import total_pages
from oomtop.analysis.oom_score.explain import Score, explain
from oomtop.frozen import frozen, replace
from oomtop.host.cgroup import is_inside
from oomtop.host.process import Process, ProcessId

CURVE_POINTS = 900


@frozen
class LimitStep:
    """One cgroup from the process up to the root, with its limit and headroom; bytes."""

    path: str
    name: str
    current: int | None
    working_set: int | None
    """Usage without easily reclaimable memory."""
    high: int | None
    max: int | None
    swap_current: int | None
    swap_max: int | None
    left_to_high: int | None
    left_to_max: int | None
    oom_group: bool
    kills: int | None
    """`oom_kill` of its events."""


@frozen
class Study:
    """One process at one instant; `exited_at` (monotonic) is set once it has exited."""

    row: ProcessRow
    monotonic: float
    exited_at: float | None
    parent: str | None
    """The name of its parent."""
    machine: Score
    """Its rank in a machine-wide OOM."""
    group: Score | None
    """Its rank at the nearest cgroup limit, None without a limit."""
    limits: tuple[LimitStep, ...]
    """Its own cgroup first, the root last."""
    curve: tuple[tuple[float, int], ...]
    """(monotonic, RSS+swap) of the last minutes and since the study began, oldest first."""

    @property
    def process(self) -> Process:
        """Its facts."""
        return self.row.process

    @property
    def age(self) -> float:
        """Seconds from its start until it was last seen."""
        return (self.exited_at or self.monotonic) - self.process.started


def study(assessment: Assessment, identity: ProcessId, before: Study | None) -> Study | None:
    """Return the study of a process; the previous one marked as exited if it is gone, None if never seen."""
    row = next((row for row in assessment.rows if row.process.id == identity), None)
    if row is None:
        if before is None or before.exited_at is not None:
            return before
        return replace(before, exited_at=assessment.monotonic)
    processes = [other.process for other in assessment.rows]
    page = assessment.machine.page_size
    pages = total_pages(assessment.memory.total, assessment.swap.total, page)
    groups = {figures.cgroup.path: figures for figures in assessment.cgroups}
    names = {process.pid: process.comm for process in processes}
    return Study(
        row=row,
        monotonic=assessment.monotonic,
        exited_at=None,
        parent=names.get(row.process.ppid),
        machine=explain(row.process, processes, pages, page, "machine"),
        group=_group_score(row, groups, processes, assessment),
        limits=tuple(_step(groups[path]) for path in chain(row.process.cgroup or "/") if path in groups),
        curve=_curve(before, dict(assessment.curves).get(identity, ()), assessment.monotonic, row.process.rss_and_swap),
    )


def _curve(
    before: Study | None, remembered: tuple[tuple[float, int], ...], now: float, size: int
) -> tuple[tuple[float, int], ...]:
    """Return the curve up to now: points from the history, then those of the study itself.

    After a jump back in a recording later points are dropped.
    """
    seen = before.curve if before is not None else ()
    begin = min(seen[0][0] if seen else now, now)
    older = tuple(point for point in remembered if point[0] < begin)
    known = (*older, *(point for point in seen if point[0] < now))
    return (*known[-CURVE_POINTS + 1 :], (now, size))


def _group_score(
    row: ProcessRow, groups: Mapping[str, CgroupFigures], processes: Iterable[Process], assessment: Assessment
) -> Score | None:
    """Return the rank in the group with the nearest limit; oom_score_adj scales with that limit."""
    figures = groups.get(row.headroom_path) if row.headroom_path is not None else None
    if figures is None or figures.cgroup.max is None:
        return None
    path, page = figures.cgroup.path, assessment.machine.page_size
    members = [process for process in processes if is_inside(process.cgroup, path)]
    pages = limit_pages(figures.cgroup, usable_swap(assessment.swap.total, assessment.kernel), page)
    return explain(row.process, members, pages, page, path)


def _step(figures: CgroupFigures) -> LimitStep:
    group = figures.cgroup
    used = working_set(group)
    return LimitStep(
        path=group.path,
        name=figures.name,
        current=group.current,
        working_set=used,
        high=group.high,
        max=group.max,
        swap_current=group.swap_current,
        swap_max=group.swap_max,
        left_to_high=_left(group.high, group.current),
        left_to_max=_left(group.max, used),
        oom_group=group.oom_group,
        kills=group.events.oom_kill,
    )


def _left(limit: int | None, used: int | None) -> int | None:
    return None if limit is None or used is None else limit - used
