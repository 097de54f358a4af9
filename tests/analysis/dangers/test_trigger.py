"""When an armed action is due: in time for growth of any kind, never for what stands still or falls."""

from collections.abc import Callable

import pytest

from oomtop.analysis.dangers.trigger import ArmedTrigger, Room
from oomtop.units import MIB
from tests.present import present

LIMIT = 400 * MIB


def due_at(
    held: Callable[[float], float], before: float = 2.0, step: float = 0.1, seconds: float = 60.0
) -> tuple[float | None, float | None]:
    """Return (when the action is due, when the limit is full) of a curve of what is held, None for never."""
    trigger, due, full = ArmedTrigger(before), None, None
    for at in range(int(seconds / step)):
        now = at * step
        left = LIMIT - int(held(now))
        if left <= 0:
            full = now
            break
        trigger.add(Room(now, left, LIMIT))
        if due is None and trigger.is_due:
            due = now
    return due, full


@pytest.mark.parametrize("rate", [2, 8, 40, 80, 160])
def test_steady_growth_is_stopped_in_time(rate: int) -> None:
    due, full = due_at(lambda now: rate * MIB * now, seconds=500 / rate)
    assert present(full) - 4.6 <= present(due) <= present(full) - 0.5


@pytest.mark.parametrize("calm", [5.0, 20.0])
def test_a_surge_after_calm_is_stopped_before_it_is_full(calm: float) -> None:
    due, full = due_at(lambda now: 20 * MIB + max(0.0, now - calm) * 80 * MIB)
    assert calm < present(due) < present(full) - 0.5


def test_growth_that_accelerates_is_stopped_before_it_is_full() -> None:
    due, full = due_at(lambda now: 0.5 * MIB * now * now)
    assert present(due) <= present(full) - 1.0


@pytest.mark.parametrize("held", [lambda now: 399 * MIB, lambda now: 390 * MIB - now * MIB, lambda now: 0.0])
def test_what_does_not_grow_never_is_due(held: Callable[[float], float]) -> None:
    assert due_at(held) == (None, None)


def test_slow_growth_is_due_in_the_last_fiftieth() -> None:
    due, full = due_at(lambda now: 390 * MIB + now * MIB / 10, before=1.0, seconds=110)
    assert present(due) < present(full)


def test_a_gap_between_readings_does_not_blind_it() -> None:
    trigger = ArmedTrigger(5.0)
    trigger.add(Room(0.0, 300 * MIB, LIMIT))
    trigger.add(Room(6.0, 100 * MIB, LIMIT))
    assert trigger.is_due
