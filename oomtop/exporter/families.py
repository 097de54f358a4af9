"""Metric families of one assessment: what `/metrics` says about a machine, named by Prometheus' conventions.

Bytes, seconds and ratios; counters end in `_total`.  An unknown figure has no sample, and a time to exhaustion
that is not near is `+Inf`.  Every label that comes from outside is made printable, and every family is bounded.
Sample line: `oomtop_memory_bytes{part="anon"} 1.2e+09`
"""

from __future__ import annotations

import heapq
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric

from oomtop import __version__
from oomtop.analysis.model.assessment import Assessment, CgroupFigures, ProcessRow
from oomtop.analysis.model.danger import Danger, DangerKind
from oomtop.analysis.unlogged_kills import reads_kernel_log
from oomtop.fields import FIELDS, number_of
from oomtop.host.pressure import Pressure, PressureLine
from oomtop.units import printable

MAX_LABEL = 200
_HEAD = 60
_PARTS = (
    "anon",
    "shmem",
    "page_cache",
    "slab_reclaimable",
    "kernel",
    "hugetlb",
    "arc",
    "balloon",
    "compressed",
    "other",
    "free",
)

Sample = tuple[Sequence[str], float | None]
_Family = TypeVar("_Family", GaugeMetricFamily, CounterMetricFamily)


def label(text: str) -> str:
    """Return a name as a label value: printable, of bounded length; of a long path the end tells most."""
    text = printable(text)
    return text if len(text) <= MAX_LABEL else f"{text[:_HEAD]}...{text[_HEAD + 3 - MAX_LABEL :]}"


def gauge(name: str, text: str, samples: Iterable[Sample], labels: Sequence[str] = ()) -> GaugeMetricFamily:
    """Return a gauge with the samples that are known."""
    return _with_known(GaugeMetricFamily(f"oomtop_{name}", text, labels=labels), samples)


def counter(name: str, text: str, samples: Iterable[Sample], labels: Sequence[str] = ()) -> CounterMetricFamily:
    """Return a counter, `name` without `_total`, with the samples that are known."""
    return _with_known(CounterMetricFamily(f"oomtop_{name}", text, labels=labels), samples)


def _with_known(family: _Family, samples: Iterable[Sample]) -> _Family:
    for values, value in samples:
        if value is not None:
            family.add_metric(values, value)
    return family


def families(assessment: Assessment, top: int) -> Iterator[Metric]:
    """Yield every family; `top` bounds how many processes, programs and groups are named."""
    yield from _about(assessment)
    yield from _memory(assessment)
    yield from _swap(assessment)
    yield from _pressure(assessment)
    yield from _outlook(assessment, top)
    yield from _victim(assessment)
    yield from _processes(assessment, top)
    yield from _groups(assessment, top)
    yield _growths(assessment, top)
    counts: dict[tuple[str, str], int] = defaultdict(int)
    for finding in assessment.findings:
        counts[finding.id, finding.severity.value] += 1
    yield gauge("findings", "Findings of the analysis, by id and severity", counts.items(), ("id", "severity"))


def _about(assessment: Assessment) -> Iterator[Metric]:
    build = InfoMetricFamily("oomtop_build", "Version of oomtop and of the kernel it watches")
    build.add_metric((), {"version": __version__, "kernel": label(assessment.machine.kernel)})
    yield build
    yield gauge("sample_timestamp_seconds", "Unix time of the sample", [((), assessment.time)])
    yield gauge("sample_cpu_seconds", "CPU time of the sample", [((), assessment.sample_seconds)])
    yield gauge("problems", "Kernel files that could not be read", [((), len(assessment.problems))])
    yield gauge(
        "kernel_log_readable", "1 if OOM events are read from a log", [((), float(reads_kernel_log(assessment)))]
    )


def _memory(assessment: Assessment) -> Iterator[Metric]:
    memory = assessment.memory
    parts = [((part,), getattr(memory, part)) for part in _PARTS]
    yield gauge("memory_bytes", "Where memory went: the parts add up to oomtop_memory_total_bytes", parts, ("part",))
    for name, text, value in (
        ("total", "Memory of the machine", memory.total),
        ("available", "Memory that can be allocated without swapping (MemAvailable and ZFS ARC)", memory.available),
        (
            "min_watermark",
            "Free memory below which allocations stall in direct reclaim, except those that may use the reserve",
            memory.min_watermark,
        ),
        ("dirty", "Memory waiting to be written to disk", memory.dirty),
        ("mlocked", "Memory locked by programs", memory.mlocked),
        ("committed", "Committed memory (Committed_AS)", memory.committed),
        ("commit_limit", "Commit limit, enforced when overcommit_memory is 2", memory.commit_limit),
    ):
        yield gauge(f"memory_{name}_bytes", text, [((), value)])
    limit = assessment.limit
    if limit is not None:
        yield gauge("container_limit_bytes", "Limit of the container oomtop runs in", [((), limit.effective_limit)])
        yield gauge("container_headroom_bytes", "Bytes left to that limit", [((), limit.headroom)])


