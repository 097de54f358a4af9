"""What a recording holds of the time after a moment: read once, told beside the forecast, nothing concluded from it."""

from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from oomtop.analysis.model.danger import PastKill, UseCurve
from oomtop.recording.reader import Recording
from oomtop.recording.store import Store
from oomtop.snapshot import Tick
from oomtop.sources.replay import ReplaySource
from oomtop.tui.base.sampling import samples
from oomtop.tui.dangers.forecast_chart import chart_of
from oomtop.tui.dangers.strip import draw_strip
from oomtop.tui.style.palette import Look
from oomtop.units import MIB
from tests.tui.allowed import at_victim, everything
from tests.tui.factories import make_assessment, make_danger
from tests.tui.states import SCRIPTS, recorded, state, ticks


@pytest.fixture(scope="module")
def script() -> list[Tick]:
    return list(ticks(SCRIPTS["replay"]))


@pytest.fixture
def source() -> ReplaySource:
    return recorded("replay")


def ticking(source: ReplaySource) -> closing[Generator[Tick, None, None]]:
    ticks = source.ticks()
    assert isinstance(ticks, Generator)
    return closing(ticks)


def test_a_replay_opens_before_the_kill_with_forecast_and_truth(source: ReplaySource, script: list[Tick]) -> None:
    with closing(samples(source)) as found:
        shown = next(found).assessment
    danger = shown.dangers[0]
    kill = next(tick.events[0] for tick in reversed(script) if tick.events)
    assert danger.subject == "/web.service"
    assert danger.median is not None
    assert not any(old.time > shown.time for old in danger.kills)
    assert [later.time for later in danger.later_kills] == [kill.time]
    assert 5 < danger.later_kills[0].time - shown.time < 15
    assert danger.truth.times[0] == pytest.approx(shown.time + 1, abs=0.1)
    assert danger.truth.times[-1] == pytest.approx(script[-1].snapshot.time, abs=0.1)
    assert max(danger.truth.held) > 280 * MIB
    assert danger.truth.held[-1] < 20 * MIB


def test_nothing_is_unpacked_twice_while_it_plays(source: ReplaySource, monkeypatch: pytest.MonkeyPatch) -> None:
    unpacked: list[int] = []
    real = Recording._next

    def counted(self: Recording, index: int, *rest: Any) -> Any:
        unpacked.append(index)
        return real(self, index, *rest)

    monkeypatch.setattr(Recording, "_next", counted)
    with ticking(source) as found:
        first = next(found)
        unpacked.clear()
        source.toggle()
        second = next(found)
    assert second.snapshot.time > first.snapshot.time
    assert len(unpacked) == 1
    assert second.ahead.uses == first.ahead.uses[len(first.ahead.uses) - len(second.ahead.uses) :]


def test_a_slow_recording_tells_of_the_time_after_bit_by_bit(source: ReplaySource) -> None:
    source._patience = 0.0
    with ticking(source) as found:
        first = next(found).ahead.uses
        source.toggle()
        second = next(found).ahead.uses
    assert len({use.monotonic for use in first}) == len({use.monotonic for use in second}) == 1


def test_a_damaged_place_ahead_is_no_problem_of_the_moment_shown(tmp_path: Path, script: list[Tick]) -> None:
    path = str(tmp_path / "r.db")
    with closing(Store(path)) as store:
        for tick in script[:20]:
            store.write(tick)
        identity = store._db.execute("SELECT max(id) FROM frames").fetchone()[0]
        store._db.execute("UPDATE frames SET body=x'00' WHERE id=?", (identity,))
        store._db.commit()
    source = ReplaySource(Recording(path), script[10].snapshot.time, float("inf"))
    with ticking(source) as found:
        ahead = next(found).ahead
    assert len({use.monotonic for use in ahead.uses}) == 8


@pytest.mark.parametrize("ascii_only", [False, True])
@pytest.mark.parametrize("height", [6, 12])
def test_forecast_and_truth_are_drawn_over_each_other(height: int, ascii_only: bool) -> None:
    shown = state("replay")
    lines = [line.plain for line in chart_of(shown.dangers[0], shown.time, 120, (80, height), Look(ascii_only))]
    truth, held, forecast, kill = ("o", "#", "/", "X") if ascii_only else ("●", "█", "╱", "✗")
    assert f" {truth} happened  {held} past  {forecast} expected  " in lines[0]
    assert lines[0].count(kill) == 3
    assert sum(truth in line for line in lines[:-1]) == height - 1
    assert all(line.isascii() for line in lines) == ascii_only


def test_the_strip_of_a_replay_says_what_came_and_offers_no_key() -> None:
    def then(**facts: Any) -> str:
        draw = draw_strip(everything(replay=True), at_victim)
        dangers = (make_danger(**facts), make_danger("/cron", median=290.0))
        lines = [line.plain for line in draw(make_assessment((), dangers=dangers), 80, 4, Look())]
        assert lines[0].endswith("1 of 2")
        return lines[3]

    now = make_assessment(()).time
    curve = UseCurve((now + 30.0,), (1.0,), (1.0,), (0.0,))
    assert "8s later, " in then(truth=curve, later_kills=(PastKill(now + 8, 7, "surge", 5),))
    assert "surge 7 was killed here" in then(truth=curve, later_kills=(PastKill(now + 8, 7, "surge", 5),))
    assert then(truth=curve) == " then  no kill here in the next 30s"
    assert then() == " then  nothing is recorded after this"
