"""`oom_badness`: the figure by which the kernel chooses whom to kill (mm/oom_kill.c, 5.9 and later).

    points = rss + swap entries + page tables, in pages
    points += oom_score_adj * (totalpages / 1000)        (integer division first)

Before 5.9 the result was clamped to at least 1; the order is the same.
"""

from __future__ import annotations

from oomtop.host.process import Process

OOM_SCORE_ADJ_MIN = -1000


def badness(process: Process, total_pages: int, page_size: int) -> int | None:
    """Return the badness in pages, None for a process that the kernel does not consider.

    Not considered: pid 1, kernel threads, tasks without a memory map (zombies), `oom_score_adj` -1000.
    """
    adj = process.oom_score_adj or 0
    if process.pid == 1 or process.is_kernel_thread or not process.virtual_size or adj == OOM_SCORE_ADJ_MIN:
        return None
    own = process.rss // page_size + (process.swap or 0) // page_size + (process.page_tables or 0) // page_size
    return own + adj * (total_pages // 1000)


def total_pages(mem_total: int, swap_total: int | None, page_size: int) -> int:
    """Return the pages that a global OOM measures shares against: RAM plus swap."""
    return (mem_total + (swap_total or 0)) // page_size


def frees(process: Process) -> int:
    """Return the bytes that its death surely gives back: anonymous, swapped-out and page tables."""
    anon = process.rss_anon if process.rss_anon is not None else process.rss
    return anon + (process.swap or 0) + (process.page_tables or 0)
