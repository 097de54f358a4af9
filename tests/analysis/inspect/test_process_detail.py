"""The study of one process over time: there, gone, and jumped back to in a recording."""

import os
from dataclasses import replace
from typing import Any

from oomtop.analysis.assessment import assess
from oomtop.analysis.inspect.process_detail import study
from oomtop.analysis.model.assessment import Assessment, CgroupFigures, ProcessRow, Victims
from oomtop.history import History
from oomtop.host.cgroup import Cgroup
from oomtop.host.process import ProcessId
from oomtop.snapshot import Tick
from oomtop.sources.sampler import Sampler
from oomtop.units import GIB, MIB
from tests.present import present
from tests.tui.factories import make_assessment, make_process, make_row

ME = ProcessId(42, 7)


def at(moment: float, *rows: ProcessRow, **changes: Any) -> Assessment:
    return make_assessment(rows, monotonic=moment, **changes)


def me(rss: int = MIB, **changes: Any) -> ProcessRow:
    return make_row(make_process(42, start_time=7, rss=rss, **changes))


def test_a_process_that_was_never_seen_has_no_study() -> None:
    assert study(at(1000.0, make_row()), ME, None) is None


def test_the_curve_grows_with_the_ticks_and_a_repeated_tick_adds_nothing() -> None:
    first = study(at(1000.0, me(MIB)), ME, None)
    second = present(study(at(1002.0, me(3 * MIB)), ME, first))
    assert second.curve == ((1000.0, MIB), (1002.0, 3 * MIB))
    assert present(study(at(1002.0, me(3 * MIB)), ME, second)).curve == second.curve


def test_what_was_remembered_before_the_study_began_stands_before_it() -> None:
    first = study(at(1000.0, me(MIB)), ME, None)
    remembered = ((990.0, 1), (995.0, 2), (1000.0, MIB), (1002.0, 9))
    second = present(study(at(1002.0, me(9), curves=((ME, remembered),)), ME, first))
    assert second.curve == ((990.0, 1), (995.0, 2), (1000.0, MIB), (1002.0, 9))
    third = present(study(at(1004.0, me(9), curves=((ME, remembered),)), ME, second))
    assert third.curve == (*second.curve, (1004.0, 9))


def test_an_assessment_carries_the_curve_of_who_is_looked_at() -> None:
    history, plain = History(), Sampler()
    me = None
    for _ in range(2):
        snapshot = plain.sample()
        me = next(process for process in snapshot.processes if process.pid == os.getpid())
        tick = Tick(snapshot, watched=frozenset({me.id}))
        history.add(tick)
    plain.close()
    assert [identity for identity, _ in assess(tick, history).curves] == [present(me).id]


def test_gone_keeps_the_last_figures_and_the_age_stands_still() -> None:
    first = present(study(at(1000.0, me()), ME, None))
    gone = present(study(at(1002.0), ME, first))
    later = present(study(at(1900.0), ME, gone))
    assert gone.row == first.row
    assert later.exited_at == 1002.0
    assert later.age == gone.age


def test_another_process_with_the_same_number_is_not_it() -> None:
    first = study(at(1000.0, me()), ME, None)
    other = make_row(make_process(42, start_time=8))
    assert present(study(at(1002.0, other), ME, first)).exited_at == 1002.0


def test_a_jump_back_forgets_what_came_later() -> None:
    first = study(at(1000.0, me(MIB)), ME, None)
    second = study(at(1002.0, me(2 * MIB)), ME, first)
    gone = study(at(1004.0), ME, second)
    back = present(study(at(1001.0, me(5)), ME, gone))
    assert back.exited_at is None
    assert back.curve == ((1000.0, MIB), (1001.0, 5))


def test_the_chain_of_groups_and_the_place_in_the_nearest_limited_one() -> None:
    groups = (
        Cgroup("/", 9 * GIB), Cgroup("/a", GIB, max=2 * GIB, swap_max=0),
        Cgroup("/a/b", 512 * MIB, high=GIB, inactive_file=12 * MIB),
    )  # fmt: skip
    figures = tuple(CgroupFigures(group, group.path, None, None, None, Victims()) for group in groups)
    mine = replace(me(GIB // 2, cgroup="/a/b"), headroom=GIB, headroom_path="/a")
    beside = make_row(make_process(50, rss=GIB, cgroup="/a/c"))
    outside = make_row(make_process(51, rss=8 * GIB, cgroup="/ab"))
    found = present(study(at(1000.0, mine, beside, outside, cgroups=figures), ME, None))
    assert [(step.path, step.left_to_max, step.left_to_high) for step in found.limits] == [
        ("/a/b", None, 512 * MIB),
        ("/a", GIB, None),
        ("/", None, None),
    ]
    assert (present(found.group).domain, present(found.group).candidates, present(present(found.group).place).rank) == (
        "/a",
        2,
        2,
    )
    assert present(found.group).total_pages == 2 * GIB // 4096
    assert found.machine.candidates == 3
