"""The order of dangers, and how long a chosen subject is kept."""

from dataclasses import replace

import pytest

from oomtop.analysis.dangers.order import Choice, holds, ordered, step, subject_of
from oomtop.analysis.model.danger import Danger, DangerKind, DangerState
from oomtop.units import MIB
from tests.present import present


def danger(
    subject: str, state: DangerState = DangerState.STEADY, median: int | None = None, held: int = 10, limit: int = 100
) -> Danger:
    kind = DangerKind.CGROUP if subject.startswith("/") else DangerKind.MACHINE
    base = Danger(
        subject=subject, name=subject, kind=kind, limit=limit * MIB, brake=None, used=held * MIB, held=held * MIB,
        cache=0, swapped=0, swap_left=0, state=state, first_seen=0.0,
    )  # fmt: skip
    if median is None:
        return base
    return replace(base, state=DangerState.FILLING, earliest=median, median=median, latest=median)


def test_the_nearest_comes_first_then_what_is_at_its_limit_then_what_is_fullest() -> None:
    found = ordered(
        [
            danger("/empty", DangerState.EMPTY, held=0),
            danger("/half", held=50),
            danger("/most", held=80),
            danger("/limit", DangerState.AT_LIMIT, held=20),
            danger("/slow", median=500),
            danger("RAM", median=20, held=1),
        ]
    )
    assert [item.subject for item in found] == ["RAM", "/slow", "/limit", "/most", "/half", "/empty"]


def test_without_a_choice_the_first_is_the_subject() -> None:
    dangers = ordered([danger("/a", median=20), danger("/b")])
    assert present(subject_of(dangers)).subject == "/a"
    assert subject_of(()) is None


def test_stepping_goes_round_in_both_directions() -> None:
    dangers = ordered([danger("/a", median=20), danger("/b", median=40), danger("/c")])
    choice = step(dangers, None, 1)
    assert choice == Choice("/b", 20)
    assert present(subject_of(dangers, choice)).subject == "/b"
    assert present(step(dangers, choice, 1)).subject == "/c"
    assert present(step(dangers, choice, -1)).subject == "/a"
    assert present(step(dangers, None, -1)).subject == "/c"
    assert step((), None, 1) is None


@pytest.mark.parametrize(("nearest", "kept"), [(20, True), (11, True), (9, False)])
def test_a_choice_is_kept_until_another_one_is_nearer_by_half(nearest: int, kept: bool) -> None:
    dangers = ordered([danger("/a", median=nearest), danger("/b", median=40)])
    assert holds(dangers, Choice("/b", 20)) is kept
    assert present(subject_of(dangers, Choice("/b", 20))).subject == ("/b" if kept else "/a")


def test_a_choice_that_is_nearest_itself_is_kept() -> None:
    assert holds([danger("/b", median=3), danger("/a", median=5)], Choice("/b", 20))


def test_a_choice_ends_with_its_group() -> None:
    assert not holds([danger("/a")], Choice("/b", None))


@pytest.mark.parametrize(("median", "kept"), [(10_000, True), (30, False)])
def test_a_steady_choice_gives_way_to_what_fills_soon(median: int, kept: bool) -> None:
    assert holds([danger("/a", median=median), danger("/b")], Choice("/b", None)) is kept
