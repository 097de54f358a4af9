"""PSS is read away from the tick, and only while it is wanted."""

import os
import threading
from collections.abc import Iterator

import pytest

from oomtop.host.process import Process
from oomtop.host.process_scan import ProcessScan
from oomtop.host.root import Root
from oomtop.sources import pss_watch
from oomtop.sources.pss_watch import PssWatch
from oomtop.sources.slow_reads import SlowFacts


@pytest.fixture
def own() -> Iterator[tuple[Process, ...]]:
    scan = ProcessScan(Root(), os.sysconf("SC_PAGE_SIZE"), os.sysconf("SC_CLK_TCK"))
    yield tuple(process for process in scan.scan() if process.pid == os.getpid())
    scan.close()


def test_the_own_size_is_known_and_kept(own: tuple[Process, ...]) -> None:
    watch = PssWatch(Root(), SlowFacts())
    sizes = watch.sizes(own, 10.0)
    assert 0 < dict(sizes)[own[0].id] <= own[0].rss_and_swap * 2
    assert watch.sizes(own, 0.0) is sizes
    watch.forget()
    assert watch._sizes == ()


def test_one_that_hangs_is_left_behind(own: tuple[Process, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pss_watch, "DEADLINE", 0.0)
    stop = threading.Event()
    monkeypatch.setattr(pss_watch, "read_smaps_rollup", lambda root, identity: stop.wait())
    watch = PssWatch(Root(), SlowFacts())
    while watch._hanging != {own[0].id}:
        assert watch.sizes(own, 0.0) == ()
        watch._due = 0.0
    stop.set()
