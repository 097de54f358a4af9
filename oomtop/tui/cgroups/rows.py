"""The lines of the cgroup tree: selection, order and columns.  Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from oomtop.analysis.cgroups.assess import chain
from oomtop.analysis.model.assessment import CgroupFigures
from oomtop.analysis.model.danger import DangerState
from oomtop.frozen import frozen
from oomtop.host.pressure import Pressure
from oomtop.units import DASH, format_about, format_bytes, format_count, printable

_DEEPEST = 12
DANGER = "danger"
"""The initial order: the nearest danger first."""


@frozen
class CgroupColumn:
    """One column; `least_width` is the narrowest screen on which it is shown."""

    id: str
    title: str
    width: int
    least_width: int
    text: Callable[[CgroupFigures], str]
    sort_key: Callable[[CgroupFigures], float]
    help: str


@frozen
class CgroupLine:
    """A group and its depth; `folded` is the number of groups hidden below it."""

    figures: CgroupFigures
    depth: int
    folded: int = 0


def _known(value: float | None) -> float:
    return float("-inf") if value is None else value


def _size(id: str, title: str, least: int, value: Callable[[CgroupFigures], int | None], help: str) -> CgroupColumn:
    return CgroupColumn(
        id, title, 6, least, lambda item: format_bytes(value(item)), lambda item: _known(value(item)), help
    )


def _stalled(item: CgroupFigures) -> float | None:
    pressure: Pressure | None = item.cgroup.pressure
    return pressure.some.avg10 if pressure else None


def _end(item: CgroupFigures) -> float | None:
    return item.danger.median if item.danger else None


def _growth(item: CgroupFigures) -> str:
    if item.growth is None:
        return DASH
    return "0" if abs(item.growth) < 1 else f"{'+' if item.growth > 0 else ''}{format_bytes(item.growth * 60)}"


def _victim(item: CgroupFigures) -> str:
    first = item.victims.first
    return DASH if first is None else f"{printable(first.name)[:12]} {first.id.pid}"


COLUMNS: tuple[CgroupColumn, ...] = (
    _size("current", "USED", 0, lambda item: item.cgroup.current, "memory.current: all memory charged to it"),
    _size("limit", "LIMIT", 0, lambda item: item.effective_limit, "the smallest memory.max from here up to the root"),
    _size("headroom", "LEFT", 0, lambda item: item.headroom, "bytes to its own limit, counting reclaimable memory"),
    CgroupColumn("end", "FULL IN", 7, 70, lambda item: format_about(_end(item)),
                 lambda item: -(_end(item) or float("inf")), "time until its limit is reached at this rate"),
    CgroupColumn("oom", "KILLS", 5, 60, lambda item: format_count(item.cgroup.events.oom_kill),
                 lambda item: _known(item.cgroup.events.oom_kill), "memory.events oom_kill: processes killed in it"),
    CgroupColumn("growth", "GROW/m", 7, 105, _growth, lambda item: _known(item.growth), "growth of its working set"),
    _size("peak", "PEAK", 105, lambda item: item.cgroup.peak, "memory.peak: its highest use"),
    _size("high", "HIGH", 105, lambda item: item.cgroup.high, "memory.high: above it the group is throttled"),
    _size("swap", "SWAP", 105, lambda item: item.cgroup.swap_current, "memory.swap.current"),
    CgroupColumn("psi", "PSI%", 5, 115, lambda item: DASH if _stalled(item) is None else f"{_stalled(item):.1f}",
                 lambda item: _known(_stalled(item)), "memory.pressure some avg10: time that its tasks waited"),
    _size("max", "MAX", 130, lambda item: item.cgroup.max, "memory.max: its own limit"),
    _size("anon", "ANON", 140, lambda item: item.cgroup.anon, "anonymous memory"),
    _size("file", "FILE", 140, lambda item: item.cgroup.file, "page cache charged to it"),
    CgroupColumn("victim", "NEXT VICTIM", 20, 160, _victim, lambda item: 0.0, "the process its limit would kill now"),
)  # fmt: skip
BY_ID: Mapping[str, CgroupColumn] = {column.id: column for column in COLUMNS}


def columns_for(width: int) -> tuple[CgroupColumn, ...]:
    """Return the columns for a screen of `width` cells."""
    return tuple(column for column in COLUMNS if column.least_width <= width)


def arrange(groups: Iterable[CgroupFigures], sort: str, folded: frozenset[str], text: str = "") -> list[CgroupLine]:
    """Return the lines: the tree, largest first on each level, or with a filter the groups that contain it."""
    every = sorted(groups, key=lambda item: item.cgroup.path)
    every.sort(key=_by_danger(every) if sort == DANGER else BY_ID[sort].sort_key, reverse=True)
    if text:
        wanted = text.casefold()
        return [CgroupLine(item, 0) for item in every if wanted in f"{item.cgroup.path} {item.name}".casefold()]
    children: dict[str, list[CgroupFigures]] = defaultdict(list)
    for item in every:
        path = item.cgroup.path
        children[path.rpartition("/")[0] or "/" if path != "/" else ""].append(item)
    return _below("", children, 0, folded)


def _by_danger(groups: Sequence[CgroupFigures]) -> Callable[[CgroupFigures], tuple[float, ...]]:
    """Return the order: the nearest danger first, of a group or below it; empty groups last."""
    own = {item.cgroup.path: _nearness(item) for item in groups}
    nearest = dict(own)
    for path, near in own.items():
        for above in chain(path):
            if above in nearest:
                nearest[above] = max(nearest[above], near)
    return lambda item: (*nearest[item.cgroup.path], _known(item.cgroup.current))


def _nearness(item: CgroupFigures) -> tuple[float, float]:
    danger = item.danger
    if danger is None or danger.state is DangerState.EMPTY:
        return float("-inf"), float("-inf")
    return -(danger.median if danger.median is not None else float("inf")), danger.share


def _below(
    path: str, children: Mapping[str, Sequence[CgroupFigures]], depth: int, folded: frozenset[str]
) -> list[CgroupLine]:
    lines: list[CgroupLine] = []
    for item in children.get(path, ()):
        own = item.cgroup.path
        inner = _below(own, children, depth + 1, folded) if own != path else []
        is_folded = own in folded
        lines.append(CgroupLine(item, min(depth, _DEEPEST), len(inner) if is_folded else 0))
        lines.extend(() if is_folded else inner)
    return lines


def title_line(width: int, sort: str, ascii_only: bool = False) -> str:
    """Return the titles; the sorted column is marked."""
    columns = columns_for(width)
    arrow = "v" if ascii_only else "▼"
    cells = [f"{column.title + (arrow if column.id == sort else ''):>{column.width + 1}}" for column in columns]
    return " " + "CGROUP".ljust(_name_width(width, columns)) + "".join(cells)


def group_line(line: CgroupLine, width: int) -> str:
    """Return one group: its indented name, then the columns; a long name is cut in the middle."""
    columns = columns_for(width)
    item = line.figures
    last = item.cgroup.path.rpartition("/")[2] or "/"
    name = printable(item.name if item.name != item.cgroup.path else last)
    shown = "  " * line.depth + name + (f" (+{line.folded})" if line.folded else "")
    return (
        " "
        + _fit(shown, _name_width(width, columns))
        + "".join(f"{column.text(item):>{column.width + 1}}" for column in columns)
    )


def _name_width(width: int, columns: Sequence[CgroupColumn]) -> int:
    return max(12, width - 2 - sum(column.width + 1 for column in columns))


def _fit(text: str, width: int) -> str:
    if len(text) <= width:
        return text.ljust(width)
    head = (width - 1) // 2
    return f"{text[:head]}~{text[len(text) - (width - 1 - head) :]}"
