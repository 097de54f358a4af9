"""`find_dangers`: the ordered list of dangers, from the figures of a tick and the use curves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set

from oomtop.analysis.cgroups.assess import chain, swap_left
from oomtop.analysis.dangers.deaths import dying_at
from oomtop.analysis.dangers.forecast import Curve, Outlook, foretell
from oomtop.analysis.dangers.kills import kills_by_subject, with_counted
from oomtop.analysis.dangers.order import ordered
from oomtop.analysis.dangers.remedies import remedies
from oomtop.analysis.dangers.rounds import crash_loop
from oomtop.analysis.dangers.turns import carried, due, fastest
from oomtop.analysis.model.assessment import CgroupFigures, MemoryAccount, ProcessRow, Victims
from oomtop.analysis.model.danger import Danger, DangerKind, DangerState, PastKill, UseCurve
from oomtop.analysis.sentences import WATCHED_ENOUGH
from oomtop.analysis.trends.rates import rate
from oomtop.frozen import frozen, replace
from oomtop.history import COMMIT, RAM, History
from oomtop.host.cgroup import Cgroup
from oomtop.host.node_domains import node_domains, size_of
from oomtop.snapshot import Ahead, Snapshot
from oomtop.use_history import Use, UseHistory

_CURVES = 12
_EMPTY_BYTES = 1 << 20
_FULL, _ALL_USED = 0.9, 0.98
_NO_VICTIMS = Victims()
_ALMOST_ALL = 0.8
"""Share of the machine's growth; the rest is background noise."""


@frozen
class Findable:
    """The input of `find_dangers`."""

    snapshot: Snapshot
    history: History
    memory: MemoryAccount
    groups: Sequence[CgroupFigures]
    rows: Sequence[ProcessRow]
    growers: Sequence[ProcessRow]
    victims: Victims
    node_victims: Mapping[str, Victims]
    """The kill order of each set of NUMA nodes that processes are confined to, by its subject."""
    before: Mapping[str, Danger]
    """The dangers of the tick before, by their subject."""
    ahead: Ahead = Ahead()


@frozen
class _Limit:
    """A limit without its use; bytes."""

    subject: str
    name: str
    kind: DangerKind
    size: int
    swap_left: int = 0
    brake: int | None = None
    reclaims: float | None = None


def find_dangers(facts: Findable) -> tuple[Danger, ...]:
    """Return all dangers, the nearest first; the first twelve with curves."""
    finder = _Finder(facts)
    groups = finder.groups()
    others = (finder.machine(groups), finder.commit(), *finder.nodes())
    own = [danger for danger in others if danger is not None]
    every = ordered((*own, *groups), facts.snapshot.time)
    return tuple(finder.completed(danger, place) for place, danger in enumerate(every))


