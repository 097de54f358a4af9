"""The score term by term, its rank, and where another adj would put the process; equal to the ranking itself."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oomtop.analysis.oom_score.badness import badness
from oomtop.analysis.oom_score.explain import OTHER_ADJS, explain
from oomtop.analysis.oom_score.ranking import rank
from oomtop.host.process import Process, ProcessId
from tests.present import present

PAGE = 4096
TOTAL = 1_000_000


def process(pid: int, rss: int = 0, swap: int = 0, tables: int = 0, adj: int = 0, **changes: Any) -> Process:
    plain = Process(
        id=ProcessId(pid, pid), ppid=1, comm=f"p{pid}", state="S", started=float(pid), flags=0, session=1, tty=0, nice=0,
        threads=1, cpu_seconds=0.0, minor_faults=0, major_faults=0, virtual_size=1 << 30, rss=rss * PAGE, rss_anon=None,
        rss_file=None, rss_shmem=None, swap=swap * PAGE, page_tables=tables * PAGE, locked=0, hugetlb=0, uid=0, euid=0,
        oom_score=None, oom_score_adj=adj, cgroup="/", command=None,
    )  # fmt: skip
    return replace(plain, **changes)


def test_the_terms_add_up_to_the_badness() -> None:
    score = explain(process(5, 1000, 200, 30, 7), [process(6, 5000)], TOTAL, PAGE, "machine")
    assert (score.rss, score.swap, score.page_tables, score.adj_pages) == (1000, 200, 30, 7000)
    assert present(score.place).badness == 8230
    assert (present(score.place).rank, score.candidates, score.rival, score.distance) == (1, 2, 6, 3230)


def test_the_adj_that_turns_the_order() -> None:
    score = explain(process(5, 1000), [process(6, 5000), process(7, 4000)], TOTAL, PAGE, "machine")
    assert present(score.place).rank == 3
    assert score.distance == -4000
    assert score.turning_adj == 5
    assert [place.rank for place in score.others] == [3, 3, 3, 1, 1]


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"flags": 0x00200000}, "kernel thread"),
        ({"virtual_size": 0}, "zombie"),
        ({"oom_score_adj": -1000}, "-1000"),
        ({"id": ProcessId(1, 1)}, "pid 1"),
    ],
)
def test_who_is_not_considered_is_told_why(changes: dict[str, Any], word: str) -> None:
    score = explain(process(5, 1000, **changes), [process(6, 10)], TOTAL, PAGE, "machine")
    assert score.place is None
    assert word in present(score.why_not)
    assert score.candidates == 1
    assert bool(score.others) == ("-1000" in word)


def test_alone_there_is_no_rival() -> None:
    mine = process(5, 1000)
    score = explain(mine, [mine], TOTAL, PAGE, "machine")
    assert (present(score.place).rank, score.rival, score.distance, score.turning_adj) == (1, None, None, None)


def test_a_domain_without_pages_does_not_divide_by_zero() -> None:
    assert present(explain(process(5, 1), [process(6, 2)], 0, PAGE, "/x").place).share == 0.0


sizes = st.tuples(st.integers(0, 40), st.integers(-1000, 1000))


@given(st.lists(sizes, min_size=1, max_size=12), st.sampled_from([0, 999, 20_000, TOTAL]))
def test_ranks_are_those_of_the_kernels_ranking(drawn: list[tuple[int, int]], total: int) -> None:
    processes = [process(10 + at, rss, adj=adj) for at, (rss, adj) in enumerate(drawn)]
    order = [candidate.id for candidate in rank(processes, total, PAGE).candidates]
    for one in processes:
        score = explain(one, processes, total, PAGE, "machine")
        if badness(one, total, PAGE) is None:
            assert score.place is None
        elif present(score.place).rank <= 10:
            assert order[present(score.place).rank - 1] == one.id
        for place in score.others:
            changed = replace(one, oom_score_adj=place.adj)
            again = rank([changed if other is one else other for other in processes], total, PAGE).candidates
            if place.rank <= 10:
                assert again[place.rank - 1].id == one.id
        if score.turning_adj is not None:
            with_it = replace(one, oom_score_adj=score.turning_adj)
            assert present(explain(with_it, processes, total, PAGE, "machine").place).rank == 1
            if score.turning_adj > -999:
                below = replace(one, oom_score_adj=score.turning_adj - 1)
                assert present(explain(below, processes, total, PAGE, "machine").place).rank > 1
    assert len(OTHER_ADJS) == 5
