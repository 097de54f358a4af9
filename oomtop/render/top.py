"""`oomtop top`: the memory account and the biggest processes as plain text, for pipes and cron."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping

from oomtop.analysis.group_totals import GroupTotal, group_totals
from oomtop.analysis.model.assessment import Assessment, ProcessRow
from oomtop.analysis.sentences import (
    NOT_SEEN,
    OF_THOSE_SEEN,
    describe_danger,
    describe_dying,
    describe_early_killer,
    describe_subject,
)  # fmt: skip
from oomtop.analysis.unlogged_kills import unread_kill
from oomtop.fields import FIELDS, number_of
from oomtop.units import DASH, format_bytes, format_count, format_rate, format_share, printable

GROUP_SORT_KEYS: Mapping[str, Callable[[GroupTotal], float]] = {
    "memory": lambda total: total.size,
    "rss": lambda total: total.rss,
    "swap": lambda total: total.swap or 0,
    "growth": lambda total: total.growth or 0.0,
    "cpu": lambda total: total.cpu or 0.0,
}
"""What a group has of the fields that processes are sorted by."""


def render_top(assessment: Assessment, count: int, sort: str, width: int, grouping: str | None = None) -> str:
    """Return the whole shot, of processes or of what `grouping` adds up; no line is longer than `width` cells."""
    table = _table(assessment, count, sort) if grouping is None else _groups(assessment, count, sort, grouping)
    lines = [
        *_account(assessment),
        *_pressure(assessment),
        *_outlook(assessment),
        "",
        *table,
    ]
    return "\n".join(_cut(printable(line), width) for line in lines)


def _account(assessment: Assessment) -> Iterable[str]:
    memory, swap = assessment.memory, assessment.swap
    parts = (
        ("anon", memory.anon), ("shmem", memory.shmem), ("cache", memory.page_cache),
        ("slab", memory.slab_reclaimable), ("kernel", memory.kernel), ("huge", memory.hugetlb),
        ("arc", memory.arc), ("balloon", memory.balloon), ("compr", memory.compressed), ("other", memory.other),
        ("free", memory.free),
    )  # fmt: skip
    shown = "  ".join(f"{name} {format_bytes(size)}" for name, size in parts if size or name in ("anon", "free"))
    unused = f"  ({format_bytes(memory.hugetlb_unused)} of huge unused)" if memory.hugetlb_unused else ""
    yield f"Memory    {format_bytes(memory.total)} = {shown}{unused}"
    estimated = " (estimated)" if memory.available_estimated else ""
    yield f"Available {format_bytes(memory.available)}{estimated}   min watermark {format_bytes(memory.min_watermark)}"
    if not swap.total:
        yield "Swap      none"
        return
    yield (
        f"Swap      {format_bytes(swap.used)} of {format_bytes(swap.total)}"
        f"   in {format_rate(swap.in_rate)}  out {format_rate(swap.out_rate)}"
    )


def _pressure(assessment: Assessment) -> Iterable[str]:
    figures = assessment.pressure
    if figures.memory is None:
        psi = DASH
    else:
        some, full = figures.memory.some, figures.memory.full
        psi = f"some {some.avg10:.1f} {some.avg60:.1f} {some.avg300:.1f}"
        psi += f"  full {full.avg10:.1f} {full.avg60:.1f} {full.avg300:.1f}" if full else ""
    yield (
        f"Pressure  {psi}   major faults {format_count(figures.major_fault_rate)}/s"
        f"   oom_kill {format_count(figures.oom_kills)}"
    )


def _outlook(assessment: Assessment) -> Iterable[str]:
    dangers = assessment.dangers
    yield f"Outlook   {describe_subject(dangers, assessment.time, unread_kill(assessment))}"
    for item in dangers[1:3]:
        yield f"Also      {describe_danger(item)}"
    for killer in assessment.early_killers[:2]:
        yield f"First     {describe_early_killer(killer)}"
    seen = "" if assessment.scope.sees_all else f" {OF_THOSE_SEEN}"
    if dangers and (assessment.scope.sees_all or dangers[0].victim is not None):
        yield f"Next      {describe_dying(dangers[0])}{seen}"
    elif dangers:
        yield f"Next      {NOT_SEEN}"
    for finding in assessment.findings:
        yield f"{finding.severity.value.capitalize():9} {finding.title} ({finding.advice})"
    for problem in assessment.problems:
        yield f"Note      {problem.what}: {problem.why}"


def _table(assessment: Assessment, count: int, sort: str) -> Iterable[str]:
    yield "    PID USER       RSS  SWAP    +/MIN  OOM%   ADJ S COMMAND"
    for row in sorted(assessment.rows, key=_key(sort), reverse=True)[:count]:
        process = row.process
        growth = None if row.growth is None else row.growth * 60
        adj = DASH if process.oom_score_adj is None else str(process.oom_score_adj)
        yield (
            f"{process.pid:7} {_user(row.user):8} {format_bytes(process.rss):>5} {format_bytes(process.swap):>5} "
            f"{format_bytes(growth):>8} {format_share(row.share):>5} {adj:>5} {process.state} "
            f"{(process.command or process.comm)[:400]}"
        )
    yield from _left_out(len(assessment.rows), count)


def _key(sort: str) -> Callable[[ProcessRow], float]:
    """Return what reads the sort key of a row, the unknown last."""
    read = number_of(next(field for field in FIELDS if field.id == sort))
    return lambda row: -math.inf if (value := read(row)) is None else value


def _groups(assessment: Assessment, count: int, sort: str, grouping: str) -> Iterable[str]:
    totals = group_totals(assessment, grouping)
    yield f"PROCESSES  MEMORY   RSS  SWAP    +/MIN  CPU% {grouping.upper()}"
    for total in sorted(totals, key=GROUP_SORT_KEYS.get(sort, GROUP_SORT_KEYS["memory"]), reverse=True)[:count]:
        growth = None if total.growth is None else total.growth * 60
        size = f"{'' if total.counted_once else '<'}{format_bytes(total.size)}"
        yield (
            f"{total.processes:9} {size:>7} {format_bytes(total.rss):>5} {format_bytes(total.swap):>5} "
            f"{format_bytes(growth):>8} {format_share(total.cpu):>5} {total.name}"
        )
    if not totals:
        yield f"        no {grouping}"
    yield from _left_out(len(totals), count)


def _left_out(all_of_them: int, count: int) -> Iterable[str]:
    """Say how many rows the table does not have."""
    if all_of_them > count:
        yield f"        {all_of_them - count} more (-n {all_of_them} shows all)"


def _user(name: str) -> str:
    """Return a name in 8 cells, a cut one with `+` as ps has it: of a number no digit is lost unseen."""
    return name if len(name) <= 8 else f"{name[:7]}+"


def _cut(line: str, width: int) -> str:
    return line if len(line) <= width else line[: max(0, width - 1)] + ">"
