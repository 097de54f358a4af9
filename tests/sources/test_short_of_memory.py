"""The kernel has no memory or no descriptor for one read: that tick is left out and said, the next one is taken."""

import builtins
import errno
import io
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from oomtop.errors import ParseError
from oomtop.host.root import Root
from oomtop.sources import live
from oomtop.sources.live import LiveSource
from oomtop.sources.sampler import Sampler
from tests.fuzz.door_host import PROCESSES, write_machine


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    write_machine(str(tmp_path))
    return tmp_path


@pytest.fixture
def source(machine: Path) -> Iterator[LiveSource]:
    source = LiveSource(0.01, Root(str(machine)))
    yield source
    source.close()


def test_a_sample_that_cannot_be_taken_is_left_out_and_said(source: LiveSource, machine: Path) -> None:
    ticks = source.ticks()
    assert len(next(ticks).snapshot.processes) == len(PROCESSES)
    meminfo, aside = machine / "proc/meminfo", machine / "aside"
    meminfo.rename(aside)
    threading.Timer(0.3, lambda: aside.rename(meminfo)).start()
    tick = next(ticks)
    assert len(tick.snapshot.processes) == len(PROCESSES)
    (why,) = [problem.why for problem in tick.snapshot.problems if problem.what == "/proc/meminfo"]
    assert why.startswith("could not be read for ")
    assert not [problem for problem in next(ticks).snapshot.problems if problem.what == "/proc/meminfo"]


def test_one_that_stays_away_ends_it_with_its_reason(
    source: LiveSource, machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "_BLIND_SECONDS", 0.05)
    ticks = source.ticks()
    next(ticks)
    (machine / "proc/meminfo").unlink()
    with pytest.raises(ParseError, match="cannot be read"):
        next(ticks)


class _Failing:
    """Calls of the system, one of which fails."""

    def __init__(self) -> None:
        self.calls = 0
        self.fails_at = 0
        self._thread = threading.get_ident()

    def wrapped(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def inner(*words: object, **more: object) -> object:
            # Threads that read what is slow come and go: theirs are not counted.
            if threading.get_ident() == self._thread:
                self.calls += 1
                if self.calls == self.fails_at:
                    raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))
            return call(*words, **more)

        return inner


def test_no_failing_read_is_more_than_a_missing_fact(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failing = _Failing()
    for name in ("open", "listdir", "read", "pread", "scandir", "readlink", "stat", "fstat", "statvfs"):
        monkeypatch.setattr(os, name, failing.wrapped(getattr(os, name)))
    for module in (builtins, io):
        monkeypatch.setattr(module, "open", failing.wrapped(open))
    sampler = Sampler(Root(str(machine)))
    sampler.sample()
    raised = []
    for number in range(1, 1000):
        failing.calls, failing.fails_at = 0, number
        try:
            sampler.sample(with_slabs=True)
        except ParseError as error:
            raised.append(error.path)
        if failing.calls < number:
            break
    failing.fails_at = 0
    sampler.close()
    assert 50 < number < 999
    assert {Path(path).name for path in raised} == {"meminfo"}
