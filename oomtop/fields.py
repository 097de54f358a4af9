"""The table of process fields behind columns, help, filters, `top --sort`, alerts and metrics.

A field is data: `path` is the attribute of an `analysis.model.assessment.ProcessRow` that holds its value.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from operator import attrgetter

from oomtop.frozen import frozen


class FieldUnit(Enum):
    """The unit of a value: how it is printed and how a filter parses it."""

    NUMBER = "a number"
    BYTES = "bytes"
    GROWTH = "bytes per second, written and filtered per minute"
    OF_MEMORY = "a share of RAM and swap, filtered in per cent"
    OF_CPU = "a share of one CPU, written and filtered in per cent"
    PER_SECOND = "events per second"
    SECONDS = "seconds"
    TEXT = "a text"


@frozen
class ProcessField:
    """One field; `path` is empty if its column needs more than the row of the process."""

    id: str
    unit: FieldUnit
    path: str = ""
    title: str = ""
    """The column title; empty for a field without a column."""
    help: str = ""
    file: str = ""
    """The kernel file it comes from."""
    worry: str = ""
    """When to worry about it, where there is a rule."""
    width: int = 5
    least: int = 0
    """The narrowest table that shows it by default, in cells."""
    filters: tuple[str, ...] = ()
    """Further names in a filter, besides the id."""
    at_most: str = ""
    """The row attribute that says whether the value is a sum that may count shared pages twice."""
    alert: str = ""
    """Its name in alert conditions."""
    alert_of_ram: bool = False
    """Whether a condition may give it as a percentage of RAM."""
    metric: tuple[str, str] | None = None
    """(name behind `oomtop_process_`, help) in the exporter."""

    @property
    def filter_names(self) -> tuple[str, ...]:
        """Its names in a filter; none if a row alone does not determine its value."""
        return (self.id, *self.filters) if self.path else ()


_N, _B, _G, _S, _T = FieldUnit.NUMBER, FieldUnit.BYTES, FieldUnit.GROWTH, FieldUnit.SECONDS, FieldUnit.TEXT
_STATUS, _STAT = "/proc/PID/status", "/proc/PID/stat"

FIELDS: tuple[ProcessField, ...] = (
    ProcessField("pid", _N, "process.pid", "PID", "process id", "/proc/PID", width=7),
    ProcessField("user", _T, "user", "USER", "effective user", _STATUS, width=8),
    ProcessField("memory", _B, "process.rss_and_swap", "MEM", "resident plus swapped-out memory",
                 "/proc/PID/statm, status", "the first place to look", filters=("mem",), at_most="is_bound",
                 alert="process.memory", alert_of_ram=True),
    ProcessField("rss", _B, "process.rss", "RSS", "resident memory: anonymous, file and shared", "/proc/PID/statm",
                 least=95, at_most="is_bound", alert="process.rss", alert_of_ram=True,
                 metric=("resident_bytes", "Resident memory of the biggest processes")),
    ProcessField("anon", _B, "process.rss_anon", "ANON", "resident anonymous memory", _STATUS, least=155,
                 at_most="is_total"),
    ProcessField("file", _B, "process.rss_file", "FILE", "resident pages of files", _STATUS, least=155,
                 at_most="is_total"),
    ProcessField("shmem", _B, "process.rss_shmem", "SHMEM", "resident shared memory and tmpfs", _STATUS,
                 "tmpfs files stay after the process ends", least=155, at_most="is_total"),
    ProcessField("swap", _B, "process.swap", "SWAP", "memory swapped out", _STATUS,
                 "worry when it is large and the process is active", least=100, alert="process.swap",
                 metric=("swap_bytes", "Swapped memory of the biggest processes")),
    ProcessField("growth", _G, "growth", "+/MIN", "growth of MEM per minute", "/proc/PID/statm, status",
                 "worry when it never stops: likely a leak", 6, 50, alert="process.growth",
                 metric=("growth_bytes_per_second", "Growth of the biggest processes")),
    ProcessField("growth5", _G, "", "+/5MIN", "growth per minute over the last 5 minutes", _STATUS, least=195, width=6),
    ProcessField("growth30", _G, "", "+/30MIN", "growth per minute over the last 30 minutes", _STATUS,
                 "a leak still grows here", 6, 230),
    ProcessField("trend", _B, "", "TREND", "anonymous memory and swap, last half hour (largest)", _STATUS,
                 "a leak only ever rises", 10, 75),
    ProcessField("share", FieldUnit.OF_MEMORY, "share", "OOM%",
                 "the kernel's OOM score (badness) as a share of RAM and swap",
                 "/proc/PID/status, oom_score_adj", "the highest is killed first", 5, 92, alert="process.share",
                 metric=("share_ratio", "OOM score (badness) of the biggest processes, as a share of RAM and swap")),
    ProcessField("rank", _N, "", "RANK", "rank in the kernel's kill order, 1 is the next victim",
                 "/proc/PID/oom_score_adj", least=45),
    ProcessField("score", _N, "process.oom_score", "SCORE", "the kernel's oom_score", "/proc/PID/oom_score", least=165),
    ProcessField("adj", _N, "process.oom_score_adj", "ADJ", "oom_score_adj: below 0 protected, -1000 never killed",
                 "/proc/PID/oom_score_adj", "-1000 on something that leaks takes others down", least=85,
                 metric=("oom_score_adj", "oom_score_adj of the biggest processes")),
    ProcessField("faults", FieldUnit.PER_SECOND, "major_fault_rate", "FAULTS/s",
                 "page faults per second that read from disk", _STAT, "worry when it stays high: too little memory",
                 least=135),
    ProcessField("cpu", FieldUnit.OF_CPU, "cpu", "CPU%", "share of one CPU", _STAT, width=6, least=105),
    ProcessField("time", _S, "process.cpu_seconds", "TIME", "CPU time since it started", _STAT, width=6, least=225),
    ProcessField("threads", _N, "process.threads", "THR", "number of threads", _STAT, "each has a stack", least=165),
    ProcessField("state", _T, "process.state", "S",
                 "state: R runs, S sleeps, D waits for a device, T stopped, Z zombie", _STAT,
                 "many in D: waiting for disk or memory", 2, 88),
    ProcessField("age", _S, "", "AGE", "time since it started", _STAT, width=6, least=145),
    ProcessField("unit", _T, "unit", "UNIT", "systemd unit, container or pod", "/proc/PID/cgroup", width=18, least=175),
    ProcessField("cgroup", _T, "process.cgroup", "CGROUP", "memory cgroup, from its end", "/proc/PID/cgroup", width=24,
                 least=200),
    ProcessField("headroom", _B, "headroom", "ROOM", "bytes to its nearest memory limit", "memory.max, memory.current",
                 "worry below a tenth of the limit", least=65),
    ProcessField("pagetables", _B, "process.page_tables", "PGTBL", "page tables", _STATUS, "kernel memory", least=205,
                 filters=("pgtbl",)),
    ProcessField("virtual", _B, "process.virtual_size", "VIRT", "address space", _STAT, "reserved, may be unused",
                 least=215, filters=("virt",)),
    ProcessField("command", _T, "process.command", "COMMAND", "command line; takes the rest of the line",
                 "/proc/PID/cmdline", width=0, filters=("cmd",)),
    ProcessField("ppid", _N, "process.ppid"),
    ProcessField("uid", _N, "process.uid"),
    ProcessField("name", _T, "process.comm", filters=("comm",)),
)  # fmt: skip
SORT_IDS = tuple(field.id for field in FIELDS if field.path and field.title and field.unit is not FieldUnit.TEXT)
"""The sort keys of `oomtop top --sort`."""


def number_of(field: ProcessField) -> Callable[[object], float | None]:
    """Return a function that reads the field from a row as a number."""
    return attrgetter(field.path)


def text_of(field: ProcessField) -> Callable[[object], str]:
    """Return a function that reads the field from a row as text, empty if unknown."""
    read: Callable[[object], str | None] = attrgetter(field.path)
    return lambda row: read(row) or ""
