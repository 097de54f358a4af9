"""The first candidates of the machine and of the limited groups, whose adj is read on every tick."""

from oomtop.host.cgroup import Cgroup
from oomtop.sources.candidates import first_candidates
from oomtop.sources.sampler import Sampler
from tests.analysis.oom_score.test_explain import PAGE, TOTAL, process
from tests.odd_processes import odd_process


def test_the_first_of_each_domain_are_watched() -> None:
    machine = [process(100 + n, 1000 + n) for n in range(30)]
    group = [process(500 + n, n, cgroup="/a/b") for n in range(30)]
    groups = [Cgroup("/", 0), Cgroup("/a", 90, max=100), Cgroup("/c", 1, max=100)]
    found = {candidate.pid for candidate in first_candidates([*machine, *group], groups, TOTAL, PAGE)}
    assert found == {*range(110, 130), *range(510, 530)}


def test_the_fullest_groups_come_first_when_there_are_too_many() -> None:
    groups = [Cgroup(f"/g{n}", n, max=1000) for n in range(50)]
    members = [process(1000 + 20 * n + k, 1, cgroup=f"/g{n}") for n in range(50) for k in range(20)]
    found = {candidate.cgroup for candidate in first_candidates(members, groups, TOTAL, PAGE)}
    assert len(found) <= 6
    assert "/g49" in found
    assert "/g46" in found


def test_an_adj_that_another_tool_sets_is_seen_at_the_next_tick() -> None:
    sampler = Sampler()
    with odd_process("print(flush=True); threading.Event().wait()") as child:
        seen = []
        for adj in (900, 899, 0, 900):
            with open(f"/proc/{child.pid}/oom_score_adj", "w") as file:
                file.write(str(adj))
            seen.append({p.pid: p.oom_score_adj for p in sampler.sample().processes}[child.pid])
    sampler.close()
    assert seen == [900, 899, 0, 900]
