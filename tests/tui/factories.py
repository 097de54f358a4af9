"""Builders of processes, rows and assessments for tests of the screen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from oomtop.analysis.model.assessment import (
    Assessment,
    Candidate,
    MemoryAccount,
    PastSeries,
    PressureFigures,
    ProcessRow,
    SwapAccount,
    Victims,
)
from oomtop.analysis.model.danger import Confidence, Danger, DangerKind, DangerState, Dying, Remedy
from oomtop.host.process import Process, ProcessId
from oomtop.snapshot import Machine
from oomtop.units import GIB, MIB

NOW = 1_700_001_000.0
MACHINE = Machine("testhost", "6.18.0", "boot-1", 1_700_000_000.0, 4096, 100, 2)
PF_KTHREAD = 0x00200000


def make_process(
    pid: int = 100,
    comm: str = "python3",
    *,
    ppid: int = 1,
    start_time: int | None = None,
    rss: int = 100 * MIB,
    swap: int | None = 0,
    uid: int = 1000,
    adj: int | None = 0,
    score: int | None = None,
    command: str | None = None,
    state: str = "S",
    cgroup: str | None = "/",
    kernel: bool = False,
) -> Process:
    """Return a process; all its resident memory is anonymous."""
    start = 1000 + pid if start_time is None else start_time
    return Process(
        id=ProcessId(pid, start), ppid=ppid, comm=comm, state=state, started=start / 100,
        flags=PF_KTHREAD if kernel else 0, session=pid, tty=0, nice=0, threads=1, cpu_seconds=1.0,
        minor_faults=0, major_faults=0, virtual_size=rss * 4, rss=rss, rss_anon=rss, rss_file=0, rss_shmem=0,
        swap=swap, page_tables=MIB, locked=0, hugetlb=0, uid=uid, euid=uid, oom_score=score, oom_score_adj=adj,
        cgroup=cgroup, command=command,
    )  # fmt: skip


def make_row(
    process: Process | None = None,
    *,
    user: str = "alice",
    growth: float | None = 0.0,
    cpu: float | None = 0.0,
    major_fault_rate: float | None = 0.0,
    unit: str | None = None,
    headroom: int | None = None,
    total: int = 16 * GIB,
) -> ProcessRow:
    """Return the row of `process`; its badness is the kernel's formula on `total` bytes of RAM and swap."""
    process = make_process() if process is None else process
    adj = process.oom_score_adj or 0
    can_die = adj != -1000 and not process.is_kernel_thread and process.pid != 1
    points = (process.rss_and_swap + (process.page_tables or 0)) // 4096 + adj * (total // 4096) // 1000
    badness = points if can_die else None
    share = None if badness is None else badness / (total // 4096)
    return ProcessRow(process, user, growth, cpu, major_fault_rate, badness, share, unit, headroom, None)


def make_rows(count: int) -> tuple[ProcessRow, ...]:
    """Return `count` rows with pids from 100 on; the first is the largest."""
    return tuple(
        make_row(make_process(100 + n, f"prog{n}", rss=(count - n) * MIB, command=f"/usr/bin/prog{n} --serve {n}"))
        for n in range(count)
    )


def make_danger(subject: str = "/web", rows: Iterable[ProcessRow] = (), **facts: object) -> Danger:
    """Return a cgroup with a limit of 300 MiB that is full in 22 s, unless `facts` say otherwise."""
    processes = [row.process for row in rows]
    dying = tuple(Dying(p.id, p.comm, p.euid, p.rss_and_swap, p.rss) for p in processes)
    first = processes[0].id if processes else None
    remedies = (
        Remedy("kill", first, 123 * MIB, 15.0), Remedy("freeze", first, None, None),
        Remedy("limit", None, 100 * MIB, 12.0),
    )  # fmt: skip
    defaults: dict[str, object] = {
        "subject": subject, "name": subject, "kind": DangerKind.CGROUP, "limit": 300 * MIB, "brake": None,
        "used": 180 * MIB, "held": 129 * MIB, "cache": 51 * MIB, "swapped": 0, "swap_left": 0, "state": DangerState.FILLING,
        "first_seen": NOW - 60.0, "rate": 8.0 * MIB, "earliest": 20.0, "median": 22.0, "latest": 24.0,
        "confidence": Confidence.HIGH, "basis": "linear", "dying": dying, "remedies": remedies,
    }  # fmt: skip
    return Danger(**(defaults | facts))  # type: ignore[arg-type]


def calm_danger(
    subject: str = "RAM", median: float | None = None, *, held: int = 8 * GIB, limit: int = 16 * GIB, **changes: object
) -> Danger:
    """Return a danger that is steady, or full in `median` seconds; `changes` replace any other field."""
    kind = DangerKind.CGROUP if subject.startswith("/") else DangerKind.MACHINE
    calm = Danger(
        subject=subject, name=subject, kind=kind, limit=limit, brake=None, used=held, held=held, cache=0, swapped=0,
        swap_left=0, state=DangerState.STEADY, first_seen=NOW - 60.0, rate=0.0,
    )  # fmt: skip
    if median is not None:
        calm = replace(
            calm, state=DangerState.FILLING, rate=calm.room / median, growing=40.0, earliest=median * 0.9, median=median,
            latest=median * 1.1, confidence=Confidence.HIGH, basis="linear",
        )  # fmt: skip
    return replace(calm, **changes)  # type: ignore[arg-type]


def make_victims(rows: Iterable[ProcessRow]) -> Victims:
    """Return the ten worst of `rows`."""
    ranked = sorted((row for row in rows if row.badness is not None), key=lambda row: -(row.badness or 0))
    return Victims(
        tuple(
            Candidate(row.process.id, row.process.comm, row.process.uid, row.badness or 0, row.share or 0.0,
                      row.process.rss_and_swap)
            for row in ranked[:10]
        )
    )  # fmt: skip


def make_assessment(
    rows: int | Iterable[ProcessRow] = 3, *, monotonic: float = 1000.0, **changes: object
) -> Assessment:
    """Return an assessment of a calm machine of 16 GiB; `changes` replace any other field."""
    rows = make_rows(rows) if isinstance(rows, int) else tuple(rows)
    memory = MemoryAccount(
        total=16 * GIB, anon=4 * GIB, shmem=GIB, page_cache=6 * GIB, slab_reclaimable=GIB, kernel=512 * MIB,
        hugetlb=0, arc=0, other=512 * MIB, free=3 * GIB, available=10 * GIB, min_watermark=64 * MIB, dirty=MIB,
        writeback=0, mlocked=0, committed=8 * GIB, commit_limit=12 * GIB,
    )  # fmt: skip
    calm = Assessment(
        time=1_700_000_000.0 + monotonic, monotonic=monotonic, machine=MACHINE, memory=memory,
        swap=SwapAccount(4 * GIB, GIB, 3 * GIB, 0, 0.0, 0.0),
        pressure=PressureFigures(None, None, 0.0, 0.0, 0.0, 0, None),
        victims=make_victims(rows), growers=(), findings=(), rows=rows, cgroups=(), limit=None,
        zones=(), events=(), unlogged_kills=0, series=PastSeries(), problems=(),
    )  # fmt: skip
    return replace(calm, **changes)  # type: ignore[arg-type]
