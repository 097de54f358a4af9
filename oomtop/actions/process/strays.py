"""Finds new members of a process tree: later children, and orphans in its sessions.

Fields 4 (ppid) and 6 (session) of `/proc/PID/stat` (Documentation/filesystems/proc.rst).
"""

from __future__ import annotations

import os
from collections.abc import Container, Iterable, Mapping, Sequence

from oomtop.errors import ParseError
from oomtop.host.process import Process, ProcessId
from oomtop.host.process_scan import parse_stat
from oomtop.host.root import Root, read_optional


def find_strays(known: Iterable[ProcessId], seen: Container[ProcessId], root: Root) -> tuple[Process, ...]:
    """Return the living descendants of `known`, parents first.

    An orphan is found by its session, if one of `known` leads it and the orphan is not in `seen`,
    the processes that existed when the plan was made and were left out.
    """
    started = {identity.pid: identity.start_time for identity in known}
    found: list[Process] = []
    # By age: a parent is older than its child, so one pass finds all descendants.
    for process in sorted(_living(root), key=lambda process: process.id.start_time):
        if process.pid not in started and _belongs(process, started, process.id in seen):
            started[process.pid] = process.id.start_time
            found.append(process)
    return tuple(found)


def count_runaways(tree: Sequence[Process], known: Container[ProcessId], root: Root) -> int:
    """Return how many orphans have the name and the cgroup of a member of the tree and are younger than it.

    One that calls setsid(2) and whose parent ends is tied to its tree by nothing else; it may also be another's.
    """
    homes: dict[tuple[str, str | None], int] = {}
    for member in sorted(tree, key=lambda process: -process.id.start_time):
        homes[member.comm, member.cgroup] = member.id.start_time
    names = {name for name, _ in homes}
    count = 0
    for process in _living(root):
        if process.ppid == 1 and process.id not in known and process.comm in names:
            raw = read_optional(root.at(f"/proc/{process.pid}/cgroup")) or ""
            ages = [born for (name, group), born in homes.items() if name == process.comm and _is_in(group, raw)]
            count += any(born <= process.id.start_time for born in ages)
    return count


def _is_in(group: str | None, raw: str) -> bool:
    return any(line.split(":", 2)[2:] == [group] for line in raw.splitlines())


def _belongs(process: Process, started: Mapping[int, int], is_seen: bool) -> bool:
    above = (started.get(process.ppid), None if is_seen else started.get(process.session))
    return any(start is not None and start <= process.id.start_time for start in above)


def _living(root: Root) -> Iterable[Process]:
    folder = root.at("/proc")
    for name in os.listdir(folder):
        if name.isdigit():
            try:
                process = parse_stat((read_optional(f"{folder}/{name}/stat") or "").encode(), 1, 1)
            except ParseError:
                # Empty: it ended between the listing and the reading.
                continue
            if process.state not in "ZX" or process.threads > 1:
                yield process
