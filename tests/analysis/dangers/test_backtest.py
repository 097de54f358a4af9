"""A backtest counts what was said and what came true: lead, range, victim, false alarms."""

from typing import Any

import pytest

from oomtop.analysis.dangers.backtest import Backtest
from oomtop.analysis.model.danger import Confidence, Dying
from oomtop.host.process import ProcessId
from oomtop.oomlog.event import OomEvent, Victim
from oomtop.render.backtest import render_backtest, summarize_backtest
from oomtop.tui.dangers.backtest_chart import draw_backtest
from oomtop.units import MIB
from tests.present import present
from tests.tui.factories import calm_danger, make_assessment

START = 1_700_000_000.0
LEAK = Dying(ProcessId(7, 70), "leak", 0, 90 * MIB, 80 * MIB)
OTHER = Dying(ProcessId(8, 80), "other", 0, 20 * MIB, 20 * MIB)


def killed(after: float, pid: int = 7, name: str = "leak") -> OomEvent:
    return OomEvent("kernel", "memcg", time=START + after, oom_memcg="/a", victim=Victim(pid, name))


def judged(
    kill: float = 60.0,
    off: float = 1.0,
    seconds: int = 80,
    *,
    events: list[OomEvent] | None = None,
    subjects: str = "",
    **danger: Any,
) -> Backtest:
    """Return what was told every 2 s of a group that is killed after `kill` seconds; times are wrong by `off`."""
    backtest = Backtest(subjects)
    dying = danger.pop("dying", (LEAK, OTHER))
    for at in range(0, seconds, 2):
        left = (kill - at) * off
        says = 20 <= at < kill
        told = calm_danger("/a", left if says else None, dying=dying if at < kill else (), **danger)
        known = events if events is not None else [killed(kill)]
        past = tuple(event for event in known if present(event.time) <= START + at)
        backtest.take(make_assessment(0, monotonic=float(at), dangers=(told,), events=past))
    return backtest


def test_what_came_true_is_counted() -> None:
    result = judged().result()
    (kill,) = result.kills
    assert (kill.first_word, kill.named, kill.named_right) == (40.0, "leak", True)
    assert result.median_error == pytest.approx(0.0)
    high = next(one for one in result.ranges if one.confidence is Confidence.HIGH)
    assert (high.judged, high.held, high.share) == (20, 20, 1.0)
    assert result.false_alarms == 0


def test_times_that_are_wrong_by_half_do_not_hold() -> None:
    result = judged(off=1.5).result()
    assert result.median_error == pytest.approx(0.5)
    assert sum(one.held for one in result.ranges) == 0


def test_an_alarm_that_no_kill_follows_is_false() -> None:
    result = judged(events=[], seconds=120).result()
    assert (result.kills, result.false_alarms) == ((), 1)
    assert result.false_alarms_per_hour == pytest.approx(3600 / 118)


def test_what_an_action_or_the_end_cut_short_is_not_judged() -> None:
    acted = judged(events=[], seconds=120).result(deeds=[START + 59])
    assert acted.false_alarms == 0
    assert sum(one.judged for one in acted.ranges) == 0
    ended = judged(events=[], seconds=40).result()
    assert sum(one.judged for one in ended.ranges) == 0


@pytest.mark.parametrize(
    ("pid", "name", "more", "right"),
    [
        (8, "other", {}, False),
        (8, "other", {"near_tie": True}, True),
        (9, "leak", {"dies_with": (ProcessId(9, 1),)}, True),
        (9, "leak", {}, False),
    ],
)
def test_a_victim_is_right_when_it_or_its_equal_dies(pid: int, name: str, more: dict[str, Any], right: bool) -> None:
    result = judged(events=[killed(60.0, pid, name)], **more).result()
    assert result.kills[0].named_right is right


def test_only_the_limits_asked_for_are_judged() -> None:
    result = judged(subjects="/b").result()
    assert (result.kills, result.forecasts) == ((), ())


def test_it_is_told_in_lines_and_in_one() -> None:
    result = judged().result()
    text = render_backtest(result)
    assert "/a: killed leak (7); first word 40s before" in text
    assert "range, high   confidence: right 20 of 20 (100 %), 0 open" in text
    assert summarize_backtest(result) == (
        "first forecast 40s before it, off by 0 % (median), range correct 20 of 20; victim named"
    )
    assert summarize_backtest(judged(events=[], seconds=120).result()) == "no kill, 1 false alarm"


@pytest.mark.parametrize("ascii_only", [True, False])
def test_the_picture_has_the_forecasts_on_its_diagonal(ascii_only: bool) -> None:
    lines = draw_backtest(judged().result(), 60, 16, ascii_only=ascii_only).splitlines()
    assert len(lines) <= 16
    assert max(map(len, lines)) <= 60
    assert ("#" if ascii_only else "█") in "".join(lines)
    assert "nothing to draw" in draw_backtest(judged(events=[]).result(), 60, 16, ascii_only=ascii_only)