def _swap(assessment: Assessment) -> Iterator[Metric]:
    swap = assessment.swap
    for name, text, value in (
        ("total_bytes", "Swap space", swap.total),
        ("used_bytes", "Swap in use", swap.used),
        ("free_bytes", "Swap free", swap.free),
        ("cached_bytes", "Memory in swap and in RAM at once", swap.cached),
        ("in_bytes_per_second", "Read back from swap", swap.in_rate),
        ("out_bytes_per_second", "Written to swap", swap.out_rate),
    ):
        yield gauge(f"swap_{name}", text, [((), value)])


def _pressure(assessment: Assessment) -> Iterator[Metric]:
    figures = assessment.pressure
    lines = [*_lines("memory", figures.memory), *_lines("io", figures.io)]
    shares: list[Sample] = [
        ((resource, kind, window), share / 100)
        for resource, kind, line in lines
        for window, share in (("10s", line.avg10), ("1m", line.avg60), ("5m", line.avg300))
    ]
    labels = ("resource", "kind")
    yield gauge("pressure_ratio", "Share of time stalled (PSI)", shares, (*labels, "window"))
    totals: list[Sample] = [((resource, kind), line.total_us / 1e6) for resource, kind, line in lines]
    yield counter("pressure_stall_seconds", "Time stalled since boot (PSI)", totals, labels)
    for name, text, value in (
        ("major_faults_per_second", "Page faults that read from disk", figures.major_fault_rate),
        ("refault_bytes_per_second", "Evicted memory that was read back", figures.refault_rate),
        ("direct_reclaim_stalls_per_second", "Allocations that entered direct reclaim", figures.direct_reclaim_rate),
        ("unlogged_kills", "Kills in the kernel's count that no log has", assessment.unlogged_kills),
    ):
        yield gauge(name, text, [((), value)])
    counted = figures.since_boot
    for name, text, value in (
        ("major_faults", "Page faults that read from disk, since boot", counted.major_faults),
        ("swap_in_bytes", "Read back from swap since boot", counted.swapped_in),
        ("swap_out_bytes", "Written to swap since boot", counted.swapped_out),
        ("refault_bytes", "Evicted memory that was read back, since boot", counted.refaulted),
        ("direct_reclaim_stalls", "Allocations that entered direct reclaim, since boot", counted.direct_reclaims),
    ):
        yield counter(name, text, [((), value)])
    text = "Processes killed by the kernel since boot, by its own counter (vmstat): misses none, names none"
    yield counter("kernel_oom_kills", text, [((), figures.oom_kills)])


def _lines(resource: str, pressure: Pressure | None) -> Iterator[tuple[str, str, PressureLine]]:
    if pressure is not None:
        yield resource, "some", pressure.some
        if pressure.full is not None:
            yield resource, "full", pressure.full


def _outlook(assessment: Assessment, top: int) -> Iterator[Metric]:
    groups = [item for item in assessment.dangers if item.kind is DangerKind.CGROUP][:top]
    others = [item for item in assessment.dangers if item.kind is not DangerKind.CGROUP]
    chosen = [((label(item.resource), _group_of(item)), item) for item in (*others, *groups)]
    labels = ("resource", "cgroup")
    columns: Mapping[str, tuple[str, Callable[[Danger], float | None]]] = {
        "seconds": ("Time until it is full at the current trend, +Inf where no end is foreseen", _seconds),
        "earliest_seconds": ("The early end of that estimate", lambda item: item.earliest),
        "latest_seconds": ("The late end of that estimate", lambda item: item.latest),
        "headroom_bytes": ("Bytes left", lambda item: item.room),
        "held_bytes": ("Use that only a kill or swap frees", lambda item: item.held),
        "limit_bytes": ("Its size", lambda item: item.limit),
        "bytes_per_second": ("How fast it fills", lambda item: item.rate),
    }
    for name, (text, read) in columns.items():
        yield gauge(f"exhaustion_{name}", text, [(values, read(item)) for values, item in chosen], labels)
    told = [((*values, *_told(item)), 1.0) for values, item in chosen]
    text = "1 for each danger: its state, confidence and first victim"
    yield gauge("danger_info", text, told, (*labels, "kind", "state", "confidence", "victim"))


def _group_of(item: Danger) -> str:
    return label(item.subject) if item.kind is DangerKind.CGROUP else ""


