"""Who dies together: sharers of one memory map, and the uppermost `memory.oom.group` below the OOM domain."""

from dataclasses import replace

import pytest

from oomtop.analysis.oom_score.explain import explain
from oomtop.analysis.oom_score.ranking import rank
from oomtop.host.cgroup import Cgroup
from oomtop.host.process import Process
from tests.analysis.oom_score.test_explain import PAGE, TOTAL, process
from tests.present import present


def groups(*dying: str) -> dict[str, Cgroup]:
    paths = ("/", "/a", "/a/b", "/a/b/c")
    return {path: Cgroup(path, None, oom_group=path in dying) for path in paths}


def members() -> list[Process]:
    return [
        process(5, 1000, cgroup="/a/b/c"),
        process(6, 700, cgroup="/a/b"),
        process(7, 500, cgroup="/a"),
        process(8, 400, cgroup="/a/b/c", adj=-1000),
        process(9, 10, cgroup="/a/bc"),
    ]


@pytest.mark.parametrize(
    ("dying", "domain", "group", "pids"),
    [
        ((), "/", None, {5}),
        (("/a/b/c",), "/", "/a/b/c", {5}),
        (("/a/b", "/a/b/c"), "/", "/a/b", {5, 6}),
        (("/a",), "/", "/a", {5, 6, 7, 9}),
        (("/a",), "/a", "/a", {5, 6, 7, 9}),
        (("/a", "/a/b/c"), "/a/b", "/a/b/c", {5}),
        (("/a",), "/a/b", None, {5}),
    ],
)
def test_the_uppermost_oom_group_inside_the_domain_dies_as_a_whole(
    dying: tuple[str, ...], domain: str, group: str | None, pids: set[int]
) -> None:
    victims = rank(members(), TOTAL, PAGE, groups=groups(*dying), domain=domain)
    assert present(victims.first).id.pid == 5
    assert victims.oom_group == group
    assert {identity.pid for identity in victims.dying} == pids
    assert victims.dying_frees == sum(p.rss for p in members() if p.pid in pids)


def test_sharers_of_one_memory_die_together_and_count_once() -> None:
    shared = [process(pid, 1000, memory_owner=5) for pid in (5, 6)]
    victims = rank([*shared, process(7, 300)], TOTAL, PAGE)
    assert {identity.pid for identity in victims.dying} == {5, 6}
    assert victims.dying_frees == 1000 * PAGE
    assert not victims.near_tie
    assert rank([*shared, process(7, 995)], TOTAL, PAGE).near_tie


def test_who_the_kernel_passes_over_is_no_candidate() -> None:
    victims = rank([process(5, 1000, is_spared=True), process(6, 10)], TOTAL, PAGE)
    assert present(victims.first).id.pid == 6
    assert "vfork" in present(explain(process(5, 1000, is_spared=True), [], TOTAL, PAGE, "machine").why_not)


def test_pid_1_of_a_container_is_one_like_any_other() -> None:
    init = replace(process(1, 1000), is_spared=False)
    assert present(rank([init, process(6, 10)], TOTAL, PAGE).first).id.pid == 1
    assert present(rank([replace(init, is_spared=None), process(6, 10)], TOTAL, PAGE).first).id.pid == 6


def test_nobody_of_an_empty_domain() -> None:
    assert rank([], TOTAL, PAGE).dying == ()
