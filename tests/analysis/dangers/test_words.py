"""No two lines contradict each other, whatever is assessed: one subject, no all-clear beside a forecast, sums that add up."""

import json
import random
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from oomtop.analysis.assessment import assess
from oomtop.analysis.dangers.order import subject_of
from oomtop.analysis.dangers.severity import severity_of
from oomtop.analysis.model.assessment import Assessment, Severity
from oomtop.analysis.model.danger import Danger, DangerKind, DangerState
from oomtop.analysis.oom_score.suspect import accused, next_victims
from oomtop.analysis.sentences import describe_subject
from oomtop.exporter.families import families
from oomtop.history import History
from oomtop.host.cgroup import Cgroup, CgroupEvents
from oomtop.oomlog.event import OomEvent, Victim
from oomtop.render.assessment_json import assessment_to_json
from oomtop.render.top import render_top
from oomtop.snapshot import Tick
from oomtop.units import MIB
from tests.present import present
from tests.synthetic import SyntheticMachine

RUNS, TICKS = 40, 25
PATHS = [f"/system.slice/unit-{at}.service" for at in range(6)]


class _Load:
    """A group that grows, falls, stays, or is killed, at random."""

    def __init__(self, path: str, chance: random.Random) -> None:
        self.path, self._chance = path, chance
        self._limit = chance.randrange(50, 500) * MIB
        self._size = self._limit * chance.random()
        self._rate = chance.choice([-0.02, 0, 0, 0.001, 0.01, 0.05, 0.2]) * self._limit
        self._cache, self._kills = chance.random() * self._limit, 0

    def step(self, seconds: float, now: float) -> tuple[Cgroup, list[OomEvent]]:
        """Return the group a while later, and its kill."""
        self._size = max(0.0, self._size + self._rate * seconds + self._chance.gauss(0, 0.001) * self._limit)
        killed = self._size >= self._limit
        if killed:
            self._size, self._kills = self._limit * 0.05, self._kills + 1
        held = int(min(self._size, self._limit))
        cache = int(min(self._cache, self._limit - held))
        events = CgroupEvents(max=self._kills, oom_kill=self._kills)
        group = Cgroup(
            self.path, held + cache, max=self._limit, anon=held, active_file=cache, inactive_file=0,
            slab_reclaimable=0, events=events, pids_current=self._chance.choice([0, 3, 3, 3, 3]),
        )  # fmt: skip
        victim = Victim(700 + self._kills, "leak", anon_rss=held)
        event = OomEvent("kernel", "memcg", time=now, kernel_time=now, oom_memcg=self.path, victim=victim)
        return group, [event] if killed else []


def assessments(seed: int) -> Iterator[Assessment]:
    """Yield the assessments of one random machine."""
    chance = random.Random(seed)
    machine, history, found = SyntheticMachine(60, 8, seed=seed), History(), None
    loads = [_Load(path, chance) for path in PATHS[: chance.randrange(1, 7)]]
    seconds = chance.choice([1.0, 2.0, 5.0])
    for _ in range(TICKS):
        snapshot = machine.snapshot(seconds)
        steps = [load.step(seconds, snapshot.time) for load in loads]
        limited = {group.path: group for group, _ in steps}
        groups = tuple(limited.get(group.path, replace(group, max=None)) for group in snapshot.cgroups)
        snapshot = replace(snapshot, cgroups=groups)
        tick = Tick(snapshot, tuple(event for _, events in steps for event in events))
        history.add(tick)
        found = assess(tick, history, found)
        yield found


@pytest.mark.parametrize("seed", range(RUNS))
def test_no_two_lines_contradict_each_other(seed: int) -> None:
    for found in assessments(seed):
        for danger in found.dangers:
            _adds_up(danger)
        _is_ordered(found)
        _has_one_subject(found)
        _gives_no_false_all_clear(found)


def _adds_up(danger: Danger) -> None:
    assert danger.held + danger.cache == danger.used
    assert 0.0 <= danger.share <= 1.0
    times = (danger.earliest, danger.median, danger.latest, danger.confidence, danger.basis, danger.growing)
    if danger.state is DangerState.FILLING:
        earliest, latest = present(danger.earliest), present(danger.latest)
        assert earliest <= present(danger.median) <= latest <= 5 * max(1.0, earliest)
    else:
        assert times == (None,) * 6
    if danger.basis == "linear":
        assert danger.room == pytest.approx(present(danger.rate) * present(danger.median), rel=0.01, abs=MIB)
    if danger.state is DangerState.EMPTY:
        assert severity_of(danger) is None
    for one in danger.dying:
        assert 0 <= one.frees <= danger.held + danger.swapped
    for remedy in danger.remedies:
        assert remedy.seconds is None or danger.median is not None
        assert remedy.action != "kill" or (remedy.target, remedy.size) == (
            present(danger.victim).id,
            present(danger.victim).frees,
        )


def _is_ordered(found: Assessment) -> None:
    medians = [danger.median for danger in found.dangers]
    known = [median for median in medians if median is not None]
    assert medians[: len(known)] == sorted(known)


def _has_one_subject(found: Assessment) -> None:
    subject = present(subject_of(found.dangers))
    data: dict[str, Any] = assessment_to_json(found)
    json.dumps(data, allow_nan=False)
    assert data["dangers"][0]["subject"] == subject.subject
    victim = present(subject.victim)
    first = next_victims(found).first
    if subject.dying:
        assert victim.id == present(first).id
    if subject.median is not None:
        assert accused(found) == (None if first is None else first.id)
    of_limits = [finding for finding in found.findings if finding.id == "cgroup_limit"]
    graver = [finding for finding in of_limits if finding.severity is of_limits[0].severity] if of_limits else []
    places = [danger.subject for danger in found.dangers]
    assert [places.index(present(finding.cgroup)) for finding in graver] == sorted(
        places.index(present(f.cgroup)) for f in graver
    )
    for group in found.cgroups:
        if group.danger is not None:
            assert group.danger in found.dangers
    served = {
        sample.labels["resource"]: sample.value
        for family in families(found, 20)
        for sample in family.samples
        if sample.name == "oomtop_exhaustion_seconds"
    }
    for danger in found.dangers:
        if danger.median is not None:
            assert served[danger.resource] == danger.median


def _gives_no_false_all_clear(found: Assessment) -> None:
    said = describe_subject(found.dangers, found.time)
    text = render_top(found, 3, "memory", 300)
    first = found.dangers[0]
    is_clear = "no danger" in said
    killed = [kill for danger in found.dangers for kill in danger.kills if found.time - kill.time < 60]
    if first.median is not None or killed or first.watched(found.time) < 10:
        assert not is_clear
    if is_clear:
        assert not any(
            finding.severity is Severity.CRITICAL for finding in found.findings if finding.id == "cgroup_limit"
        )
    for percent in re.findall(r"(\d+) ?% of", text):
        assert int(percent) <= 100
    if first.kind is DangerKind.CGROUP and first.victim is not None:
        assert f"Next      {first.victim.name} (pid {first.victim.id.pid})" in text
