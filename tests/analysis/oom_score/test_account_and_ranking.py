"""The account adds up; the ranking is the kernel's."""

from dataclasses import replace
from typing import Any

import pytest

from oomtop.analysis.account import account_memory, account_pressure
from oomtop.analysis.oom_score.badness import badness
from oomtop.analysis.oom_score.ranking import rank
from oomtop.history import History
from oomtop.host.process import Process, ProcessId
from oomtop.snapshot import Tick
from oomtop.sources.sampler import Sampler
from tests.present import present

PAGES = 1_000_000


def process(pid: int, rss_pages: int = 100, adj: int = 0, started: float = 1.0, **other: Any) -> Process:
    facts = Process(
        ProcessId(pid, pid), 1, f"p{pid}", "S", started, 0, 0, 0, 0, 1, 0.0, 0, 0, 1 << 30, rss_pages * 4096,
        None, None, None, 0, 0, 0, 0, 0, 0, 0, adj, "/", None,
    )  # fmt: skip
    return replace(facts, **other)


def test_the_parts_of_this_machines_memory_add_up_to_memtotal() -> None:
    sampler = Sampler()
    memory = account_memory(sampler.sample())
    sampler.close()
    parts = (
        memory.anon, memory.shmem, memory.page_cache, memory.slab_reclaimable, memory.kernel, memory.hugetlb,
        memory.arc, memory.other, memory.free,
    )  # fmt: skip
    assert sum(map(present, parts)) == memory.total


def test_a_kill_that_no_log_tells_of_is_known_by_the_kernels_count() -> None:
    sampler, history = Sampler(), History()
    first = sampler.sample()
    sampler.close()
    for after, kills in ((0.0, 4), (2.0, 5), (32.0, 5)):
        vmstat = replace(present(first.vmstat), oom_kill=kills)
        snapshot = replace(first, time=first.time + after, monotonic=first.monotonic + after, vmstat=vmstat)
        history.add(Tick(snapshot))
        age = account_pressure(snapshot, history).last_kill_age
        assert age == (None if after == 0 else after - 2.0), "those before the start are of no known time"


@pytest.mark.parametrize(
    ("facts", "points"),
    [
        (process(5, 100), 100),
        (process(5, 100, swap=8192, page_tables=4096), 103),
        (process(5, 100, adj=500), 100 + 500 * 1000),
        (process(5, 100, adj=-900), 100 - 900 * 1000),
        (process(5, 100, adj=-1000), None),
        (process(1, 100), None),
        (process(5, 100, flags=0x00200000), None),
        (process(5, 0, virtual_size=0, state="Z"), None),
    ],
)
def test_badness_is_the_kernels(facts: Process, points: int | None) -> None:
    assert badness(facts, PAGES, 4096) == points


def test_of_two_equal_ones_the_later_dies_and_it_is_called_a_near_tie() -> None:
    victims = rank([process(5, started=2.0), process(6, started=1.0)], PAGES, 4096)
    assert victims.first is not None
    assert victims.first.id.pid == 5
    assert victims.near_tie


def test_adj_outweighs_size() -> None:
    victims = rank([process(5, 50_000), process(6, 10, adj=300)], PAGES, 4096)
    assert [candidate.id.pid for candidate in victims.candidates] == [6, 5]
    assert not victims.near_tie


def test_nobody_to_kill() -> None:
    assert rank([process(1)], PAGES, 4096).first is None
