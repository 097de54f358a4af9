"""Reads that hang are left behind, and not too many of them."""

import threading

import pytest

from oomtop.sources.slow_reads import SlowFacts, TooManyHang


def test_the_future_carries_result_and_error() -> None:
    facts = SlowFacts()
    assert facts.begin(lambda: 7).result(5) == 7
    with pytest.raises(ZeroDivisionError):
        facts.begin(lambda: 1 / 0).result(5)


def test_a_read_that_hangs_does_not_hold_the_others_up_and_twelve_are_enough() -> None:
    facts, stuck = SlowFacts(), threading.Event()
    hanging = [facts.begin(stuck.wait) for _ in range(11)]
    assert facts.begin(lambda: 7).result(5) == 7
    hanging.append(facts.begin(stuck.wait))
    with pytest.raises(TooManyHang, match="12"):
        facts.begin(lambda: 7).result(5)
    stuck.set()
    assert all(future.result(5) for future in hanging)
    assert facts.begin(lambda: 7).result(5) == 7


def test_without_memory_for_a_thread_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    facts = SlowFacts()
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", no_thread)
        for _ in range(20):
            with pytest.raises(OSError, match="start new thread"):
                facts.begin(lambda: 7).result(5)
    assert facts.begin(lambda: 7).result(5) == 7


def no_thread(self: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")
