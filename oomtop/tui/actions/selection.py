"""The target of an action key: the processes and the cgroup that the cursor is on, in the facts of the last tick."""

from __future__ import annotations

from oomtop.actions.process.kill import tree_of
from oomtop.analysis.settings.verdicts import SettingRow
from oomtop.frozen import frozen
from oomtop.host.cgroup import Cgroup, is_inside
from oomtop.host.process import Process, ProcessId
from oomtop.snapshot import Snapshot


@frozen
class Selection:
    """The target of an action key, from the visible tab and the last tick."""

    facts: Snapshot
    targets: tuple[ProcessId, ...] = ()
    title: str = ""
    cgroup: str | None = None
    """The group under the cursor, else the one of the selected process."""
    settings: tuple[SettingRow, ...] = ()
    setting: str | None = None
    """The kernel setting under the cursor."""
    own: frozenset[ProcessId] = frozenset()
    """oomtop and its ancestors, which are in no sum: no action touches them."""

    @property
    def processes(self) -> tuple[Process, ...]:
        """The targets that still exist."""
        wanted = set(self.targets)
        return tuple(process for process in self.facts.processes if process.id in wanted)

    @property
    def family(self) -> tuple[Process, ...]:
        """The targets and all their descendants."""
        wanted = set(tree_of(self.targets, self.facts.processes)) - self.own
        return tuple(process for process in self.facts.processes if process.id in wanted)

    @property
    def members(self) -> tuple[Process, ...]:
        """The processes of the group and of those below it."""
        return tuple(process for process in self._inside if process.id not in self.own)

    @property
    def holds_oomtop(self) -> bool:
        """Whether oomtop or an ancestor of it is in the group: no action touches it as a whole."""
        return any(process.id in self.own for process in self._inside)

    @property
    def _inside(self) -> tuple[Process, ...]:
        group = self.group
        return () if group is None else tuple(p for p in self.facts.processes if is_inside(p.cgroup, group.path))

    @property
    def biggest(self) -> Process | None:
        """The largest process of the group and of those below it, None if it is empty."""
        return max(self.members, key=lambda process: process.rss_and_swap, default=None)

    @property
    def group(self) -> Cgroup | None:
        """The group's facts; None for the root group, which cannot be a target."""
        if self.cgroup in (None, "/"):
            return None
        return next((group for group in self.facts.cgroups if group.path == self.cgroup), None)


def select(
    facts: Snapshot,
    targets: tuple[ProcessId, ...],
    title: str,
    cgroup: str | None,
    settings: tuple[SettingRow, ...] = (),
    setting: str | None = None,
    own: frozenset[ProcessId] = frozenset(),
) -> Selection:
    """Return the selection; without a group under the cursor, the group of all targets."""
    if cgroup is None and targets:
        wanted = set(targets)
        groups = {process.cgroup for process in facts.processes if process.id in wanted}
        cgroup = groups.pop() if len(groups) == 1 else None
    return Selection(facts, targets, title, cgroup, settings, setting, own)
