"""What a strip is drawn with in tests: the rights of root, whoever runs them, and a cursor on the victim."""

from __future__ import annotations

from collections.abc import Sequence

from oomtop.analysis.model.assessment import Assessment, ProcessRow
from oomtop.analysis.model.danger import DangerKind
from oomtop.tui.base.aim import Aim, KeyPlace
from oomtop.tui.base.rights import Rights
from oomtop.tui.base.session import State
from oomtop.tui.process_table.order import nearest


class Everything(Rights):
    """All rights, over the processes and cgroups of made-up machines."""

    def __init__(self, protected: Sequence[str] = (), *, is_root: bool = True) -> None:
        super().__init__(protected)
        self._is_root = is_root

    @property
    def is_root(self) -> bool:
        return self._is_root

    def may_signal(self, row: ProcessRow) -> bool:
        return True

    def may_limit(self, group: str) -> bool:
        return True

    def may_freeze_group(self, group: str) -> bool:
        return True

    may_add_swap = may_spare = True


def everything(**changes: object) -> State:
    """Return the state of an app that may do everything."""
    return State(**{"rights": "root", "may": Everything(), **changes})  # type: ignore[arg-type]


def at_victim(assessment: Assessment) -> Aim:
    """Return the aim of a cursor on the victim of the nearest danger."""
    danger = nearest(assessment)
    if danger is None or danger.victim is None:
        return Aim(KeyPlace.PROCESSES)
    group = danger.subject if danger.kind is DangerKind.CGROUP else None
    return Aim(KeyPlace.PROCESSES, frozenset([danger.victim.id]), group)
