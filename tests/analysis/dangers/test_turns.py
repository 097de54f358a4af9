"""How many limits are forecast anew on a tick, which ones, and what the others show."""

from dataclasses import replace

import pytest

from oomtop.analysis.assessment import assess
from oomtop.analysis.dangers import build
from oomtop.analysis.dangers.forecast import Curve, Outlook, foretell
from oomtop.analysis.dangers.turns import carried, due, fastest
from oomtop.analysis.model.assessment import Assessment
from oomtop.analysis.model.danger import DangerState
from oomtop.history import History
from oomtop.host.cgroup import Cgroup
from oomtop.snapshot import Tick
from oomtop.units import MIB
from oomtop.use_history import Columns, Use
from tests.present import present
from tests.synthetic import SyntheticMachine
from tests.tui.factories import calm_danger


def test_the_soonest_are_due_on_every_tick_and_each_of_the_others_in_turn() -> None:
    seconds = {f"/g{at:03}": float(at) for at in range(500)}
    turns = [due(seconds, tick) for tick in range(40)]
    assert all({f"/g{at:03}" for at in range(32)} <= turn for turn in turns)
    assert max(map(len, turns)) <= 48
    assert set().union(*turns) == set(seconds)
    assert due(dict.fromkeys("abc", 1.0), 5) == {"a", "b", "c"}


def test_the_fastest_rate_is_of_the_last_moment_or_of_some_points() -> None:
    uses = Columns(10)
    for at, held in enumerate([0, 10, 20, 30, 90]):
        uses.add(Use("/a", float(at), held, held))
    assert fastest(uses) == 60
    uses.add(Use("/a", 5.0, 80, 80))
    assert fastest(uses) == 20
    uses.add(Use("/a", 6.0, 0, 0))
    assert fastest(uses) == 0


def test_until_its_turn_a_range_is_shorter_as_the_room_is() -> None:
    known = calm_danger("/a", median=100.0, held=0, limit=1000)
    outlook = carried(known, 500, 1.0, 2.0)
    forecast = present(outlook.forecast)
    assert forecast.median == 50
    assert (forecast.earliest, forecast.latest) == pytest.approx((45, 55))
    assert (outlook.rate, outlook.seconds) == (known.rate, 42.0)
    assert carried(calm_danger("/a"), 500, 1.0, 2.0).state is DangerState.STEADY
    assert carried(calm_danger("/a", state=DangerState.UNSTEADY), 500, 1.0, 2.0).state is DangerState.UNSTEADY


def test_of_two_thousand_groups_few_are_forecast_on_a_tick(monkeypatch: pytest.MonkeyPatch) -> None:
    """500 of them move, and one fills: it is first within three ticks."""
    machine, history = SyntheticMachine(50, 4), History()
    found: Assessment | None = None
    asked: list[bool] = []

    def counted(curve: Curve) -> Outlook:
        asked.append(len(curve.dense) > 2)
        return foretell(curve)

    monkeypatch.setattr(build, "foretell", counted)
    groups = [Cgroup(f"/g{at}", 50 * MIB, max=400 * MIB, anon=40 * MIB, pids_current=1) for at in range(2000)]
    for tick in range(12):
        asked.clear()
        for at in range(500):
            size = (40 + (tick * 7 + at) % 5) * MIB
            groups[at] = replace(groups[at], anon=size, current=size + 10 * MIB)
        if tick > 4:
            size = (40 + 20 * (tick - 4)) * MIB
            groups[499] = replace(groups[499], anon=size, current=size)
        seen = replace(machine.snapshot(2.0), cgroups=tuple(groups))
        history.add(Tick(seen))
        found = assess(Tick(seen), history, found)
        assert sum(asked) <= 48 + 2
        if tick >= 7:
            assert (found.dangers[0].subject, found.dangers[0].state) == ("/g499", DangerState.FILLING)
    assert len(present(found).dangers) == 2001


def test_a_limit_of_nothing_is_no_danger() -> None:
    machine, history = SyntheticMachine(20, 2), History()
    found: Assessment | None = None
    for tick in range(6):
        group = Cgroup("/none", 4096 * tick, max=0, anon=4096 * tick, pids_current=1)
        seen = replace(machine.snapshot(2.0), cgroups=(group,))
        history.add(Tick(seen))
        found = assess(Tick(seen), history, found)
        assert "/none" not in [danger.subject for danger in found.dangers]
        assert not [finding for finding in found.findings if "/none" in f"{finding.title} {finding.evidence}"]
