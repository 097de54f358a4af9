"""Memory that runs out is put down to what grew, and only what a kill frees is advised to be killed."""

from dataclasses import replace
from typing import Any

import pytest

from oomtop.analysis.findings.causes import NOBODYS, cause_of
from oomtop.analysis.findings.machine import find
from oomtop.analysis.findings.rule import Facts
from oomtop.analysis.model.assessment import Growth, PartGrowth
from oomtop.analysis.trends.part_growth import part_growths
from oomtop.host.cgroup import Cgroup
from oomtop.host.kernel_facts import KernelFacts
from oomtop.host.meminfo import Meminfo
from oomtop.host.slabinfo import Slab
from oomtop.part_history import PartHistory
from oomtop.units import GIB, MIB
from tests.analysis.findings.test_findings import facts
from tests.synthetic import SyntheticMachine
from tests.tui.factories import calm_danger, make_process, make_row

RATE = 100.0 * MIB


def grown(part: str, cgroup: str | None = None, rate: float = RATE) -> PartGrowth:
    return PartGrowth(part, rate, cgroup)


def growers(*rates: float) -> dict[str, Any]:
    rows = [make_row(make_process(pid, f"p{pid}"), growth=rate) for pid, rate in enumerate(rates, 100)]
    return {"rows": rows, "growers": sorted(rows, key=lambda row: -(row.growth or 0))}


@pytest.mark.parametrize(
    ("part", "said", "advice"),
    [
        (grown("shmem", "/a"), "tmpfs and shared memory grow +100M/s in /a", "delete files"),
        (grown("slab"), "kernel slab (dentry has 2.0G) grows +100M/s", NOBODYS),
        (grown("huge pages"), "huge page pool grows", "nr_hugepages"),
        (grown("balloon"), "balloon grows", NOBODYS),
        (grown("zram"), "zram grows", "swap"),
        (grown("ARC"), "ZFS ARC grows", "shrinks"),
    ],
)
def test_a_part_that_grew_is_the_cause(part: PartGrowth, said: str, advice: str) -> None:
    kernel = KernelFacts((), slabs=(Slab("dentry", 1, 192, 2 * GIB),))
    cause = cause_of(replace(facts(kernel=kernel, parts=(part,)), **growers(1.0 * MIB)), RATE)
    assert said in cause.text
    assert advice in cause.advice
    assert cause.target is None


def test_page_tables_are_freed_with_their_process() -> None:
    row = make_row(replace(make_process(7, "mapper"), page_tables=GIB))
    cause = cause_of(replace(facts(parts=(grown("page tables"),)), rows=[row], growers=[]), RATE)
    assert "page tables, most of mapper, grow" in cause.text
    assert cause.target == row.process.id


def test_a_process_that_grows_as_fast_is_the_cause_of_its_shared_memory() -> None:
    found = replace(facts(parts=(grown("shmem"),)), **growers(90.0 * MIB))
    assert ": p100 grows" in cause_of(found, RATE).text


@pytest.mark.parametrize(
    ("rates", "said"),
    [
        ([20.0 * MIB, 20.0 * MIB, 20.0 * MIB], "many processes grow"),
        ([20.0 * MIB, 20.0 * MIB], "in no visible process"),
        ([5.0 * MIB, 5.0 * MIB, 5.0 * MIB], "in no visible process"),
    ],
)
def test_many_grow_only_where_many_do(rates: list[float], said: str) -> None:
    assert said in cause_of(replace(facts(), **growers(*rates)), RATE).text


def test_a_swarm_of_one_program_is_named() -> None:
    growth = Growth("program", "worker", None, None, GIB, 90.0 * MIB, None, None, ())
    assert "the worker processes grow +90.0M/s together" in cause_of(facts(growths=(growth,)), RATE).text


def low(**memory: Any) -> Facts:
    calm = facts()
    return replace(
        calm, dangers=(calm_danger(),), memory=replace(calm.memory, available=400 * MIB, anon=2 * GIB, **memory)
    )


def test_a_balloon_is_no_reason_to_kill() -> None:
    found = {finding.id: finding for finding in find(low(balloon=11 * GIB))}
    assert "balloon holds 11.0G" in found["memory_low"].title
    assert found["memory_low"].advice == NOBODYS
    assert "give the guest more memory" in found["balloon"].advice


def test_reserved_huge_pages_that_nobody_uses_are_told_when_memory_is_scarce() -> None:
    assert "huge_pages" in {finding.id for finding in find(low(hugetlb_unused=8 * GIB))}
    calm = facts()
    plenty = replace(calm, memory=replace(calm.memory, hugetlb_unused=8 * GIB))
    assert "huge_pages" not in {finding.id for finding in find(plenty)}


def test_kernel_memory_of_a_process_is_freed_with_it() -> None:
    info = Meminfo(16 * GIB, GIB, page_tables=5 * GIB)
    row = make_row(replace(make_process(7, "mapper"), page_tables=4 * GIB))
    calm = facts(meminfo=info)
    found = find(replace(calm, memory=replace(calm.memory, kernel=6 * GIB), rows=[row]))
    (finding,) = [finding for finding in found if finding.id == "kernel_memory"]
    assert finding.target == row.process.id
    assert NOBODYS not in finding.advice


def test_parts_grow_and_the_innermost_group_has_the_shared_memory() -> None:
    history, base = PartHistory(), SyntheticMachine(3, 3).snapshot()
    for turn in range(5):
        size = GIB + turn * 50 * MIB
        groups = (*(Cgroup(path, size, shmem=size) for path in ("/", "/a", "/a/b")), Cgroup("/c", 1, shmem=GIB))
        info = Meminfo(16 * GIB, 8 * GIB, shmem=size, anon_pages=GIB, page_tables=MIB * turn)
        history.add(replace(base, monotonic=base.monotonic + 2.0 * turn, meminfo=info, cgroups=groups))
    (shmem, *others) = part_growths(history)
    assert (shmem.part, shmem.cgroup) == ("shmem", "/a/b")
    assert shmem.rate == pytest.approx(25 * MIB)
    assert [item.part for item in others] == ["page tables"]
