"""The columns of the process table, as data: title, width, text, sort key, facts needed and one line of help.

Sample of the default at 80 cells: `  PID     USER       R+S▼  SWAP  GROW/m  SHARE   ADJ S  COMMAND`
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field
from enum import Enum

from oomtop.analysis.model.assessment import Growth, ProcessRow
from oomtop.frozen import frozen
from oomtop.host.process import ProcessId
from oomtop.units import DASH, MIB, format_bytes, format_count, format_duration, format_share, printable, sparkline

MARKER_WIDTH = 3
"""Cells before the first column: next victim or gone, tagged, frozen or protected."""
COMMAND = "command"
DEFAULT_SORT = "memory"
_LEAST_COMMAND = 20
_SPARK = 10
# What one line can show is far below this; a 4 MB argument list is cut before anything looks at it.
MAX_TEXT = 1024
_SUFFIXES = "BKMGTP"
_UNKNOWN = float("-inf")
_INTERPRETERS = frozenset({"python", "perl", "ruby", "node", "php", "sh", "bash"})


class Align(Enum):
    """On which side of its column a text stands."""

    LEFT = "left"
    RIGHT = "right"


@frozen
class ColumnContext:
    """What a column may need besides the row: the time of the tick, everybody's rank and trend."""

    monotonic: float = 0.0
    ranks: Mapping[ProcessId, int] = field(default_factory=dict)
    trends: Mapping[ProcessId | tuple[str, str], Growth] = field(default_factory=dict)
    """The growth over minutes of processes, and of groups by (kind, name)."""
    kind: str = ""
    """What the rows of groups are: `program`, `user` or `unit`."""
    ascii: bool = False
    pss: Mapping[ProcessId, int] = field(default_factory=dict)
    """PSS with its share of swap of the larger processes, while totals of several are shown."""

    def trend_of(self, row: ProcessRow) -> Growth | None:
        """Return what is known of the last half hour of a process, or of a group (whose pid is 0)."""
        process = row.process
        return self.trends.get(process.id if process.pid else (self.kind, process.comm))


SortKey = float | str
Text = Callable[[ProcessRow, ColumnContext], str]
Key = Callable[[ProcessRow, ColumnContext], SortKey]


@frozen
class Column:
    """One column; `least_width` is the narrowest table on which it is shown unasked."""

    id: str
    title: str
    width: int
    least_width: int
    text: Text
    sort_key: Key
    needs: frozenset[str]
    help: str
    align: Align = Align.RIGHT

    @property
    def is_text(self) -> bool:
        """Whether it sorts from A to Z at first, unlike figures, which start with the largest."""
        return self.align is Align.LEFT


def clean(text: str) -> str:
    """Return foreign text cut to what a line can show and made harmless."""
    return printable(text[:MAX_TEXT])


def command_of(row: ProcessRow) -> str:
    """Return the command line, or the name in brackets where there is none (kernel threads, zombies)."""
    command = row.process.command
    if not command:
        return f"[{clean(row.process.comm)}]"
    name = name_before(row.process.comm, command)
    return clean(f"{name} ({command})" if name else command)


def name_before(comm: str, command: str) -> str:
    """Return what tells more than the first word of a command line, empty where nothing does.

    That is the name the process gave itself, or the script that an interpreter runs: `hog.py (python3 /srv/hog.py)`.
    """
    first, *words = command[:MAX_TEXT].split(" ")
    program = first.rstrip(":").rpartition("/")[2]
    if comm != program[:15] and not first.startswith(comm):
        return comm
    if program.rstrip("0123456789.") not in _INTERPRETERS:
        return ""
    script = next((word for word in words if not word.startswith("-")), "")
    is_code = "-c" in words or "-m" in words or "-e" in words
    return "" if is_code else script.rpartition("/")[2]


def rank_victims(rows: Iterable[ProcessRow], first: Sequence[ProcessId]) -> dict[ProcessId, int]:
    """Return the kill rank from 1 of every process that can be killed, `first` before all others."""
    ranks = {id: rank for rank, id in enumerate(first, 1)}
    rest = [row for row in rows if row.badness is not None and row.process.id not in ranks]
    rest.sort(key=lambda row: row.badness or 0, reverse=True)
    ranks.update((row.process.id, rank) for rank, row in enumerate(rest, len(ranks) + 1))
    return ranks


def _known(value: float | None) -> float:
    return _UNKNOWN if value is None else value


