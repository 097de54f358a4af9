"""`find_dangers`: the ordered list of what can run out, from the figures of a tick and the curves of use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from oomtop.analysis.cgroups.assess import chain, swap_left
from oomtop.analysis.dangers.kills import kills_by_subject
from oomtop.analysis.dangers.order import ordered
from oomtop.analysis.dangers.remedies import remedies
from oomtop.analysis.model.assessment import CgroupFigures, Exhaustion, MemoryAccount, ProcessRow, Victims
from oomtop.analysis.model.danger import Danger, DangerKind, Dying, PastKill, State, UseCurve
from oomtop.frozen import frozen, replace
from oomtop.history import COMMIT, RAM, History
from oomtop.host.process import Process, ProcessId
from oomtop.snapshot import Snapshot
from oomtop.use_history import UseHistory

WATCHED_ENOUGH = 10.0
_SHOWN = 3
_CURVES = 12
_EMPTY_BYTES = 1 << 20
_FULL = 0.95


@frozen
class Findable:
    """What dangers are made of."""

    snapshot: Snapshot
    history: History
    memory: MemoryAccount
    groups: Sequence[CgroupFigures]
    rows: Sequence[ProcessRow]
    growers: Sequence[ProcessRow]
    victims: Victims
    machine: Exhaustion | None


def find_dangers(facts: Findable) -> tuple[Danger, ...]:
    """Return all dangers, the nearest first; the first twelve have their curves."""
    found = [_machine(facts), _commit(facts)]
    found += [_group(group, facts) for group in facts.groups if group.cgroup.max]
    listed = ordered(danger for danger in found if danger is not None)
    return tuple(_complete(danger, facts, place) for place, danger in enumerate(_with_ends(listed, facts)))


def _machine(facts: Findable) -> Danger | None:
    info = facts.snapshot.meminfo
    name = "RAM and swap" if info.swap_total else "RAM"
    base = _base(RAM, name, DangerKind.MACHINE, facts.memory.total, facts)
    return base and _foretold(replace(base, swap_left=info.swap_free or 0), facts.machine)


def _commit(facts: Findable) -> Danger | None:
    base = _base(COMMIT, "commit limit", DangerKind.COMMIT, facts.memory.commit_limit, facts)
    return base and _foretold(base, None)


def _group(group: CgroupFigures, facts: Findable) -> Danger | None:
    own = group.cgroup
    base = _base(own.path, group.name, DangerKind.CGROUP, own.max, facts)
    if base is None:
        return None
    left = swap_left(own, facts.snapshot)
    return _foretold(replace(base, brake=own.high, swap_left=left, dies_together=own.oom_group), group.exhaustion)


def _base(subject: str, name: str, kind: DangerKind, limit: int | None, facts: Findable) -> Danger | None:
    """Return what is known of a limit without a forecast, None where its use is not known."""
    uses = facts.history.uses.get(subject)
    if uses is None or not limit:
        return None
    held, used, swapped = (int(column[-1]) for column in (uses.dense.held, uses.dense.used, uses.dense.swapped))
    return Danger(
        subject=subject, name=name, kind=kind, limit=limit, brake=None, used=used, held=held, cache=used - held,
        swapped=swapped, swap_left=0, state=State.WATCHING, watched=_watched(uses, facts),
    )  # fmt: skip


def _watched(uses: UseHistory, facts: Findable) -> float:
    return facts.snapshot.monotonic - (uses.first or 0.0)


def _foretold(base: Danger, outlook: Exhaustion | None) -> Danger:
    if base.held < min(_EMPTY_BYTES, base.limit // 100):
        return replace(base, state=State.EMPTY)
    if outlook is None or outlook.rate is None:
        return replace(base, state=State.WATCHING if base.watched < WATCHED_ENOUGH else State.STEADY)
    if outlook.seconds is not None:
        return replace(
            base, state=State.FILLING, rate=outlook.rate, earliest=outlook.earliest, median=outlook.seconds,
            latest=outlook.latest, confidence=outlook.confidence, basis="linear",
        )  # fmt: skip
    return replace(base, state=_calm_state(base, outlook.rate), rate=outlook.rate)


def _calm_state(base: Danger, rate: float) -> State:
    if base.used >= base.limit * _FULL and base.kind is DangerKind.CGROUP:
        return State.AT_LIMIT
    if base.watched < WATCHED_ENOUGH:
        return State.WATCHING
    return State.FALLING if rate < 0 else State.STEADY


def _with_ends(dangers: Sequence[Danger], facts: Findable) -> Iterable[Danger]:
    """Add who dies where, and who already died."""
    victims = {group.cgroup.path: group.victims for group in facts.groups if group.cgroup.max}
    victims[RAM] = facts.victims
    processes = _processes(facts.snapshot, victims.values())
    kills = kills_by_subject(facts.history)
    for danger in dangers:
        own = victims.get(danger.subject, Victims())
        dying = [_dying(processes[one.id], danger) for one in own.candidates[:_SHOWN] if one.id in processes]
        past: tuple[PastKill, ...] = kills.get(danger.subject, ())
        yield replace(danger, dying=tuple(dying), near_tie=own.near_tie, kills=past)


def _processes(snapshot: Snapshot, victims: Iterable[Victims]) -> Mapping[ProcessId, Process]:
    wanted = {one.id for domain in victims for one in domain.candidates[:_SHOWN]}
    return {process.id: process for process in snapshot.processes if process.id in wanted}


def _dying(process: Process, danger: Danger) -> Dying:
    """Swap is no part of the memory limit of a group, but of what the machine has left."""
    anon = process.rss_anon if process.rss_anon is not None else process.rss
    swap = (process.swap or 0) if danger.kind is DangerKind.MACHINE else 0
    frees = min(danger.held + swap, anon + (process.page_tables or 0) + swap)
    return Dying(process.id, process.comm, process.euid, process.rss_and_swap, frees)


def _complete(danger: Danger, facts: Findable, place: int) -> Danger:
    grower = next((row for row in facts.growers if _is_in(row, danger)), None)
    found = remedies(danger, grower.process.id if grower is not None else None)
    curve = _curve(facts, danger.subject) if place < _CURVES else UseCurve()
    return replace(danger, remedies=found, curve=curve)


def _is_in(row: ProcessRow, danger: Danger) -> bool:
    return danger.kind is not DangerKind.CGROUP or danger.subject in chain(row.process.cgroup or "/")


def _curve(facts: Findable, subject: str) -> UseCurve:
    dense, offset = facts.history.uses[subject].dense, facts.snapshot.time - facts.snapshot.monotonic
    return UseCurve([time + offset for time in dense.times], dense.held[:], dense.used[:], dense.swapped[:])
