"""The kernel without its OOM report: the reaper's line, which proves a kill, and allocations that failed."""

from __future__ import annotations

from oomtop.oomlog.mentions.mention import FAILURE, shape

_BY = "page-allocation-failure"
SHAPES = (
    shape("kernel-reaper", r"oom_reaper: reaped process (?P<pid>\d{1,10}) \((?P<name>.{0,64}?)\)"),
    shape("kernel-reaper", r"oom_reaper: unable to reap pid:(?P<pid>\d{1,10}) \((?P<name>.{0,64}?)\)"),
    shape(_BY, r"(?:^|\s)(?P<name>[^\s\[\]]{1,16}): page allocation failure[.:]", FAILURE),
    shape(_BY, r"(?:^|\s)(?P<name>[^\s\[\]]{1,16}): vmalloc(?: error: size|: allocation failure)", FAILURE),
    shape(_BY, r"__alloc_pages: \d{1,2}-order allocation failed", FAILURE),
    shape(_BY, r"SLUB: Unable to allocate memory on node", FAILURE, joins=True),
)
DETAIL = r"\bPID: (?P<pid>\d{1,10}) Comm:\s(?P<name>\S.{0,15}?)(?: (?:Not tainted|Tainted)|$)"
"""The line behind an allocation failure that has the pid."""
