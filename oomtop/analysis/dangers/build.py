"""`find_dangers`: the ordered list of what can run out, from the figures of a tick and the curves of use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from oomtop.analysis.cgroups.assess import chain, swap_left
from oomtop.analysis.dangers.deaths import Domain, dying_at, victims_by_subject
from oomtop.analysis.dangers.forecast import Curve, Outlook, foretell
from oomtop.analysis.dangers.kills import kills_by_subject
from oomtop.analysis.dangers.order import ordered
from oomtop.analysis.dangers.remedies import remedies
from oomtop.analysis.dangers.rounds import crash_loop
from oomtop.analysis.model.assessment import CgroupFigures, MemoryAccount, ProcessRow, Victims
from oomtop.analysis.model.danger import Danger, DangerKind, State, UseCurve
from oomtop.analysis.sentences import WATCHED_ENOUGH
from oomtop.analysis.trends.rates import rate
from oomtop.frozen import frozen, replace
from oomtop.history import COMMIT, RAM, History
from oomtop.host.cgroup import Cgroup
from oomtop.snapshot import Snapshot
from oomtop.use_history import UseHistory

_CURVES = 12
_EMPTY_BYTES = 1 << 20
_FULL, _ALL_USED = 0.9, 0.98
_ALMOST_ALL = 0.8
"""Of the machine's growth: the rest is what any machine does."""


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


def find_dangers(facts: Findable) -> tuple[Danger, ...]:
    """Return all dangers, the nearest first; the first twelve have their curves."""
    finder = _Finder(facts)
    groups = [danger for group in facts.groups if (danger := finder.group(group)) is not None]
    own = [danger for danger in (finder.machine(groups), finder.commit()) if danger is not None]
    return tuple(finder.completed(danger, place) for place, danger in enumerate(ordered((*own, *groups))))


