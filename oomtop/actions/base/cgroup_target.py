"""The cgroup of an action: its folder, its processes, and why it may be refused.

`cgroup.procs` (Documentation/admin-guide/cgroup-v2.rst, Documentation/admin-guide/cgroup-v1/cgroups.rst).
"""

from __future__ import annotations

import os

from oomtop.actions.base.context import ActionContext
from oomtop.errors import ActionRefused, NothingLeft, ParseError
from oomtop.frozen import frozen, replace
from oomtop.host.process import Process
from oomtop.host.process_scan import parse_stat
from oomtop.host.root import Root, read_int, read_optional


@frozen
class CgroupTarget:
    """One cgroup of one hierarchy."""

    path: str
    folder: str
    version: int

    def file(self, name: str) -> str:
        """Return the path of one of its files."""
        return f"{self.folder}/{name}"

    def number(self, name: str) -> int | None:
        """Return the number in one of its files, None if there is none."""
        return read_int(self.file(name))

    @property
    def usage(self) -> int | None:
        """Bytes it holds now."""
        return self.number("memory.current" if self.version == 2 else "memory.usage_in_bytes")


def find_group(context: ActionContext, path: str, mount: str | None = None) -> CgroupTarget:
    """Return the group at `path` of the memory hierarchy, or of the one mounted at `mount`.

    Raises:
        ActionRefused: a mode forbids it, no such cgroup, or the root cgroup, which is the whole machine.
    """
    context.guard.check_mode()
    layout = context.require_layout()
    if path.strip("/") == "":
        raise ActionRefused("the root cgroup is the whole machine")
    if ".." in path.split("/"):
        raise ActionRefused("a cgroup path cannot contain '..'")
    folder = f"{mount or layout.memory_mount}/{path.strip('/')}"
    if not os.path.isdir(folder):
        raise NothingLeft(f"{folder}: no such cgroup (any more)")
    return CgroupTarget(path, folder, layout.version)


def members(group: CgroupTarget, root: Root) -> tuple[Process, ...]:
    """Return the current processes of the group and its descendants."""
    found: list[Process] = []
    for folder, _, _ in os.walk(group.folder):
        for pid in (read_optional(f"{folder}/cgroup.procs") or "").split():
            raw = read_optional(root.at(f"/proc/{pid}/stat"))
            try:
                found.append(parse_stat((raw or "").encode(), os.sysconf("SC_PAGE_SIZE"), os.sysconf("SC_CLK_TCK")))
            except ParseError:
                # Empty: it ended between the two reads.
                continue
    return tuple(found)


def _with_command(process: Process, context: ActionContext) -> Process:
    """Add the command line from the last tick: reading it now could block on the process."""
    known = context.find(process.id)
    return process if known is None or known.comm != process.comm else replace(process, command=known.command)


def require_allowed(group: CgroupTarget, context: ActionContext, override: bool) -> tuple[Process, ...]:
    """Return the members; all of them may be acted on.

    Raises:
        ActionRefused: one of them is guarded.
    """
    found = tuple(_with_command(process, context) for process in members(group, context.root))
    reason = context.guard.group_refusal(found, override)
    if reason is not None:
        raise ActionRefused(reason)
    return found
