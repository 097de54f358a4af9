"""The sampling thread of the monitor: what fails begins again, what keeps failing ends the program with its reason."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from oomtop.snapshot import Tick
from oomtop.tui.base import feed
from oomtop.tui.shell.app import OomtopApp
from tests.tui.factories import make_assessment


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "PAUSE", 0.0)


def hand_on(*rounds: Sequence[object], may_begin_again: bool = True) -> tuple[str | None, list[object], list[str]]:
    """Hand on what each round yields, an error in it is raised; return (why it ended, what was taken and told)."""
    left, taken, told = list(rounds), list[object](), list[str]()

    def begin() -> Iterator[Any]:
        for item in left.pop(0):
            if isinstance(item, BaseException):
                raise item
            yield item

    return feed.hand_on(begin, taken.append, lambda: False, told.append, may_begin_again), taken, told


def test_sampling_begins_again() -> None:
    reason, taken, told = hand_on([1, MemoryError()], [2, OSError(24, "x")], [3])
    assert (reason, taken) == (None, [1, 2, 3])
    assert len(told) == 2
    assert "not enough memory" in told[0]


def test_what_fails_again_and_again_ends_it() -> None:
    reason, taken, _ = hand_on([1, MemoryError()], [MemoryError()], [MemoryError()], [2])
    assert taken == [1]
    assert reason is not None
    assert "not enough memory" in reason


def test_a_recording_does_not_begin_again() -> None:
    assert hand_on([1, ValueError("x")], [2], may_begin_again=False)[1] == [1]


class Failing:
    """A source of which the first sample fails."""

    def ticks(self) -> Iterator[Tick]:
        raise MemoryError
        yield from ()

    def close(self) -> None:
        pass


async def test_the_monitor_ends_with_the_reason_and_an_error_code() -> None:
    app = OomtopApp(Failing())
    app.latest = make_assessment()
    async with app.run_test() as pilot:
        for _ in range(200):
            if app.return_code is not None:
                break
            await pilot.pause(0.01)
    assert app.return_code == 1
