"""A process whose main thread has ended: a zombie by its `stat`, alive by its other threads.

`/proc/PID/stat`, `status` and `cgroup` show nothing of its memory then; those of a thread that lives do.  The kernel
looks for such a thread too (`find_lock_task_mm` of mm/oom_kill.c), and names it in place of the process.
"""

from __future__ import annotations

from collections.abc import Iterable

from oomtop.frozen import replace
from oomtop.host.process import Process


def has_dead_leader(process: Process) -> bool:
    """Whether only the main thread has ended, and other threads are left."""
    return process.state == "Z" and process.threads > 1


def with_living_thread(process: Process, threads: Iterable[Process]) -> Process:
    """Return the process with state and memory of the first of its threads that has a memory map."""
    living = next((thread for thread in threads if thread.virtual_size), None)
    if living is None:
        return process
    return replace(
        process,
        state=living.state,
        flags=living.flags,
        virtual_size=living.virtual_size,
        rss=living.rss,
        thread=living.pid,
    )
