"""What a key buys, in round sizes; how loudly a danger is said; what is said of it."""

from dataclasses import replace
from typing import Any

import pytest

from oomtop.analysis.dangers.remedies import remedies, round_size
from oomtop.analysis.dangers.severity import severity_of
from oomtop.analysis.model.danger import Confidence, Danger, DangerState, Dying, PastKill, Rounds
from oomtop.analysis.sentences import describe_dying, describe_rounds, describe_subject, describe_use
from oomtop.host.process import ProcessId
from oomtop.units import GIB, MIB
from tests.present import present
from tests.tui.factories import calm_danger

LEAK = Dying(ProcessId(7, 70), "leak", 0, 90 * MIB, 60 * MIB)
OTHER = Dying(ProcessId(8, 80), "nginx", 0, 20 * MIB, 20 * MIB)


def filling(median: float = 20.0, **changes: Any) -> Danger:
    return calm_danger("/web", median, held=100 * MIB, limit=300 * MIB, dying=(LEAK, OTHER), **changes)


@pytest.mark.parametrize(
    ("size", "rounded"),
    [(100 * MIB, 100 * MIB), (99 * MIB, 50 * MIB), (999 * MIB, 500 * MIB), (3 * GIB, 2 * GIB), (1, MIB)],
)
def test_sizes_are_one_two_or_five_times_a_power_of_ten(size: int, rounded: int) -> None:
    assert round_size(size) == rounded


def test_each_key_says_what_it_buys_at_the_present_rate() -> None:
    kill, freeze, limit = remedies(filling(), ProcessId(7, 70))
    assert (kill.action, kill.size) == ("kill", 60 * MIB)
    assert kill.seconds == pytest.approx(6.0)
    assert (freeze.action, freeze.target, freeze.seconds) == ("freeze", ProcessId(7, 70), None)
    assert (limit.action, limit.size) == ("limit", 100 * MIB)
    assert limit.seconds == pytest.approx(10.0)


def test_where_nothing_fills_no_time_is_bought() -> None:
    assert [remedy.seconds for remedy in remedies(calm_danger(dying=(LEAK,)), None)] == [None, None]


@pytest.mark.parametrize(
    ("median", "confidence", "growing", "severity"),
    [
        (8, Confidence.LOW, 3, "critical"),
        (8, Confidence.LOW, 2, "warning"),
        (25, Confidence.LOW, 60, "warning"),
        (25, Confidence.MEDIUM, 20, "warning"),
        (25, Confidence.MEDIUM, 70, "warning"),
        (25, Confidence.MEDIUM, 80, "critical"),
        (100, Confidence.HIGH, 200, "warning"),
        (100, Confidence.HIGH, 310, "critical"),
        (300, Confidence.HIGH, 3600, "warning"),
        (300, Confidence.LOW, 90, None),
        (3000, Confidence.HIGH, 90, None),
    ],
)
def test_it_is_critical_when_it_leaves_no_time(
    median: int, confidence: Confidence, growing: int, severity: str | None
) -> None:
    found = severity_of(filling(median, confidence=confidence, growing=growing))
    assert (found and found.value) == severity


def test_a_group_that_is_full_and_still_is_said() -> None:
    assert present(severity_of(calm_danger("/a", held=92, limit=100))).value == "warning"
    assert present(severity_of(calm_danger("/a", held=98, limit=100, state=DangerState.AT_LIMIT))).value == "critical"
    assert severity_of(calm_danger("/a", held=98, limit=100, state=DangerState.EMPTY)) is None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"state": DangerState.WATCHING}, "8.0G of 16.0G, watching"),
        ({"state": DangerState.UNSTEADY, "rate": 2.0 * MIB}, "8.0G of 16.0G, growing unsteadily at +2.0M/s"),
        (
            {"state": DangerState.AT_LIMIT, "reclaims": 40.0},
            "8.0G of 16.0G, at its limit, reclaiming 40 times a second",
        ),
        ({}, "8.0G of 16.0G, steady"),
    ],
)
def test_what_has_no_time_says_why(changes: dict[str, Any], said: str) -> None:
    assert describe_use(calm_danger(**changes)) == said


def test_who_dies_and_who_comes_after() -> None:
    danger = filling()
    assert describe_dying(danger) == "leak (pid 7), frees 60.0M, when /web is full; then nginx (8)"
    assert describe_dying(replace(danger, near_tie=True)).endswith("; or nginx (8)")
    assert describe_dying(replace(danger, state=DangerState.EMPTY)) == "/web is empty"
    assert describe_dying(replace(danger, dying=())) == "no killable process in /web"


def test_the_first_word_is_no_all_clear_too_early() -> None:
    new = calm_danger("/web", state=DangerState.WATCHING, first_seen=97.0, held=84, limit=100)
    assert describe_subject([new], 100.0) == "watching for 3s; nearest: /web, 84% of 100B"
    kill = PastKill(96.0, 7, "leak", MIB)
    killed = [calm_danger("/b"), calm_danger("/web", kills=(kill,))]
    assert describe_subject(killed, 100.0) == "killed 4s ago: leak at the limit of /web"
    calm = describe_subject([calm_danger("/web", first_seen=60.0, held=84, limit=100)], 100.0)
    assert calm == "no danger in 40s of watching; nearest: /web, 84% of 100B, steady"


def test_a_crash_loop_in_words() -> None:
    assert describe_rounds(calm_danger(rounds=Rounds(3, 58.0, 29.0))) == "3 times in 58s, each 29s"