def _at_most(value: int | None, ascii_only: bool) -> str:
    """Return an upper bound in five cells, rounded up."""
    if not value:
        return format_bytes(value)
    size, suffix = float(value), 0
    while size > 999 and suffix < len(_SUFFIXES) - 1:
        size, suffix = size / 1024, suffix + 1
    digits = f"{math.ceil(size * 10) / 10:.1f}" if suffix and size <= 9.9 else f"{math.ceil(size)}"
    return f"{'<' if ascii_only else '≤'}{digits}{_SUFFIXES[suffix]}"


def _held(row: ProcessRow) -> bool:
    return row.is_bound


def _shared(row: ProcessRow) -> bool:
    return row.members > 1


def _never(row: ProcessRow) -> bool:
    return False


def _bytes(
    id: str, title: str, least: int, value: Callable[[ProcessRow], int | None], needs: str, help: str, width: int = 5,
    is_bound: Callable[[ProcessRow], bool] = _never,
) -> Column:  # fmt: skip
    def text(row: ProcessRow, moment: ColumnContext) -> str:
        return _at_most(value(row), moment.ascii) if is_bound(row) else format_bytes(value(row))

    return Column(
        id, title, max(width, len(title) + 1), least,
        text, lambda row, _: _known(value(row)), frozenset(needs.split()), help,
    )  # fmt: skip


def _figure(
    id: str, title: str, width: int, least: int, value: Callable[[ProcessRow], float | None],
    write: Callable[[float | None], str], needs: str, help: str,
) -> Column:  # fmt: skip
    return Column(
        id, title, max(width, len(title) + 1), least,
        lambda row, _: write(value(row)), lambda row, _: _known(value(row)), frozenset(needs.split()), help,
    )  # fmt: skip


def _words(id: str, title: str, width: int, least: int, value: Callable[[ProcessRow], str], needs: str, help: str,
           ) -> Column:  # fmt: skip
    return Column(
        id, title, width, least,
        lambda row, _: value(row), lambda row, _: value(row).lower(), frozenset(needs.split()), help, Align.LEFT,
    )  # fmt: skip


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


def _per_minute(row: ProcessRow) -> float | None:
    return None if row.growth is None else row.growth * 60


def _age(row: ProcessRow, moment: ColumnContext) -> str:
    return format_duration(moment.monotonic - row.process.started)


def _rank(row: ProcessRow, moment: ColumnContext) -> str:
    rank = moment.ranks.get(row.process.id)
    return DASH if rank is None else str(rank)


def _trend(id: str, title: str, least: int, value: Callable[[Growth], float | None], help: str) -> Column:
    def known(row: ProcessRow, moment: ColumnContext) -> float | None:
        trend = moment.trend_of(row)
        rate = None if trend is None else value(trend)
        return None if rate is None else rate * 60

    return Column(
        id, title, max(6, len(title) + 1), least,
        lambda row, moment: _signed_bytes(known(row, moment)), lambda row, moment: _known(known(row, moment)),
        frozenset({"rss", "swap"}), help,
    )  # fmt: skip


def _half_hour(row: ProcessRow, moment: ColumnContext) -> str:
    """Return the last half hour as a line of blocks, flat where it moved by less than a megabyte."""
    trend = moment.trend_of(row)
    if trend is None or len(trend.curve) < 2:
        return DASH
    low, high = min(trend.curve), max(trend.curve)
    return sparkline(_spread(trend.curve), _SPARK, low, max(high, low + MIB), moment.ascii)


