"""The columns of the process table: a table of data; each names its width, its text and its sort key."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from oomtop.analysis.model import ProcessRow
from oomtop.units import DASH, format_bytes, format_count, format_duration, format_share

Text = Callable[[ProcessRow, float], str]
Key = Callable[[ProcessRow], "float | str"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column; `text` gets the row and the monotonic time of the tick."""

    id: str
    title: str
    width: int
    """Cells; 0 takes what is left of the line."""
    text: Text
    key: Key
    help: str
    from_width: int = 0
    """The screen width from which on the column is shown by default; -1 never."""
    left: bool = False
    descending: bool = True


def _size(value: int | None) -> float:
    return -1.0 if value is None else value


def _growth(row: ProcessRow, now: float) -> str:
    if row.growth is None:
        return DASH
    text = format_bytes(row.growth * 60)
    return f"+{text}" if row.growth > 0 else ("0" if row.growth == 0 else text)


def _cpu(row: ProcessRow, now: float) -> str:
    return DASH if row.cpu is None else f"{row.cpu * 100:.0f}"


def _int(value: int | None) -> str:
    return DASH if value is None else str(value)


def _headroom(row: ProcessRow, now: float) -> str:
    return format_bytes(row.headroom)


COLUMNS: tuple[Column, ...] = (
    Column("pid", "PID", 7, lambda r, n: str(r.process.pid), lambda r: r.process.pid,
           "process id", descending=False),
    Column("user", "USER", 8, lambda r, n: r.user, lambda r: r.user, "effective user", left=True, descending=False),
    Column("rss", "RSS", 5, lambda r, n: format_bytes(r.process.rss), lambda r: r.process.rss,
           "resident memory, shared pages counted whole: /proc/PID/stat", 100),
    Column("anon", "ANON", 5, lambda r, n: format_bytes(r.process.rss_anon), lambda r: _size(r.process.rss_anon),
           "resident anonymous memory: RssAnon of /proc/PID/status", 150),
    Column("file", "FILE", 5, lambda r, n: format_bytes(r.process.rss_file), lambda r: _size(r.process.rss_file),
           "resident file pages: RssFile of /proc/PID/status", 180),
    Column("shmem", "SHMEM", 5, lambda r, n: format_bytes(r.process.rss_shmem), lambda r: _size(r.process.rss_shmem),
           "resident shared memory: RssShmem of /proc/PID/status", 180),
    Column("swap", "SWAP", 5, lambda r, n: format_bytes(r.process.swap), lambda r: _size(r.process.swap),
           "swapped-out memory: VmSwap of /proc/PID/status"),
    Column("memory", "R+S", 5, lambda r, n: format_bytes(r.process.rss_and_swap), lambda r: r.process.rss_and_swap,
           "resident plus swapped-out memory"),
    Column("growth", "GROW/m", 6, _growth, lambda r: r.growth or 0.0,
           "growth of RSS+swap per minute, robust slope of the last minute"),
    Column("share", "OOM%", 5, lambda r, n: format_share(r.share), lambda r: -9.0 if r.share is None else r.share,
           "oom_badness as a share of RAM+swap; a dash cannot be killed"),
    Column("score", "SCORE", 5, lambda r, n: _int(r.process.oom_score), lambda r: _size(r.process.oom_score),
           "the kernel's oom_score", 120),
    Column("adj", "ADJ", 5, lambda r, n: _int(r.process.oom_score_adj), lambda r: r.process.oom_score_adj or 0,
           "oom_score_adj, -1000 never to 1000 first"),
    Column("faults", "MAJF/s", 6, lambda r, n: format_count(r.major_fault_rate), lambda r: r.major_fault_rate or 0.0,
           "major page faults per second", 120),
    Column("cpu", "CPU%", 4, _cpu, lambda r: r.cpu or 0.0, "share of one CPU", 100),
    Column("time", "TIME", 6, lambda r, n: format_duration(r.process.cpu_seconds), lambda r: r.process.cpu_seconds,
           "CPU time used", 180),
    Column("threads", "THR", 4, lambda r, n: str(r.process.threads), lambda r: r.process.threads, "threads", 150),
    Column("state", "S", 1, lambda r, n: r.process.state, lambda r: r.process.state,
           "state: R running, S sleeping, D waiting for a device, T stopped, Z zombie", left=True, descending=False),
    Column("age", "AGE", 6, lambda r, n: format_duration(n - r.process.started), lambda r: -r.process.started,
           "time since its start", 150, descending=False),
    Column("headroom", "ROOM", 5, _headroom, lambda r: float("inf") if r.headroom is None else r.headroom,
           "bytes to the nearest memory limit of its cgroups", 120, descending=False),
    Column("unit", "UNIT", 20, lambda r, n: r.unit or DASH, lambda r: r.unit or "~",
           "systemd unit, container or pod", 150, left=True, descending=False),
    Column("pagetables", "PGTBL", 5, lambda r, n: format_bytes(r.process.page_tables),
           lambda r: _size(r.process.page_tables), "page tables: VmPTE of /proc/PID/status", 200),
    Column("virtual", "VIRT", 5, lambda r, n: format_bytes(r.process.virtual_size), lambda r: r.process.virtual_size,
           "virtual size", 200),
    Column("locked", "LOCK", 5, lambda r, n: format_bytes(r.process.locked), lambda r: _size(r.process.locked),
           "locked memory: VmLck of /proc/PID/status", -1),
    Column("command", "COMMAND", 0, lambda r, n: (r.process.command or r.process.comm)[:1000],
           lambda r: r.process.comm, "command line, or the name the kernel keeps", left=True, descending=False),
)  # fmt: skip
BY_ID = {column.id: column for column in COLUMNS}


def columns_for(width: int, chosen: Sequence[str] = ()) -> tuple[Column, ...]:
    """Return the chosen columns, or those that fit a screen of `width` cells."""
    if chosen:
        return tuple(BY_ID[name] for name in chosen if name in BY_ID)
    return tuple(column for column in COLUMNS if 0 <= column.from_width <= width)
