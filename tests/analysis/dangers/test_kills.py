"""Kills by the limit that was hit: from the log, else from the counters of cgroups; who was killed is remembered."""

from dataclasses import replace

from oomtop.analysis.assessment import assess
from oomtop.analysis.dangers.kills import kills_by_subject, with_counted
from oomtop.analysis.model.assessment import Assessment
from oomtop.analysis.sentences import describe_subject
from oomtop.history import History
from oomtop.host.cgroup import Cgroup, CgroupEvents
from oomtop.oomlog.event import OomEvent, Victim
from oomtop.snapshot import Tick
from oomtop.units import MIB
from tests.present import present
from tests.synthetic import SyntheticMachine

NOW = 1_790_000_000.0


def event(at: int, kind: str = "memcg", path: str = "/a", killer: str = "kernel") -> OomEvent:
    return OomEvent(killer, kind, time=NOW + at, oom_memcg=path, victim=Victim(7, "leak", anon_rss=MIB))


def test_kills_belong_to_the_limit_that_was_hit() -> None:
    found = kills_by_subject([event(9), event(5, "global"), event(3, path="/b"), event(1, killer="earlyoom"), event(0)])
    assert {subject: [kill.time - NOW for kill in kills] for subject, kills in found.items()} == {
        "/a": [9, 0], "RAM": [5], "/b": [3],
    }  # fmt: skip


def test_a_counted_kill_is_one_only_where_no_log_tells_of_it() -> None:
    told = kills_by_subject([event(10)])
    found = with_counted(told, {"/a": [NOW + 11.5, NOW - 60], "/b": [NOW + 12]})
    assert [(kill.time - NOW, kill.pid) for kill in found["/a"]] == [(10, 7), (-60, None)]
    assert "/b" not in found


def watched(kills: list[int], path: str = "/system.slice") -> Assessment:
    """Return the last assessment of a machine whose group counts these kills, tick by tick."""
    machine, history, found = SyntheticMachine(20, 4), History(), None
    for count in kills:
        snapshot = machine.snapshot(2.0)
        inner = Cgroup(path, 50 * MIB, max=100 * MIB, events=CgroupEvents(oom_kill=count))
        outer = Cgroup("/", 60 * MIB, max=900 * MIB, events=CgroupEvents(oom_kill=count))
        groups = (outer, inner, *(replace(group, max=None) for group in snapshot.cgroups[2:]))
        history.add(Tick(replace(snapshot, cgroups=groups)))
        found = assess(Tick(present(history.current)), history, found)
    return present(found)


def test_without_a_log_the_counter_of_the_inner_group_tells_of_a_kill() -> None:
    found = watched([0] * 8 + [1, 1])
    kills = {danger.subject: len(danger.kills) for danger in found.dangers}
    assert (kills["/system.slice"], kills["/"]) == (1, 0)
    assert describe_subject(found.dangers, found.time) == "killed 2s ago: a process at the limit of /system.slice"


def test_what_a_group_held_is_remembered_for_minutes_after_it_is_gone() -> None:
    machine, history = SyntheticMachine(20, 4), History()
    for at in range(200):
        snapshot = machine.snapshot(2.0)
        group = Cgroup("/a", 50 * MIB, max=100 * MIB)
        history.add(Tick(replace(snapshot, cgroups=(group,) if at < 20 else ())))
        if at in (19, 60):
            assert "/a" in history.uses
    assert "/a" not in history.uses