def _told(item: Danger) -> tuple[str, str, str, str]:
    confidence = "" if item.confidence is None else item.confidence.value
    victim = "" if item.victim is None else label(item.victim.name)
    return item.kind.value, item.state.value, confidence, victim


def _seconds(item: Danger) -> float | None:
    if item.rate is None:
        return None
    return math.inf if item.median is None else item.median


def _victim(assessment: Assessment) -> Iterator[Metric]:
    first = assessment.victims.first
    row = next((row for row in assessment.rows if first and row.process.id == first.id), None)
    labels = ("process", "unit", "pid", "cgroup")
    unit, group = (row.unit, row.process.cgroup) if row else (None, None)
    names = (label(first.name), label(unit or ""), str(first.id.pid), label(group or "")) if first else ()
    share = [(names, first.share)] if first else []
    frees = [(names, float(first.frees))] if first else []
    yield gauge(
        "next_victim_share_ratio",
        "OOM score (badness) of the process the kernel would kill next, as a share of RAM and swap",
        share,
        labels,
    )
    yield gauge("next_victim_frees_bytes", "What its death would free", frees, labels)


def _processes(assessment: Assessment, top: int) -> Iterator[Metric]:
    rows = heapq.nlargest(top, assessment.rows, key=lambda row: row.process.rss_and_swap)
    labels = ("pid", "process", "unit", "cgroup")
    named = [(_names(row), row) for row in rows]
    for field in FIELDS:
        if field.metric is not None:
            (name, text), read = field.metric, number_of(field)
            yield gauge(f"process_{name}", text, [(values, read(row)) for values, row in named], labels)
    yield gauge("processes", "Processes of the machine", [((), len(assessment.rows))])
    programs: dict[str, int] = defaultdict(int)
    for row in assessment.rows:
        programs[row.process.comm] += row.process.rss_and_swap
    biggest = heapq.nlargest(top, programs.items(), key=lambda item: item[1])
    sizes = _summed(biggest)
    yield gauge("program_bytes", "Resident and swapped memory by program", sizes, ("program",))


def _names(row: ProcessRow) -> tuple[str, str, str, str]:
    process = row.process
    return str(process.pid), label(process.comm), label(row.unit or ""), label(process.cgroup or "")


def _growths(assessment: Assessment, top: int) -> Metric:
    """Return the growth of groups over minutes; that of single processes has its own family."""
    rates: dict[tuple[str, str, str], float] = {}
    for kind in ("program", "user", "unit"):
        for item in [item for item in assessment.growths if item.kind == kind][:top]:
            for window, rate in (("1m", item.minute), ("5m", item.five_minutes), ("30m", item.half_hour)):
                if rate is not None:
                    rates[kind, label(item.name), window] = rate
    text = "Growth of anonymous memory and swap of the biggest programs, users and units"
    return gauge("growth_bytes_per_second", text, rates.items(), ("kind", "name", "window"))


def _summed(items: Iterable[tuple[str, float]]) -> list[Sample]:
    """Return one sample a label: names that differ only in what is not printable become one."""
    sums: dict[str, float] = defaultdict(float)
    for name, value in items:
        sums[label(name)] += value
    return [((name,), value) for name, value in sums.items()]


def _groups(assessment: Assessment, top: int) -> Iterator[Metric]:
    limited = [group for group in assessment.cgroups if group.headroom is not None]
    chosen = {
        (label(group.cgroup.path), label(group.name)): group
        for group in heapq.nsmallest(top, limited, key=_left)
    }  # fmt: skip
    labels = ("cgroup", "name")
    columns: Mapping[str, tuple[str, Callable[[CgroupFigures], float | None]]] = {
        "current_bytes": ("Memory of the limited cgroups with the least headroom", lambda item: item.cgroup.current),
        "peak_bytes": ("Its highest use", lambda item: item.cgroup.peak),
        "swap_bytes": ("Its swap", lambda item: item.cgroup.swap_current),
        "limit_bytes": ("The smallest limit from here up", lambda item: item.effective_limit),
        "headroom_bytes": ("Bytes left, not counting cache", lambda item: item.headroom),
        "victim_share_ratio": ("OOM score (badness) of its next victim, as a share of its limit", _victim_share),
    }  # fmt: skip
    for name, (text, read) in columns.items():
        yield gauge(f"cgroup_{name}", text, [(values, read(item)) for values, item in chosen.items()], labels)
    yield gauge("cgroups_limited", "Cgroups with a limit of their own", [((), len(limited))])


def _left(group: CgroupFigures) -> float:
    return (group.headroom or 0) / (group.effective_limit or 1)


def _victim_share(group: CgroupFigures) -> float | None:
    first = group.victims.first
    return None if first is None else first.share
