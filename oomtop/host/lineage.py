"""This process and its ancestors: `/proc/PID/stat` field 4 (Documentation/filesystems/proc.rst)."""

from __future__ import annotations

import os

from oomtop.errors import ParseError
from oomtop.host.process import ProcessId
from oomtop.host.process_scan import parse_stat


def own_lineage() -> tuple[ProcessId, ...]:
    """Return oomtop itself and its ancestors up to pid 1, nearest first."""
    chain: list[ProcessId] = []
    pid = os.getpid()
    while pid > 0 and all(pid != known.pid for known in chain):
        try:
            with open(f"/proc/{pid}/stat", "rb", buffering=0) as file:
                process = parse_stat(file.read(), 1, 1)
        except (OSError, ParseError):
            # hidepid hides the parents of other users, and a parent may end meanwhile: the chain stops there.
            break
        chain.append(process.id)
        pid = process.ppid
    return tuple(chain)
