"""The columns of the process table: how each field of `oomtop.fields` is formatted and sorted.

Sample of the default at 80 cells: `    PID USER      MEM▼ +/MIN  COMMAND`
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from operator import attrgetter

from oomtop.analysis.model.assessment import Growth, ProcessRow
from oomtop.analysis.shared_memory import NO_CEILING, Ceiling
from oomtop.fields import FIELDS, FieldUnit, ProcessField, number_of, text_of
from oomtop.frozen import field, frozen
from oomtop.host.process import ProcessId
from oomtop.units import DASH, MIB, format_bytes, format_count, format_duration, format_share, printable, sparkline

MARKER_WIDTH = 3
"""Cells before the first column: next victim or exited, tagged, frozen or protected."""
COMMAND = "command"
DEFAULT_SORT = "memory"
_LEAST_COMMAND = 20
_SPARK = 10
# Far more than a line can show; a 4 MB argument list is cut before any processing.
MAX_TEXT = 1024
_SUFFIXES = "BKMGTP"
_UNKNOWN = float("-inf")
_OFTEN_EMPTY = frozenset({"shmem", "swap", "growth5", "growth30", "trend", "faults", "adj", "headroom", "pagetables"})
"""Columns that may be empty on a machine; not those that a surge needs at once, such as growth."""
_INTERPRETERS: Mapping[str, tuple[str, ...]] = {
    "python": (".py", ".pyc", ".pyz"), "perl": (".pl",), "ruby": (".rb",), "node": (".js", ".mjs", ".cjs"),
    "php": (".php",), "sh": (".sh",), "bash": (".sh", ".bash"),
}  # fmt: skip
"""The suffixes of the scripts of an interpreter."""


class Align(Enum):
    """The alignment of a column."""

    LEFT = "left"
    RIGHT = "right"


@frozen
class ColumnContext:
    """What a column may need besides the row: the time of the tick, all ranks and trends."""

    monotonic: float = 0.0
    ranks: Mapping[ProcessId, int] = field(default_factory=dict)
    trends: Mapping[ProcessId | tuple[str, str], Growth] = field(default_factory=dict)
    """The growth over minutes of processes, and of groups by (kind, name)."""
    kind: str = ""
    """The kind of group rows: `program`, `user` or `unit`."""
    ascii: bool = False
    pss: Mapping[ProcessId, int] = field(default_factory=dict)
    """PSS with its share of swap of the larger processes, while totals of several are shown."""
    ceiling: Ceiling = NO_CEILING
    """What the machine has in all: no total is above it."""

    def trend_of(self, row: ProcessRow) -> Growth | None:
        """Return the last half hour of a process, or of a group (pid 0)."""
        process = row.process
        return self.trends.get(process.id if process.pid else (self.kind, process.comm))


SortKey = float | str
Text = Callable[[ProcessRow, ColumnContext], str]
Key = Callable[[ProcessRow, ColumnContext], SortKey]


@frozen
class Column:
    """One column."""

    field: ProcessField
    width: int
    text: Text
    sort_key: Key
    align: Align = Align.RIGHT

    @property
    def id(self) -> str:
        """The id of its field."""
        return self.field.id

    @property
    def title(self) -> str:
        """Its title."""
        return self.field.title

    @property
    def is_text(self) -> bool:
        """Whether it sorts from A to Z first; numbers sort largest first."""
        return self.align is Align.LEFT


def clean(text: str) -> str:
    """Return untrusted text, cut to line length and made printable."""
    return printable(text[:MAX_TEXT])


def command_of(row: ProcessRow) -> str:
    """Return the command line, or the name in brackets without one (kernel threads, zombies)."""
    command = row.process.command
    if not command:
        return f"[{clean(row.process.comm)}]"
    name = name_before(row.process.comm, command)
    return clean(f"{name} ({command})" if name else command)


def name_before(comm: str, command: str) -> str:
    """Return a better name than the first word of a command line, or an empty string.

    This is the name the process gave itself, or the script of an interpreter: `hog.py (python3 /srv/hog.py)`.
    """
    first, *words = command[:MAX_TEXT].split(" ")
    program = first.rstrip(":").rpartition("/")[2]
    if comm != program[:15] and not first.startswith(comm):
        return comm
    if program.rstrip("0123456789.") not in _INTERPRETERS:
        return ""
    script = words[0] if words and not words[0].startswith("-") else _script_among(words, program)
    # A script that is an open file has no name.
    return "" if script.startswith("/dev/fd/") else script.rpartition("/")[2]


def _script_among(words: Sequence[str], program: str) -> str:
    """Return the first word that is not an option; an option may take the next word, which only the interpreter knows.

    So it counts only with the suffix of a script, and not behind code (`-c`, `-m`, `-e`).
    """
    script = next((word for word in words if not word.startswith("-")), "")
    is_code = not {"-c", "-m", "-e"}.isdisjoint(words[: words.index(script)] if script else words)
    suffixes = _INTERPRETERS[program.rstrip("0123456789.")]
    return script if not is_code and script.endswith(suffixes) else ""


def rank_victims(rows: Iterable[ProcessRow], first: Sequence[ProcessId]) -> dict[ProcessId, int]:
    """Return the kill rank from 1 of every process that can be killed, `first` before all others."""
    ranks = {id: rank for rank, id in enumerate(first, 1)}
    rest = [row for row in rows if row.badness is not None and row.process.id not in ranks]
    rest.sort(key=lambda row: row.badness or 0, reverse=True)
    ranks.update((row.process.id, rank) for rank, row in enumerate(rest, len(ranks) + 1))
    return ranks


def _known(value: float | None) -> float:
    return _UNKNOWN if value is None else value


def _at_most(value: float | None, ascii_only: bool) -> str:
    """Return an upper bound in five cells, rounded up."""
    if not value:
        return format_bytes(value)
    size, suffix = float(value), 0
    while size > 999 and suffix < len(_SUFFIXES) - 1:
        size, suffix = size / 1024, suffix + 1
    digits = f"{math.ceil(size * 10) / 10:.1f}" if suffix and size <= 9.9 else f"{math.ceil(size)}"
    return f"{'<' if ascii_only else '≤'}{digits}{_SUFFIXES[suffix]}"


def _whole(value: float | None) -> str:
    return DASH if value is None else str(int(value))


def _signed_bytes(value: float | None) -> str:
    if value is not None and abs(value) < 1:
        return "0"
    return f"+{format_bytes(value)}" if value is not None and value > 0 else format_bytes(value)


def _percent(value: float | None) -> str:
    if value is None:
        return DASH
    return f"{value * 100:.1f}" if value < 10 else f"{value * 100:.0f}"


def _age(row: ProcessRow, moment: ColumnContext) -> str:
    return format_duration(moment.monotonic - row.process.started)


def _rank(row: ProcessRow, moment: ColumnContext) -> str:
    rank = moment.ranks.get(row.process.id)
    return DASH if rank is None else str(rank)


def _trend(rate_of: Callable[[Growth], float | None]) -> tuple[Text, Key]:
    def known(row: ProcessRow, moment: ColumnContext) -> float | None:
        trend = moment.trend_of(row)
        rate = None if trend is None else rate_of(trend)
        return None if rate is None else rate * 60

    return lambda row, moment: _signed_bytes(known(row, moment)), lambda row, moment: _known(known(row, moment))


def _half_hour(row: ProcessRow, moment: ColumnContext) -> str:
    """Return the last half hour as a sparkline, flat if it changed by less than a megabyte."""
    trend = moment.trend_of(row)
    if trend is None or len(trend.curve) < 2:
        return DASH
    low, high = min(trend.curve), max(trend.curve)
    return sparkline(_spread(trend.curve), _SPARK, low, max(high, low + MIB), moment.ascii)


def _spread(sizes: Sequence[int]) -> Sequence[int]:
    """Return at most one size per cell of the column, the newest of each."""
    if len(sizes) <= _SPARK:
        return sizes
    return [sizes[(at + 1) * len(sizes) // _SPARK - 1] for at in range(_SPARK)]


def _swing(row: ProcessRow, moment: ColumnContext) -> float:
    """Return the sort key of the trend: the rise above its minimum."""
    trend = moment.trend_of(row)
    return _UNKNOWN if trend is None else trend.curve[-1] - min(trend.curve)


_WRITE: Mapping[FieldUnit, Callable[[float | None], str]] = {
    FieldUnit.NUMBER: _whole,
    FieldUnit.BYTES: format_bytes,
    FieldUnit.GROWTH: lambda rate: _signed_bytes(None if rate is None else rate * 60),
    FieldUnit.OF_MEMORY: format_share,
    FieldUnit.OF_CPU: _percent,
    FieldUnit.PER_SECOND: format_count,
    FieldUnit.SECONDS: format_duration,
}
_SPECIAL: Mapping[str, tuple[Text, Key]] = {
    "growth5": _trend(lambda trend: trend.five_minutes),
    "growth30": _trend(lambda trend: trend.half_hour),
    "trend": (_half_hour, _swing),
    "rank": (_rank, lambda row, moment: -moment.ranks.get(row.process.id, 1 << 40)),
    "age": (_age, lambda row, _: -row.process.started),
    COMMAND: (lambda row, _: command_of(row), lambda row, _: command_of(row).lower()),
}
"""(text, sort key) of columns that need more than one value of the row."""


def _column(field: ProcessField) -> Column:
    if field.unit is FieldUnit.TEXT:
        text, key = _SPECIAL.get(field.id) or _words(field)
        return Column(field, field.width, text, key, Align.LEFT)
    text, key = _SPECIAL.get(field.id) or _figure(field)
    return Column(field, max(field.width, len(field.title) + 1), text, key)


def _words(field: ProcessField) -> tuple[Text, Key]:
    read = text_of(field)
    return lambda row, _: clean(read(row) or DASH), lambda row, _: clean(read(row) or DASH).lower()


def _figure(field: ProcessField) -> tuple[Text, Key]:
    read, write = number_of(field), _WRITE[field.unit]
    if not field.at_most:
        return lambda row, _: write(read(row)), lambda row, _: _known(read(row))
    is_bound: Callable[[object], bool] = attrgetter(field.at_most)

    def text(row: ProcessRow, moment: ColumnContext) -> str:
        return _at_most(read(row), moment.ascii) if is_bound(row) else write(read(row))

    return text, lambda row, _: _known(read(row))


COLUMNS: tuple[Column, ...] = tuple(_column(field) for field in FIELDS if field.title)
BY_ID: Mapping[str, Column] = {column.id: column for column in COLUMNS}


def room_for_command(columns: Iterable[Column], width: int) -> int:
    """Return the cells left for the command on a line of `width` cells."""
    return width - MARKER_WIDTH - sum(column.width + 1 for column in columns if column.id != COMMAND)


def empty_columns(rows: Sequence[ProcessRow], moment: ColumnContext) -> frozenset[str]:
    """Return the ids of the columns that hold nothing but dashes or zeros, none where there are no rows."""
    return frozenset(
        id for id in _OFTEN_EMPTY if rows and all(BY_ID[id].sort_key(row, moment) in (_UNKNOWN, 0) for row in rows)
    )


def columns_for(
    width: int, ids: Sequence[str] | None = None, sort: str = DEFAULT_SORT, empty: frozenset[str] = frozenset()
) -> tuple[Column, ...]:
    """Return the columns for `width` cells: those of `ids`, or the default for the width.

    Without `ids` the sorted column is always included, and those of `empty` are left out.  Nothing is clipped: if the
    command would get fewer than 20 cells, the least important column is dropped.
    """
    wanted = [BY_ID[id] for id in ids if id in BY_ID] if ids else list(COLUMNS)
    if ids is None:
        fitting = (column for column in wanted if column.field.least <= width and column.id not in empty)
        kept = {*(column.id for column in fitting), sort}
        wanted = [column for column in wanted if column.id in kept]
    while room_for_command(wanted, width) < _LEAST_COMMAND and (least := _least(wanted, sort)) is not None:
        wanted.remove(least)
    return tuple(wanted)


def columns_from(start: int, width: int, ids: Sequence[str] | None = None) -> tuple[Column, ...]:
    """Return the columns of a table panned by `start` columns: the pid, then as many as fit, the command last."""
    every = [BY_ID[id] for id in ids if id in BY_ID] if ids else list(COLUMNS)
    shown = [column for column in every if column.id == "pid"]
    for column in [column for column in every if column.id != "pid"][start:]:
        if column.id == COMMAND or room_for_command([*shown, column], width) >= _LEAST_COMMAND:
            shown.append(column)
    return tuple(shown)


def _least(columns: Sequence[Column], sort: str) -> Column | None:
    """Return the column to drop first: the last of those for the widest terminals."""
    free = [column for column in columns if column.id not in (COMMAND, "pid", sort)]
    return max(reversed(free), key=lambda column: column.field.least, default=None)
