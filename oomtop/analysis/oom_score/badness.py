"""`oom_badness`: the value by which the kernel chooses a victim (mm/oom_kill.c, 5.9 and later).

    points = rss + swap entries + page tables, in pages
    points += oom_score_adj * (totalpages / 1000)        (integer division first)

Before 5.9 the result was clamped to at least 1; the order is the same.
"""

from __future__ import annotations

from oomtop.host.process import Process

OOM_SCORE_ADJ_MIN = -1000


def badness(process: Process, total_pages: int, page_size: int) -> int | None:
    """Return the badness in pages, None for a process that the kernel never kills.

    Not considered: the global init, kernel threads, tasks without a memory map (zombies), vfork children before their
    exec, `oom_score_adj` -1000.
    """
    adj = process.oom_score_adj or 0
    if is_passed_over(process) or process.is_kernel_thread or not process.virtual_size or adj == OOM_SCORE_ADJ_MIN:
        return None
    return points(process, total_pages, page_size)


def points(process: Process, total_pages: int, page_size: int) -> int:
    """Return the points of a process, whether or not the kernel considers it."""
    own = process.rss // page_size + (process.swap or 0) // page_size + (process.page_tables or 0) // page_size
    return own + (process.oom_score_adj or 0) * (total_pages // 1000)


def is_passed_over(process: Process) -> bool:
    """Whether the kernel skips it; recordings of earlier versions identify only pid 1."""
    return process.pid == 1 if process.is_spared is None else process.is_spared


def total_pages(mem_total: int, swap_total: int | None, page_size: int) -> int:
    """Return the total pages of a global OOM: RAM plus swap."""
    return (mem_total + (swap_total or 0)) // page_size


def frees(process: Process) -> int:
    """Return the bytes that its death certainly frees: anonymous, swapped-out and page tables."""
    anon = process.rss_anon if process.rss_anon is not None else process.rss
    return anon + (process.swap or 0) + (process.page_tables or 0)