def _spread(sizes: Sequence[int]) -> Sequence[int]:
    """Return as many sizes as the column has cells, where there are more: the newest of each cell's."""
    if len(sizes) <= _SPARK:
        return sizes
    return [sizes[(at + 1) * len(sizes) // _SPARK - 1] for at in range(_SPARK)]


def _swing(row: ProcessRow, moment: ColumnContext) -> float:
    """Return what the trend is sorted by: how much more it is now than at its least."""
    trend = moment.trend_of(row)
    return _UNKNOWN if trend is None else trend.curve[-1] - min(trend.curve)


COLUMNS: tuple[Column, ...] = (
    _figure("pid", "PID", 7, 0, lambda row: row.process.pid, _whole, "pid", "process id"),
    _words("user", "USER", 8, 0, lambda row: clean(row.user), "user", "effective user"),
    _bytes("memory", "MEM", 0, lambda row: row.process.rss_and_swap, "rss swap", "resident plus swapped-out memory",
           is_bound=_held),
    _bytes("rss", "RSS", 95, lambda row: row.process.rss, "rss", "resident memory: anonymous, file and shared",
           is_bound=_held),
    _bytes("anon", "ANON", 155, lambda row: row.process.rss_anon, "rss_anon", "resident anonymous memory",
           is_bound=_shared),
    _bytes("file", "FILE", 155, lambda row: row.process.rss_file, "rss_file", "resident pages of files",
           is_bound=_shared),
    _bytes("shmem", "SHMEM", 155, lambda row: row.process.rss_shmem, "rss_shmem", "resident shared memory and tmpfs",
           is_bound=_shared),
    _bytes("swap", "SWAP", 100, lambda row: row.process.swap, "swap", "memory swapped out"),
    _figure("growth", "+/MIN", 6, 50, _per_minute, _signed_bytes, "rss swap", "growth of R+S per minute"),
    _trend("growth5", "+/5MIN", 195, lambda trend: trend.five_minutes, "growth per minute over the last 5 minutes"),
    _trend("growth30", "+/30MIN", 230, lambda trend: trend.half_hour, "growth per minute over the last 30 minutes"),
    Column("trend", "TREND", _SPARK, 75, _half_hour, _swing, frozenset({"rss", "swap"}),
           "anonymous memory and swap of the last half hour, of the largest"),
    _figure("share", "OOM%", 5, 92, lambda row: row.share, format_share, "badness",
            "OOM score as a share of RAM and swap"),
    Column("rank", "RANK", 5, 45, _rank, lambda row, moment: -moment.ranks.get(row.process.id, 1 << 40),
           frozenset({"badness"}), "rank in the kernel's kill order, 1 is the next victim"),
    _figure("score", "SCORE", 5, 165, lambda row: row.process.oom_score, _whole, "oom_score", "the kernel's oom_score"),
    _figure("adj", "ADJ", 5, 85, lambda row: row.process.oom_score_adj, _whole, "oom_score_adj",
            "oom_score_adj: below 0 protected, -1000 never killed"),
    _figure("faults", "FAULTS/s", 5, 135, lambda row: row.major_fault_rate, format_count, "major_faults",
            "page faults per second that waited for a disk"),
    _figure("cpu", "CPU%", 6, 105, lambda row: row.cpu, _percent, "cpu_seconds", "share of one CPU"),
    _figure("time", "TIME", 6, 225, lambda row: row.process.cpu_seconds, format_duration, "cpu_seconds",
            "CPU time used since its start"),
    _figure("threads", "THR", 5, 165, lambda row: row.process.threads, _whole, "threads", "number of threads"),
    _words("state", "S", 2, 88, lambda row: row.process.state, "state",
           "state: R runs, S sleeps, D waits for a device, T stopped, Z zombie"),
    Column("age", "AGE", 6, 145, _age, lambda row, _: -row.process.started, frozenset({"started"}),
           "time since its start"),
    _words("unit", "UNIT", 18, 175, lambda row: clean(row.unit or DASH), "cgroup", "systemd unit, container or pod"),
    _bytes("headroom", "ROOM", 65, lambda row: row.headroom, "cgroup", "bytes to its nearest memory limit"),
    _bytes("pagetables", "PGTBL", 205, lambda row: row.process.page_tables, "page_tables", "page tables"),
    _bytes("virtual", "VIRT", 215, lambda row: row.process.virtual_size, "virtual_size", "address space"),
    _words(COMMAND, "COMMAND", 0, 0, command_of, "comm command", "command line; takes the rest of the line"),
)  # fmt: skip

BY_ID: Mapping[str, Column] = {column.id: column for column in COLUMNS}


def room_for_command(columns: Iterable[Column], width: int) -> int:
    """Return the cells that are left for the command on a line of `width` cells."""
    return width - MARKER_WIDTH - sum(column.width + 1 for column in columns if column.id != COMMAND)


def columns_for(width: int, ids: Sequence[str] | None = None, sort: str = DEFAULT_SORT) -> tuple[Column, ...]:
    """Return the columns to show on `width` cells: those of `ids`, or those meant for the width.

    Without `ids` the sorted column is always among them.  Nothing is clipped: where the command would
    get fewer than 20 cells, the column that is least asked for goes.
    """
    wanted = [BY_ID[id] for id in ids if id in BY_ID] if ids else list(COLUMNS)
    if ids is None:
        wanted = [column for column in wanted if column.least_width <= width or column.id == sort]
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
    """Return the column to give up first: of those for the widest terminals the last one."""
    free = [column for column in columns if column.id not in (COMMAND, "pid", sort)]
    return max(reversed(free), key=lambda column: column.least_width, default=None)
