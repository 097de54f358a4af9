"""Who dies at a limit, what that frees there, and who comes after."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from oomtop.analysis.model.assessment import CgroupFigures, Victims
from oomtop.analysis.model.danger import Danger, DangerKind, Dying
from oomtop.frozen import frozen
from oomtop.history import RAM
from oomtop.host.process import Process, ProcessId

_SHOWN = 3


@frozen
class Domain:
    """The kill order of one limit, and the processes that it names."""

    victims: Victims = Victims()
    named: Sequence[Process] = ()
    """Of those that die together, and of the candidates, as far as they are known."""


def victims_by_subject(
    groups: Iterable[CgroupFigures], machine: Victims, processes: Iterable[Process]
) -> Mapping[str, Domain]:
    """Return the kill order of every limit that has one."""
    victims = {group.cgroup.path: group.victims for group in groups if group.victims.candidates}
    if machine.candidates:
        victims[RAM] = machine
    wanted = {identity for one in victims.values() for identity in _named(one)}
    known = {process.id: process for process in processes if process.id in wanted}
    return {
        subject: Domain(one, [known[identity] for identity in _named(one) if identity in known])
        for subject, one in victims.items()
    }


def _named(victims: Victims) -> list[ProcessId]:
    return list(dict.fromkeys([*(one.id for one in victims.candidates[: _SHOWN + 1]), *victims.dying]))


def dying_at(danger: Danger, domain: Domain) -> tuple[Dying, ...]:
    """Return the victim, with all that its death frees, and who comes after those that die with it."""
    if danger.kind is DangerKind.COMMIT or not domain.named:
        return ()
    known = {process.id: process for process in domain.named}
    together = [known[identity] for identity in domain.victims.dying if identity in known]
    order = [one.id for one in domain.victims.candidates if one.id in known]
    after = [known[identity] for identity in order[1:] if identity not in domain.victims.dying]
    first = known.get(order[0]) if order else None
    if first is None:
        return ()
    # Who shares a memory map frees it once.
    maps = {process.memory_owner or process.pid: _frees(process, danger) for process in (first, *together)}
    most = danger.held + (danger.swapped if danger.kind is DangerKind.MACHINE else 0)
    victim = _dying(first, min(most, sum(maps.values())))
    return (victim, *(_dying(process, min(most, _frees(process, danger))) for process in after[: _SHOWN - 1]))


def _dying(process: Process, frees: int) -> Dying:
    return Dying(process.id, process.comm, process.euid, process.rss_and_swap, frees)


def _frees(process: Process, danger: Danger) -> int:
    """Return the bytes that a death gives back; swap is no part of the limit of a group, but of the machine's."""
    anon = process.rss_anon if process.rss_anon is not None else process.rss
    swap = (process.swap or 0) if danger.kind is DangerKind.MACHINE else 0
    return anon + (process.page_tables or 0) + swap