class _Finder:
    """Builds the dangers of one tick."""

    def __init__(self, facts: Findable) -> None:
        self._facts = facts
        self._snapshot, self._history = facts.snapshot, facts.history
        self._offset = facts.snapshot.time - facts.snapshot.monotonic
        self._kills = kills_by_subject(facts.history)
        self._domains = victims_by_subject(facts.groups, facts.victims, facts.snapshot.processes)
        before = facts.history.previous
        self._before = {} if before is None else {group.path: group for group in before.cgroups if group.max}
        self._seconds = 0.0 if before is None else facts.snapshot.monotonic - before.monotonic

    def machine(self, groups: Sequence[Danger]) -> Danger | None:
        """Return RAM and swap; no forecast of it where what grows meets the limits of groups before."""
        info = self._snapshot.meminfo
        name = "RAM+swap" if info.swap_total else "RAM"
        base = self._base(RAM, name, DangerKind.MACHINE, self._facts.memory.total)
        if base is None:
            return None
        found = self._foretold(replace(base, swap_left=info.swap_free or 0))
        if found.median is not None and _ends_at_limits(groups, found):
            return _without_forecast(found)
        return found

    def commit(self) -> Danger | None:
        """Return the commit limit, which is one in overcommit mode 2 only."""
        base = self._base(COMMIT, "commit limit", DangerKind.COMMIT, self._facts.memory.commit_limit)
        return None if base is None else self._foretold(base)

    def group(self, group: CgroupFigures) -> Danger | None:
        """Return a cgroup with a limit of its own, None for any other."""
        own = group.cgroup
        base = self._base(own.path, group.name, DangerKind.CGROUP, own.max)
        if base is None:
            return None
        base = replace(
            base, brake=own.high, swap_left=swap_left(own, self._snapshot), reclaims=self._reclaims(own)
        )  # fmt: skip
        return replace(base, state=State.EMPTY) if self._is_empty(base, own) else self._foretold(base)

    def completed(self, danger: Danger, place: int) -> Danger:
        """Return a danger with who dies, what can be done, and its curve."""
        domain = self._domains.get(danger.subject, Domain())
        who = replace(
            danger, dying=dying_at(danger, domain), near_tie=domain.victims.near_tie,
            dies_together=len(domain.victims.dying) > 1, curve=self._curve(danger.subject, place),
        )  # fmt: skip
        grower = next((row for row in self._facts.growers if _is_in(row, danger)), None)
        return replace(who, remedies=remedies(who, None if grower is None else grower.process.id))

    def _base(self, subject: str, name: str, kind: DangerKind, limit: int | None) -> Danger | None:
        """Return what is known of a limit without a forecast, None where its use is not known."""
        uses = self._history.uses.get(subject)
        if uses is None or not limit:
            return None
        columns = uses.dense
        held, used, swapped = (int(column[-1]) for column in (columns.held, columns.used, columns.swapped))
        kills = self._kills.get(subject, ())
        return Danger(
            subject=subject, name=name, kind=kind, limit=limit, brake=None, used=used, held=held, cache=used - held,
            swapped=swapped, swap_left=0, state=State.WATCHING, kills=kills,
            watched=self._snapshot.monotonic - (uses.first or 0.0),
            rounds=crash_loop([kill.time for kill in kills], self._snapshot.time),
        )  # fmt: skip

    def _foretold(self, base: Danger) -> Danger:
        outlook = foretell(self._watched_curve(base, self._history.uses[base.subject]))
        forecast = outlook.forecast
        found = replace(base, rate=outlook.rate, state=_state(base, outlook))
        if forecast is None:
            return found
        return replace(
            found, growing=outlook.seconds, earliest=forecast.earliest, median=forecast.median,
            latest=forecast.latest, confidence=forecast.confidence, basis=forecast.basis,
        )  # fmt: skip

    def _watched_curve(self, base: Danger, uses: UseHistory) -> Curve:
        now = self._snapshot.monotonic
        kills = [kill.time - self._offset for kill in base.kills]
        return Curve(uses.dense.points(), uses.thin.points(), now, base.limit, base.room, kills)

    def _is_empty(self, base: Danger, group: Cgroup) -> bool:
        """Whether nobody is in the group, so that nothing in it can grow."""
        is_small = base.held < min(_EMPTY_BYTES, base.limit // 100)
        return is_small or (group.pids_current == 0 and base.subject not in self._domains)

    def _reclaims(self, group: Cgroup) -> float | None:
        before = self._before.get(group.path)
        return None if before is None else rate(before.events.max, group.events.max, self._seconds)

    def _curve(self, subject: str, place: int) -> UseCurve:
        if place >= _CURVES:
            return UseCurve()
        dense = self._history.uses[subject].dense
        return UseCurve([time + self._offset for time in dense.times], dense.held[:], dense.used[:], dense.swapped[:])


def _state(base: Danger, outlook: Outlook) -> State:
    if outlook.forecast is not None or outlook.state is State.UNSTEADY:
        return outlook.state
    is_full = base.held >= base.limit * _FULL and base.used >= base.limit * _ALL_USED
    if is_full and base.kind is DangerKind.CGROUP:
        return State.AT_LIMIT
    return State.WATCHING if base.watched < WATCHED_ENOUGH else outlook.state


def _without_forecast(danger: Danger) -> Danger:
    return replace(
        danger, state=State.STEADY, growing=None, earliest=None, median=None, latest=None, confidence=None, basis=None
    )  # fmt: skip


def _ends_at_limits(groups: Sequence[Danger], machine: Danger) -> bool:
    """Whether what grows meets limits of cgroups before the machine's end: then these are told, not the machine."""
    growing = {group.subject: group for group in groups if (group.rate or 0) > 0}
    outer = [
        group
        for path, group in growing.items()
        if path != "/" and not any(above in growing for above in chain(path) if above not in (path, "/"))
    ]
    grown = sum(group.rate or 0 for group in outer)
    return grown >= _ALMOST_ALL * (machine.rate or 0) and sum(group.room for group in outer) < machine.room


def _is_in(row: ProcessRow, danger: Danger) -> bool:
    return danger.kind is not DangerKind.CGROUP or danger.subject in chain(row.process.cgroup or "/")


def by_subject(dangers: Iterable[Danger]) -> Mapping[str, Danger]:
    """Return dangers by their subject."""
    return {danger.subject: danger for danger in dangers}
