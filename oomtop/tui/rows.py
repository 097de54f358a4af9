"""Which rows, in which order, with which tree lines: pure, for the process table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from oomtop.analysis.model import ProcessRow
from oomtop.host.process import ProcessId
from oomtop.tui.columns import Column

Predicate = Callable[[ProcessRow], bool]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table: a row and what stands before its command in a tree."""

    row: ProcessRow
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """How the table is arranged."""

    column: Column
    descending: bool
    tree: bool = False
    folded: frozenset[ProcessId] = frozenset()
    ascii: bool = False


def select(rows: Iterable[ProcessRow], wanted: Sequence[Predicate]) -> list[ProcessRow]:
    """Return the rows that every predicate accepts."""
    if not wanted:
        return list(rows)
    return [row for row in rows if all(accept(row) for accept in wanted)]


def arrange(rows: list[ProcessRow], order: Order) -> list[Line]:
    """Return the lines in order; equal rows stand by pid, so that nothing swaps places without a reason."""
    rows.sort(key=lambda row: row.process.pid)
    rows.sort(key=order.column.key, reverse=order.descending)
    return _tree(rows, order) if order.tree else [Line(row) for row in rows]


def _tree(rows: Sequence[ProcessRow], order: Order) -> list[Line]:
    pids = {row.process.pid for row in rows}
    children: dict[int, list[ProcessRow]] = defaultdict(list)
    for row in rows:
        children[row.process.ppid if row.process.ppid in pids else 0].append(row)
    lines: list[Line] = []
    stack = [(row, "", "") for row in reversed(children[0])]
    while stack:
        row, prefix, below = stack.pop()
        folded = row.process.id in order.folded
        under = children.get(row.process.pid, [])
        lines.append(Line(row, prefix + ("+ " if folded and under else "")))
        if not folded:
            stack.extend(_branches(under, below, order.ascii))
    return lines


def _branches(rows: Sequence[ProcessRow], below: str, ascii_only: bool) -> list[tuple[ProcessRow, str, str]]:
    """Return children with their branches, last first, as a stack wants them."""
    mid, end, bar = ("|- ", "`- ", "|  ") if ascii_only else ("├─ ", "└─ ", "│  ")
    last = len(rows) - 1
    branches = [
        (row, below + (end if index == last else mid), below + ("   " if index == last else bar))
        for index, row in enumerate(rows)
    ]
    return branches[::-1]
