"""The rows of the process table and their order: filters, sorting, the tree, groups.  Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from operator import attrgetter
from typing import NamedTuple

from oomtop.analysis.model.assessment import ProcessRow
from oomtop.analysis.shared_memory import Ceiling, held_together, sum_known, sum_sizes
from oomtop.frozen import field, frozen, replace
from oomtop.host.cgroup import is_inside
from oomtop.host.process import Process, ProcessId
from oomtop.tui.process_table.columns import BY_ID, DEFAULT_SORT, Column, ColumnContext
from oomtop.tui.process_table.filter_query import Predicate

Key = ProcessId | str
"""The key of an entry: a process, or the name of a group."""

PF_KTHREAD = 0x00200000
"""include/linux/sched.h: the process is a thread of the kernel."""
_PID = attrgetter("process.id.pid")

# Deeper chains of children are drawn at this depth; their lines would hold only branches.
_DEEPEST_PREFIX = 90


class Grouping(Enum):
    """What the processes of a group have in common."""

    PROGRAM = "program"
    USER = "user"
    CGROUP = "cgroup"


class Entry(NamedTuple):
    """One line of the table: a process, or the totals of a group."""

    key: Key
    row: ProcessRow
    prefix: str = ""
    """The branches of the tree before the command."""
    hidden: int = 0
    """How many lines are folded away below it."""
    members: int = 0
    """The number of processes of a group, 0 for a process."""
    gone: bool = False
    """Whether the process has ended while the order was held."""


@frozen
class Focus:
    """The priority order: the next victim of the danger on the strip, then its group, then the rest."""

    group: str | None = None
    """The cgroup that fills up, None if it is the machine or none does."""
    name: str = ""
    """What the strip calls that cgroup."""
    victim: ProcessId | None = None
    known: dict[str | None, bool] = field(default_factory=dict, compare=False)
    """Which cgroups are inside: every process is asked for with every sort."""

    def is_member(self, row: ProcessRow) -> bool:
        """Whether the limit applies to a process."""
        if self.group is None:
            return True
        path = row.process.cgroup
        found = self.known.get(path)
        if found is None:
            found = self.known[path] = is_inside(path, self.group)
        return found

    def place(self, row: ProcessRow) -> int:
        """Return 0 for the victim, 1 for members, 2 for others."""
        return 0 if row.process.id == self.victim else 1 if self.is_member(row) else 2


@frozen
class View:
    """How the table is arranged; saved in the configuration."""

    column: Column = BY_ID[DEFAULT_SORT]
    descending: bool = True
    tree: bool = False
    grouping: Grouping | None = None
    toggled: frozenset[Key] = frozenset()
    """Branches folded in the tree; groups unfolded when grouped."""
    kernel_threads: bool = False
    user: str | None = None
    accept: Predicate | None = None
    filter_text: str = ""
    """The filter as it was typed."""
    ascii: bool = False
    focus: Focus = Focus()

    @property
    def shows_totals(self) -> bool:
        """Whether a line may be the total of several processes."""
        return self.grouping is not None or (self.tree and bool(self.toggled))


def select(rows: Iterable[ProcessRow], view: View) -> list[ProcessRow]:
    """Return the rows that match the view."""
    # The flag is tested here and not by its property, which would be called 5,000 times a tick.
    found = rows if view.kernel_threads else [row for row in rows if not row.process.flags & PF_KTHREAD]
    if view.user is not None:
        found = (row for row in found if row.user == view.user)
    accept = view.accept
    return list(found) if accept is None else [row for row in found if accept(row)]


def arrange(rows: Iterable[ProcessRow], view: View, moment: ColumnContext) -> list[Entry]:
    """Return the entries of selected rows; equal ones are sorted by pid, so that they do not swap places."""
    ordered = _sorted(rows, view, moment)
    if view.grouping is not None:
        return _groups(ordered, view, moment)
    if view.tree:
        return _tree(ordered, view, moment)
    return [Entry(row.process.id, row) for row in ordered]


def keep_places(
    entries: Sequence[Entry], rows: Iterable[ProcessRow], fresh: Iterable[ProcessRow], arranged: int
) -> list[Entry]:
    """Return the entries in their old places with the facts of `rows`, `fresh` ones last.

    Ended processes are marked among the first `arranged` and left out among later ones: their number is bounded.
    """
    now = {row.process.id: row for row in rows}
    later = (entry for entry in entries[arranged:] if entry.key in now)
    kept = [_refreshed(entry, now) for entry in (*entries[:arranged], *later)]
    return kept + [Entry(row.process.id, row) for row in fresh]


def members_of(rows: Iterable[ProcessRow], view: View, key: Key) -> tuple[ProcessRow, ...]:
    """Return the processes that one line stands for: a group, a folded branch, or one process."""
    shown = select(rows, view)
    if isinstance(key, str):
        return tuple(row for row in shown if group_of(row, view.grouping) == key)
    is_folded = view.tree and key in view.toggled
    wanted = _below(_children(shown), key) if is_folded else {key}
    return tuple(row for row in shown if row.process.id in wanted)


def subtree(rows: Sequence[ProcessRow], top: ProcessId) -> frozenset[ProcessId]:
    """Return a process and all its descendants."""
    return frozenset(_below(_children(rows), top))


def _below(children: Mapping[ProcessId | None, Sequence[ProcessRow]], top: ProcessId) -> set[ProcessId]:
    found: set[ProcessId] = set()
    stack = [top]
    while stack:
        at = stack.pop()
        found.add(at)
        stack.extend(row.process.id for row in children.get(at, ()))
    return found


def _refreshed(entry: Entry, now: Mapping[ProcessId, ProcessRow]) -> Entry:
    if isinstance(entry.key, str):
        return entry
    row = now.get(entry.key)
    if row is None:
        return entry if entry.gone else entry._replace(gone=True)
    if entry.hidden:
        return entry._replace(gone=False)
    return entry if row is entry.row and not entry.gone else entry._replace(row=row, gone=False)


def border(entries: Sequence[Entry], view: View) -> tuple[int, str] | None:
    """Return the line from which rows are outside the cgroup of the strip, with its name; None without such rows."""
    if view.focus.group is None or view.tree or view.grouping is not None:
        return None
    at = bisect_left(entries, 2, key=lambda entry: view.focus.place(entry.row))
    return (at, view.focus.name) if 0 < at < len(entries) else None


def _sorted(rows: Iterable[ProcessRow], view: View, moment: ColumnContext) -> list[ProcessRow]:
    key = view.column.sort_key
    ordered = sorted(rows, key=_PID)
    ordered.sort(key=lambda row: key(row, moment), reverse=view.descending)
    if view.focus != Focus():
        ordered.sort(key=view.focus.place)
    return ordered


def _children(rows: Sequence[ProcessRow]) -> Mapping[ProcessId | None, list[ProcessRow]]:
    """Return the children of each process, under None those without a parent among `rows`.

    A parent is never younger than its child: one that is has got the number of a parent that ended.
    """
    by_pid = {row.process.pid: row.process.id for row in rows}
    found: dict[ProcessId | None, list[ProcessRow]] = defaultdict(list)
    for row in rows:
        own, parent = row.process.id, by_pid.get(row.process.ppid)
        is_older = parent is not None and (parent.start_time, parent.pid) < (own.start_time, own.pid)
        found[parent if is_older else None].append(row)
    return found


def _tree(rows: Sequence[ProcessRow], view: View, moment: ColumnContext) -> list[Entry]:
    mid, end, bar = ("|- ", "`- ", "|  ") if view.ascii else ("├─ ", "└─ ", "│  ")
    children = _children(rows)
    entries: list[Entry] = []
    stack = [(row, "", "") for row in reversed(children[None])]
    while stack:
        row, prefix, below = stack.pop()
        id = row.process.id
        under = children.get(id, ())
        if under and id in view.toggled:
            branch = _below(children, id)
            total = _branch_total(row, [each for each in rows if each.process.id in branch], moment)
            entries.append(Entry(id, total, prefix, len(branch) - 1))
            continue
        entries.append(Entry(id, row, prefix))
        inner = below[:_DEEPEST_PREFIX]
        last = len(under) - 1
        stack.extend(
            (child, inner + (end if at == last else mid), inner + ("   " if at == last else bar))
            for at, child in reversed(list(enumerate(under)))
        )
    return entries


def _groups(rows: Iterable[ProcessRow], view: View, moment: ColumnContext) -> list[Entry]:
    named: dict[str, list[ProcessRow]] = defaultdict(list)
    for row in rows:
        named[group_of(row, view.grouping)].append(row)
    totals = {name: _total(name, members, moment) for name, members in named.items()}
    key = view.column.sort_key
    entries: list[Entry] = []
    for name in sorted(named, key=lambda name: key(totals[name], moment), reverse=view.descending):
        members = named[name]
        is_open = name in view.toggled
        entries.append(Entry(name, totals[name], "", 0 if is_open else len(members), len(members)))
        if is_open:
            entries.extend(Entry(row.process.id, row, "  ") for row in members)
    return entries


def group_of(row: ProcessRow, grouping: Grouping | None) -> str:
    """Return the name of the group that a process is in."""
    if grouping is Grouping.USER:
        return row.user
    if grouping is Grouping.CGROUP:
        return row.unit or row.process.cgroup or "-"
    return row.process.comm


def _branch_total(top: ProcessRow, rows: Sequence[ProcessRow], moment: ColumnContext) -> ProcessRow:
    """Return the row of a process with the sizes of all its branch; its name, scores and rights stay its own."""
    process, total = top.process, _total(top.process.comm, rows, moment)
    sums = replace(
        total.process, id=process.id, command=process.command, state=process.state, started=process.started,
        oom_score=process.oom_score, oom_score_adj=process.oom_score_adj,
    )  # fmt: skip
    return replace(
        total, process=sums, user=top.user, growth=sum_known(row.growth for row in rows), badness=top.badness,
        share=top.share, unit=top.unit, headroom=top.headroom, headroom_path=top.headroom_path,
    )  # fmt: skip


def _total(name: str, rows: Sequence[ProcessRow], moment: ColumnContext) -> ProcessRow:
    """Return the totals of a group as a row: the sums of sizes and rates, the worst score.

    Its growth is that of the group if known, which includes processes that came and went.
    """
    trend = moment.trends.get((moment.kind, name))
    members = [row.process for row in rows]
    size, counted_once = held_together(members, moment.pss, moment.ceiling)
    total = _total_process(name, members, members[0], moment.ceiling)
    users = {row.user for row in rows}
    return ProcessRow(
        # With shared pages counted once, `rss` is held memory less swap.
        process=replace(total, rss=max(0, size - (total.swap or 0))) if counted_once else total,
        members=len(rows),
        is_bound=not counted_once,
        user=users.pop() if len(users) == 1 else "*",
        growth=sum_known(row.growth for row in rows) if trend is None or trend.minute is None else trend.minute,
        cpu=sum_known(row.cpu for row in rows),
        major_fault_rate=sum_known(row.major_fault_rate for row in rows),
        badness=max((row.badness for row in rows if row.badness is not None), default=None),
        share=max((row.share for row in rows if row.share is not None), default=None),
        unit=rows[0].unit if len({row.unit for row in rows}) == 1 else None,
        headroom=min((row.headroom for row in rows if row.headroom is not None), default=None),
        headroom_path=None,
    )


def _total_process(name: str, members: Sequence[Process], first: Process, ceiling: Ceiling) -> Process:
    """Return a stand-in with the sums of `members`; pid 0 belongs to no process that can be acted on."""
    return replace(
        sum_sizes(first, members, ceiling),
        id=ProcessId(0, 0),
        comm=name,
        command=name,
        state=first.state if len({member.state for member in members}) == 1 else "*",
        started=min(member.started for member in members),
        threads=sum(member.threads for member in members),
        cpu_seconds=sum(member.cpu_seconds for member in members),
        virtual_size=sum(member.virtual_size for member in members),
        page_tables=sum_known(member.page_tables for member in members),
        locked=sum_known(member.locked for member in members),
        oom_score=max((member.oom_score for member in members if member.oom_score is not None), default=None),
        oom_score_adj=first.oom_score_adj if len({member.oom_score_adj for member in members}) == 1 else None,
    )
