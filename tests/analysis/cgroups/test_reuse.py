"""Figures of groups that nothing changed are those of the tick before, and are what a first look would give."""

import random
from dataclasses import replace
from typing import Any

import pytest

from oomtop.analysis.assessment import assess
from oomtop.analysis.cgroups.assess import limit_pages, swap_left, usable_swap
from oomtop.analysis.model.assessment import Assessment
from oomtop.history import History
from oomtop.host.cgroup import Cgroup
from oomtop.host.kernel_facts import KernelFacts
from oomtop.snapshot import Tick
from oomtop.units import MIB
from tests.synthetic import SyntheticMachine


@pytest.mark.parametrize("seed", range(12))
def test_what_is_reused_is_what_a_first_look_gives(seed: int) -> None:
    chance, machine, history = random.Random(seed), SyntheticMachine(80, 12, seed=seed), History()
    found: Assessment | None = None
    reused = 0
    for _ in range(30):
        if chance.random() < 0.2:
            at = chance.randrange(len(machine.cgroups))
            machine.cgroups[at] = replace(
                machine.cgroups[at], max=chance.choice([None, 900 * MIB]), oom_group=chance.random() < 0.3
            )
        if chance.random() < 0.3:
            at = chance.randrange(len(machine.processes))
            changes: list[dict[str, Any]] = [{"oom_score_adj": 500}, {"cgroup": "/system.slice"}, {"rss": 700 * MIB}]
            machine.processes[at] = replace(machine.processes[at], **chance.choice(changes))
        before, tick = found, Tick(machine.snapshot(2.0))
        history.add(tick)
        found, afresh = assess(tick, history, before), assess(tick, history)
        known = {id(figures.victims) for figures in before.cgroups} if before else ()
        reused += sum(id(figures.victims) in known for figures in found.cgroups)
        for one, other in zip(found.cgroups, afresh.cgroups, strict=True):
            assert replace(one, danger=None) == replace(other, danger=None)
        # Who grows is only known from the tick before.
        assert [replace(one, remedies=()) for one in found.dangers] == [
            replace(one, remedies=()) for one in afresh.dangers
        ]
    assert reused > 50


def swap_of(**limits: Any) -> int:
    """Return the swap left to /a/b of 100 MiB where 50 MiB are free."""
    snapshot = SyntheticMachine(1, 2).snapshot()
    snapshot = replace(snapshot, meminfo=replace(snapshot.meminfo, swap_free=50 * MIB))
    own = Cgroup("/a/b", 0, max=100 * MIB)
    return swap_left(own, {"/a/b": own, "/a": Cgroup("/a", 0, **limits)}, snapshot)


def test_swap_that_a_group_above_may_not_use_is_none_to_the_groups_in_it() -> None:
    assert swap_of() == 50 * MIB
    assert swap_of(swap_max=0) == 0
    assert swap_of(swap_max=30 * MIB, swap_current=20 * MIB) == 10 * MIB
    assert swap_of(max=100 * MIB, memsw_max=110 * MIB, swap_current=0) == 10 * MIB


def test_the_pages_that_adj_is_a_share_of_are_the_limit_and_the_swap_of_the_group_itself() -> None:
    own = Cgroup("/a", 0, max=100 * MIB)
    assert limit_pages(own, 50 * MIB, 4096) == 150 * 256
    assert limit_pages(replace(own, swap_max=0), 50 * MIB, 4096) == 100 * 256
    assert limit_pages(replace(own, memsw_max=120 * MIB), 50 * MIB, 4096) == 120 * 256
    assert limit_pages(own, usable_swap(50 * MIB, KernelFacts((("swappiness", "0"),), ())), 4096) == 100 * 256
    assert usable_swap(50 * MIB, KernelFacts((("swappiness", "60"),), ())) == 50 * MIB
    assert usable_swap(None, None) == 0
