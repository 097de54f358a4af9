"""Growth over 1, 5 and 30 minutes of processes, programs, users and units; who came and went counts for its group."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from oomtop.analysis.assessment import assess
from oomtop.analysis.model.assessment import Assessment, Growth
from oomtop.analysis.trends.group_growth import GROUPS, PROCESSES, SPARK_POINTS
from oomtop.history import LASTING_POINTS, SUMS, History
from oomtop.host.process import Process
from oomtop.render.assessment_json import assessment_to_json
from oomtop.snapshot import Snapshot, Tick
from oomtop.tui.process_table.columns import BY_ID, ColumnContext
from oomtop.tui.process_table.order import TableOrder
from oomtop.tui.process_table.rows import Grouping, View
from oomtop.units import GIB, MIB
from tests.present import present
from tests.synthetic import SyntheticMachine
from tests.tui.factories import make_process

TEMPLATE = SyntheticMachine(1, 1).snapshot()


def snapshot(
    time: float, *processes: Process, users: tuple[tuple[int, str], tuple[int, str]] = ((1000, "alice"), (0, "root"))
) -> Snapshot:
    return replace(
        TEMPLATE, time=time, monotonic=time, processes=tuple(processes), users=users, containers=(), cgroups=()
    )


def watched(seconds: float, processes_at: Callable[[float], Iterator[Process]], step: float = 5.0) -> Assessment:
    """Assess every `step` seconds what `processes_at(time)` returns, and return the last assessment."""
    history, found = History(), None
    for number in range(int(seconds / step) + 1):
        tick = Tick(snapshot(number * step, *processes_at(number * step)))
        history.add(tick)
        found = assess(tick, history, found)
    return present(found)


def growth_of(assessment: Assessment, kind: str, name: str) -> Growth:
    (found,) = [item for item in assessment.growths if (item.kind, item.name) == (kind, name)]
    return present(found)


def leaking(time: float) -> Iterator[Process]:
    """Return a process at 1 MiB a second, beside one that stands still."""
    unit = "/system.slice/api.service"
    yield make_process(7, "leaky", rss=GIB + int(time * MIB), cgroup=unit)
    yield make_process(8, "still", rss=GIB, uid=0, cgroup="/system.slice/db.service")


def test_a_steady_growth_is_the_same_over_every_window() -> None:
    found = watched(1800, leaking)
    for kind, name in (("process", "leaky"), ("program", "leaky"), ("user", "alice"), ("unit", "api.service")):
        growth = growth_of(found, kind, name)
        for rate in (growth.minute, growth.five_minutes, growth.half_hour):
            assert rate == pytest.approx(MIB, rel=0.01), (kind, name)
        assert growth.curve[-1] == growth.size
        assert len(growth.curve) <= SPARK_POINTS
        assert list(growth.curve) == sorted(growth.curve)
    assert growth_of(found, "process", "leaky").pid == 7
    assert growth_of(found, "program", "still").half_hour == 0


def test_a_window_of_which_too_little_was_seen_is_not_known() -> None:
    rates = [(growth.minute, growth.five_minutes, growth.half_hour) for growth in watched(20, leaking).growths]
    assert set(rates) == {(None, None, None)}
    growth = growth_of(watched(200, leaking), "program", "leaky")
    assert growth.minute == pytest.approx(MIB, rel=0.01)
    assert growth.five_minutes == pytest.approx(MIB, rel=0.01)
    assert growth.half_hour is None


def test_processes_that_came_and_went_count_for_their_group() -> None:
    """A server that replaces its worker every 20 s by a bigger one: no process grows, the program does."""

    def workers(time: float) -> Iterator[Process]:
        generation = int(time // 20)
        yield make_process(
            100 + generation, "worker", rss=GIB + generation * 20 * MIB, cgroup="/system.slice/w.service"
        )

    found = watched(1800, workers)
    assert not any(row.growth for row in found.rows)
    for kind, name in (("program", "worker"), ("user", "alice"), ("unit", "w.service")):
        growth = growth_of(found, kind, name)
        assert growth.half_hour == pytest.approx(MIB, rel=0.05)
        assert growth.five_minutes == pytest.approx(MIB, rel=0.2)


def test_a_program_that_is_not_there_now_has_nothing_and_is_forgotten_in_the_end() -> None:
    def once(time: float) -> Iterator[Process]:
        yield make_process(1, "init", rss=MIB)
        if time < 60:
            yield make_process(9, "backup", rss=GIB)

    assert growth_of(watched(600, once), "program", "backup").size == 0
    after = watched(60 + 15.0 * (LASTING_POINTS + 3), once)
    assert not [item for item in after.growths if item.name == "backup"]


def test_what_is_kept_is_bounded() -> None:
    def many(time: int) -> Iterator[Process]:
        for number in range(600):
            size = (number + 1) * MIB * 20
            yield make_process(
                number + 10, f"p{number}", rss=size, uid=number, cgroup=f"/system.slice/u{number}.service"
            )

    history = History()
    for number in range(10):
        history.add(Tick(snapshot(number * 15.0, *many(0))))
    assert len(history.sums) == SUMS
    found = assess(Tick(snapshot(150.0, *many(0))), history)
    kinds = [item.kind for item in found.growths]
    assert kinds.count("process") == PROCESSES
    assert max(kinds.count(kind) for kind in ("program", "user", "unit")) <= GROUPS
    assert found.growths[0].name == "p599"


def test_what_does_not_change_between_two_points_is_not_made_again() -> None:
    history = History()
    first = Tick(snapshot(0.0, *leaking(0)))
    history.add(first)
    before = assess(first, history)
    second = Tick(snapshot(5.0, *leaking(5)))
    history.add(second)
    after = assess(second, history, before)
    assert after.growths is before.growths


def test_the_json_names_processes_by_their_start() -> None:
    found = watched(60, leaking)
    whole: dict[str, Any] = assessment_to_json(found)
    said = {(item["kind"], item["name"]): item for item in whole["growth"]}
    process = said["process", "leaky"]
    (row,) = [row for row in whole["processes"] if row["name"] == "leaky"]
    assert (process["pid"], process["start_time"]) == (row["pid"], row["start_time"])
    assert said["user", "alice"]["pid"] is None


def test_the_table_shows_the_growth_of_processes_and_groups() -> None:
    found = watched(1800, leaking)
    order = TableOrder(View(column=BY_ID["growth30"]))
    order.take(found, needs_ranks=False)
    order.arrange()
    leaky, still = (entry.row for entry in order.entries)
    assert leaky.process.comm == "leaky"
    assert BY_ID["growth5"].text(leaky, order.moment) == "+60.0M"
    assert BY_ID["growth30"].text(still, order.moment) == "0"
    drawn = BY_ID["trend"].text(leaky, order.moment)
    assert (drawn[0], drawn[-1], sorted(drawn)) == ("▁", "█", list(drawn))
    assert set(BY_ID["trend"].text(still, order.moment)) == {"▁"}
    order.view = replace(order.view, grouping=Grouping.CGROUP, ascii=True)
    order.arrange()
    totals = [entry.row for entry in order.entries]
    assert [row.process.comm for row in totals] == ["api.service", "db.service"]
    assert BY_ID["growth30"].text(totals[0], order.moment) == "+60.0M"
    assert BY_ID["trend"].text(totals[0], order.moment).isascii()
    assert BY_ID["trend"].text(leaky, ColumnContext()) == "-"