class _Finder:
    """Builds the dangers of one tick."""

    def __init__(self, facts: Findable) -> None:
        self._facts = facts
        self._snapshot, self._history = facts.snapshot, facts.history
        self._offset = facts.snapshot.time - facts.snapshot.monotonic
        self._kills = with_counted(kills_by_subject(facts.history.events), facts.history.counted_kills)
        self._uses = facts.history.uses
        self._groups = {group.path: group for group in facts.snapshot.cgroups}
        self._late: Set[str] = frozenset()
        self._later = kills_by_subject(facts.ahead.events)
        before = facts.history.previous
        self._since = 0.0 if before is None else before.monotonic
        self._before = {} if before is None else {group.path: group for group in before.cgroups if group.max}
        self._seconds = 0.0 if before is None else facts.snapshot.monotonic - before.monotonic

    def machine(self, groups: Sequence[Danger]) -> Danger | None:
        """Return the danger of RAM and swap; without a forecast if the growth hits cgroup limits first."""
        info = self._snapshot.meminfo
        name = "RAM+swap" if info.swap_total else "RAM"
        limit = _Limit(RAM, name, DangerKind.MACHINE, self._facts.memory.total, info.swap_free or 0)
        found = self._danger(limit, self._facts.victims)
        if found is not None and found.median is not None and _ends_at_limits(groups, found):
            return _without_forecast(found)
        return found

    def nodes(self) -> Iterable[Danger | None]:
        """Yield the danger of each set of nodes that processes are confined to."""
        now = self._snapshot
        for domain in node_domains(now.nodes, now.processes, dict(now.bound)):
            size, swap = size_of(domain, now.nodes), now.meminfo.swap_free or 0
            limit = _Limit(domain.subject, domain.subject, DangerKind.NODE, size, swap)
            yield self._danger(limit, self._facts.node_victims.get(domain.subject, _NO_VICTIMS))

    def commit(self) -> Danger | None:
        """Return the danger of the commit limit, in overcommit mode 2 only."""
        return self._danger(_Limit(COMMIT, "commit limit", DangerKind.COMMIT, self._facts.memory.commit_limit or 0))

    def groups(self) -> list[Danger]:
        """Return the dangers of all cgroups with their own limit."""
        known = {group.cgroup.path: group.danger for group in self._facts.groups if self._stays(group)}
        limits = [
            (group, limit)
            for group in self._facts.groups
            if group.cgroup.max
            and group.cgroup.path not in known
            and (limit := self._limit(group)).subject in self._uses
        ]
        moving = {limit.subject: self._least(limit) for _, limit in limits if len(self._uses[limit.subject].dense) > 2}
        self._late = moving.keys() - due(moving, self._history.ticks)
        found = (self._danger(limit, group.victims, group.cgroup.pids_current == 0) for group, limit in limits)
        return [danger for danger in (*known.values(), *found) if danger is not None]

    def _stays(self, group: CgroupFigures) -> bool:
        """Whether the danger of the tick before still holds: nothing moved, and it is no matter of time."""
        danger, own = group.danger, group.cgroup
        if danger is None or danger.kills or own.path in self._kills or own.path not in self._uses:
            return False
        is_calm = danger.state is DangerState.EMPTY or (danger.state is DangerState.STEADY and not danger.rate)
        is_still = self._uses[own.path].dense.is_still(self._since)
        return is_calm and is_still and danger.reclaims == self._reclaims(own) and danger.swap_left == self._swap(own)

    def _limit(self, group: CgroupFigures) -> _Limit:
        own = group.cgroup
        reclaims = self._reclaims(own)
        return _Limit(own.path, group.name, DangerKind.CGROUP, own.max or 0, self._swap(own), own.high, reclaims)

    def _swap(self, group: Cgroup) -> int:
        return swap_left(group, self._groups, self._snapshot)

    def _least(self, limit: _Limit) -> float:
        """Return the seconds until a limit is full at the fastest of the newest rates."""
        dense = self._uses[limit.subject].dense
        rate = fastest(dense)
        return max(0.0, limit.size - dense.held[-1] + limit.swap_left) / rate if rate > 0 else float("inf")

    def completed(self, danger: Danger, place: int) -> Danger:
        """Return a danger with its remedies and curve."""
        grower = next((row for row in self._facts.growers if _is_in(row, danger)), None)
        freezes = [remedy.target for remedy in danger.remedies if remedy.action == "freeze"]
        is_same = bool(danger.remedies) and freezes == ([] if grower is None else [grower.process.id])
        if is_same and place >= _CURVES and not danger.curve.times and not self._facts.ahead.uses:
            return danger
        done = remedies(danger, None if grower is None else grower.process.id)
        found = replace(danger, remedies=done, curve=self._curve(danger.subject, place))
        return self._with_truth(found) if self._facts.ahead.uses else found

    def _with_truth(self, danger: Danger) -> Danger:
        """Return a danger with what happened next."""
        uses = [use for use in self._facts.ahead.uses if use.subject == danger.subject]
        columns = ([float(each) for each in column] for column in zip(*map(_figures, uses), strict=True))
        times, held, used, swapped = columns if uses else ([], [], [], [])
        curve = UseCurve([time + self._offset for time in times], held, used, swapped)
        return replace(danger, truth=curve, later_kills=tuple(self._later.get(danger.subject, ())))

    def _danger(self, limit: _Limit, victims: Victims = _NO_VICTIMS, nobody: bool = False) -> Danger | None:
        """Return a danger, None if its use is unknown; an empty group does not grow."""
        uses = self._uses.get(limit.subject)
        if uses is None or not limit.size:
            return None
        held, used, swapped = (int(column[-1]) for column in (uses.dense.held, uses.dense.used, uses.dense.swapped))
        kills = self._kills.get(limit.subject, ())
        room = max(0, limit.size - held) + limit.swap_left
        is_empty = nobody or held < min(_EMPTY_BYTES, limit.size // 100)
        outlook = Outlook(DangerState.EMPTY) if is_empty else self._outlook(limit, uses, room, kills)
        forecast = outlook.forecast
        first_seen = (uses.first or 0.0) + self._offset
        of_swap = swapped if limit.kind in (DangerKind.MACHINE, DangerKind.NODE) else 0
        return Danger(
            subject=limit.subject, name=limit.name, kind=limit.kind, limit=limit.size, brake=limit.brake, used=used,
            held=held, cache=used - held, swapped=swapped, swap_left=limit.swap_left, first_seen=first_seen,
            state=_state(limit, held, used, self._snapshot.time - first_seen, outlook), reclaims=limit.reclaims,
            kills=kills, rate=outlook.rate,
            growing=None if forecast is None else outlook.seconds,
            earliest=None if forecast is None else forecast.earliest,
            median=None if forecast is None else forecast.median,
            latest=None if forecast is None else forecast.latest,
            confidence=None if forecast is None else forecast.confidence,
            basis=None if forecast is None else forecast.basis,
            dying=dying_at(limit.kind, held + of_swap, victims), near_tie=victims.near_tie,
            dies_with=tuple(one for one in victims.dying if victims.first and one != victims.first.id),
            rounds=crash_loop([kill.time for kill in kills], self._snapshot.time),
        )  # fmt: skip

    def _outlook(self, limit: _Limit, uses: UseHistory, room: int, kills: Sequence[PastKill]) -> Outlook:
        known = self._facts.before.get(limit.subject)
        if known is not None and limit.subject in self._late:
            return carried(known, room, fastest(uses.dense), self._seconds)
        past = [kill.time - self._offset for kill in kills]
        now = self._snapshot.monotonic
        return foretell(Curve(uses.dense.points(), uses.thin.points(), now, limit.size, room, past))

    def _reclaims(self, group: Cgroup) -> float | None:
        before = self._before.get(group.path)
        return None if before is None else rate(before.events.max, group.events.max, self._seconds)

    def _curve(self, subject: str, place: int) -> UseCurve:
        if place >= _CURVES:
            return UseCurve()
        dense = self._history.uses[subject].dense
        return UseCurve([time + self._offset for time in dense.times], dense.held[:], dense.used[:], dense.swapped[:])


def _figures(use: Use) -> tuple[float, int, int, int]:
    return use.monotonic, use.held, use.used, use.swapped


def _state(limit: _Limit, held: int, used: int, watched: float, outlook: Outlook) -> DangerState:
    if outlook.forecast is not None or outlook.state in (DangerState.UNSTEADY, DangerState.EMPTY):
        return outlook.state
    if limit.kind is DangerKind.CGROUP and held >= limit.size * _FULL and used >= limit.size * _ALL_USED:
        return DangerState.AT_LIMIT
    return DangerState.WATCHING if watched < WATCHED_ENOUGH else outlook.state


def _without_forecast(danger: Danger) -> Danger:
    return replace(
        danger, state=DangerState.STEADY, growing=None, earliest=None, median=None, latest=None, confidence=None,
        basis=None,
    )  # fmt: skip


def _ends_at_limits(groups: Sequence[Danger], machine: Danger) -> bool:
    """Whether growth hits cgroup limits before the machine is full; then those are reported instead."""
    growing = {group.subject: group for group in groups if (group.rate or 0) > 0}
    outer = [
        group
        for path, group in growing.items()
        if path != "/" and not any(above in growing for above in chain(path) if above not in (path, "/"))
    ]
    grown = sum(group.rate or 0 for group in outer)
    return grown >= _ALMOST_ALL * (machine.rate or 0) and sum(group.room for group in outer) < machine.room


def _is_in(row: ProcessRow, danger: Danger) -> bool:
    if danger.kind is DangerKind.NODE:
        return row.process.id in [one.id for one in danger.dying]
    return danger.kind is not DangerKind.CGROUP or danger.subject in chain(row.process.cgroup or "/")


def by_subject(dangers: Iterable[Danger]) -> Mapping[str, Danger]:
    """Return dangers by their subject."""
    return {danger.subject: danger for danger in dangers}
