"""`Rights`: which actions the guard and the kernel permit, so that no key is offered whose action would be refused."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from oomtop.analysis.model.assessment import ProcessRow
from oomtop.host.lineage import own_lineage
from oomtop.host.namespaces import is_in_namespace
from oomtop.host.permissions import own_permissions
from oomtop.host.privileges import Capability
from oomtop.host.process import ProcessId


class Rights:
    """What the keys of actions may do here."""

    def __init__(self, protected: Sequence[str] = ()) -> None:
        """`protected`: the patterns of the user's list."""
        self._protected = tuple(protected)

    @property
    def is_root(self) -> bool:
        """Whether oomtop runs as root, with all rights or with fewer."""
        return own_permissions().is_root

    def is_own(self, process: ProcessId) -> bool:
        """Whether it is oomtop or one of its ancestors."""
        return process in _lineage()

    def guarded(self, row: ProcessRow) -> str:
        """Return why no action touches a process, empty if one may: the words of the guard, shorter."""
        process = row.process
        # Before the ancestors, of which it is the last.
        if process.pid == 1 and not is_in_namespace("pid"):
            return "init"
        if self.is_own(process.id):
            return "oomtop itself" if process.id == _lineage()[0] else "an ancestor of oomtop"
        return "protected by your list" if self._protected and self._is_listed(row) else ""

    def _is_listed(self, row: ProcessRow) -> bool:
        from oomtop.analysis.process_patterns import is_protected, names_of

        names = names_of(row.process, row.user)
        return any(is_protected(pattern, names) for pattern in self._protected)

    def may_signal(self, row: ProcessRow) -> bool:
        """Whether the kernel permits to kill or stop a process."""
        return own_permissions().may_signal(row.process)

    def may_limit(self, group: str) -> bool:
        """Whether the limit of a cgroup may be changed."""
        return own_permissions().may_limit(group)

    def may_freeze_group(self, group: str) -> bool:
        """Whether a cgroup may be frozen as a whole."""
        return own_permissions().may_freeze_group(group)

    @property
    def may_add_swap(self) -> bool:
        """Whether swap may be turned on."""
        return own_permissions().has(Capability.SYS_ADMIN)

    @property
    def may_spare(self) -> bool:
        """Whether a lower `oom_score_adj` is permitted."""
        return own_permissions().has(Capability.SYS_RESOURCE)


@cache
def _lineage() -> tuple[ProcessId, ...]:
    return own_lineage()
