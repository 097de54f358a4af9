"""An armed action waits on where what it watches cannot be read for a moment, and ends where it stays so."""

import time

import pytest

from oomtop.analysis.dangers.trigger import Room
from oomtop.errors import ParseError
from oomtop.host.root import Root
from oomtop.sources import room_watch
from oomtop.sources.room_watch import RoomWatch, Terms, wait_until_due

TERMS = Terms(before=0.01, span=30.0, where="/web")


class Blinking(RoomWatch):
    """Cannot be read, as its group is gone or as `/proc/meminfo` gives nothing, the first so many times."""

    def __init__(self, blind: int, raises: bool) -> None:
        super().__init__(Root(), None, None, 100)
        self.reads, self._blind, self._raises = 0, blind, raises

    def read(self) -> Room | None:
        self.reads += 1
        if self.reads > self._blind:
            return Room(time.monotonic(), 50, 100)
        if self._raises:
            raise ParseError("/proc/meminfo", None)
        return None


@pytest.mark.parametrize("raises", [False, True])
def test_a_moment_without_an_answer_disarms_nothing(raises: bool) -> None:
    watch = Blinking(3, raises)
    assert wait_until_due(watch, TERMS, lambda: watch.reads > 4, lambda left, rest: None) == "told to end"


def test_one_that_stays_away_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room_watch, "_BLIND_SECONDS", 0.1)
    assert wait_until_due(Blinking(1000, False), TERMS, lambda: False, lambda left, rest: None) == "/web is gone"
    with pytest.raises(ParseError):
        wait_until_due(Blinking(1000, True), TERMS, lambda: False, lambda left, rest: None)
