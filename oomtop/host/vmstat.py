"""`/proc/vmstat`: event counters since boot (mm/vmstat.c; Documentation/admin-guide/mm/).

Sample line: `pgmajfault 1234`
"""

from __future__ import annotations

from oomtop.frozen import frozen
from oomtop.host.root import Root, parse_counters, read_optional


@frozen
class Vmstat:
    """Counters since boot; a unit of pages is in the name, the rest count events.  None where the kernel lacks one."""

    pgmajfault: int | None = None
    pswpin_pages: int | None = None
    pswpout_pages: int | None = None
    allocstall: int | None = None
    """Direct reclaim stalls: the sum of `allocstall_*` (4.10+) or `allocstall`."""
    workingset_refault_pages: int | None = None
    """The sum of `workingset_refault_anon` and `_file` (5.9+) or `workingset_refault`."""
    oom_kill: int | None = None
    """Processes killed by the kernel's OOM killer, cgroup kills included (4.13+)."""
    balloon_inflate_pages: int | None = None
    balloon_deflate_pages: int | None = None


_PLAIN = {
    "pgmajfault": "pgmajfault",
    "pswpin": "pswpin_pages",
    "pswpout": "pswpout_pages",
    "oom_kill": "oom_kill",
    "balloon_inflate": "balloon_inflate_pages",
    "balloon_deflate": "balloon_deflate_pages",
}
# Counted per zone (`allocstall_normal`, 4.10+) and per kind of page, which is why they are sums.
_SUMS = {
    "allocstall": "allocstall",
    "workingset_refault": "workingset_refault_pages",
}


def parse_vmstat(text: str, path: str = "/proc/vmstat") -> Vmstat:
    """Return the counters; unknown lines are skipped.

    Raises:
        ParseError: a counter that is not a number.
    """
    counters = parse_counters(text, path)
    values: dict[str, int] = {field: counters[name] for name, field in _PLAIN.items() if name in counters}
    for name, field in _SUMS.items():
        parts = [count for key, count in counters.items() if _is_part(key, name)]
        if parts:
            values[field] = sum(parts)
    return Vmstat(**values)


def _is_part(key: str, name: str) -> bool:
    return key == name or key.startswith(name + "_")


def read_vmstat(root: Root) -> Vmstat | None:
    """Return the counters of the machine under `root`, None where there is no such file."""
    path = root.at("/proc/vmstat")
    text = read_optional(path)
    return None if text is None else parse_vmstat(text, path)
