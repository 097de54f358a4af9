"""No two lines contradict each other, whatever is assessed: one subject, no all-clear beside a forecast, sums that add up."""

import json
import random
import re
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from oomtop.analysis.assessment import assess
from oomtop.analysis.dangers.order import subject_of
from oomtop.analysis.dangers.severity import severity_of
from oomtop.analysis.model.assessment import Assessment, Severity
from oomtop.analysis.model.danger import Danger, DangerKind, DangerState
from oomtop.analysis.oom_score.suspect import accused, next_victims
from oomtop.analysis.postmortem.explain import explain
from oomtop.analysis.sentences import describe_subject, describe_use
from oomtop.commands.check import Thresholds, judge
from oomtop.exporter.families import families
from oomtop.history import History
from oomtop.host.cgroup import Cgroup, CgroupEvents, is_inside
from oomtop.host.kernel_facts import KernelFacts
from oomtop.host.killer_settings import KillerSettings
from oomtop.host.numa import NumaNode
from oomtop.host.process import ProcessId
from oomtop.oomlog.event import OomEvent, Victim
from oomtop.render.assessment_json import assessment_to_json
from oomtop.render.top import render_top
from oomtop.snapshot import Snapshot, Tick
from oomtop.tui.dangers.strip import draw_strip
from oomtop.tui.process_table.order import TableOrder, nearest
from oomtop.tui.process_table.rows import View
from oomtop.tui.style.cell_width import cell_len
from oomtop.tui.style.palette import Look
from oomtop.units import MIB, format_about, printable
from tests.present import present
from tests.synthetic import SyntheticMachine
from tests.tui.allowed import at_victim, everything

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
    _make_odd(machine, chance)
    loads = [_Load(path, chance) for path in PATHS[: chance.randrange(1, 7)]]
    seconds = chance.choice([1.0, 2.0, 5.0])
    for _ in range(TICKS):
        snapshot = machine.snapshot(seconds)
        steps = [load.step(seconds, snapshot.time) for load in loads]
        limited = {group.path: group for group, _ in steps}
        groups = tuple(limited.get(group.path, replace(group, max=None)) for group in snapshot.cgroups)
        snapshot = _with_oddities(replace(snapshot, cgroups=groups), chance)
        tick = Tick(snapshot, tuple(event for _, events in steps for event in events))
        history.add(tick)
        found = assess(tick, history, found)
        yield found


def _make_odd(machine: SyntheticMachine, chance: random.Random) -> None:
    """Give the machine names that no screen must take literally, sharers, odd scores, sets of nodes, a commit limit."""
    names = ("a [bold]b", "new\nline", "\x1b[31mred", "漢字" * 4, "", "x" * 15)
    for at, process in enumerate(machine.processes):
        changes: dict[str, Any] = {"comm": chance.choice(names)} if chance.random() < 0.1 else {}
        changes["oom_score_adj"] = chance.choice((0, 0, 0, 300, -500, -1000))
        if chance.random() < 0.1:
            changes |= {"memory_owner": machine.processes[0].pid, "cgroup": PATHS[0]}
        if chance.random() < 0.2:
            changes["nodes"] = chance.choice((1, 2, 3))
        machine.processes[at] = replace(process, **changes)
    if chance.random() < 0.2:
        machine.processes = [replace(process, cgroup="/") for process in machine.processes]


def _with_oddities(snapshot: Snapshot, chance: random.Random) -> Snapshot:
    groups = tuple(
        replace(group, oom_group=group.path.endswith(("1", "3")), swap_max=chance.choice((None, 0, 10 * MIB)))
        for group in snapshot.cgroups
    )
    nodes = tuple(NumaNode(at, 8192 * MIB, (50 + 900 * at) * MIB, 0) for at in (0, 1))
    settings = KernelFacts((("overcommit_memory", chance.choice(("0", "2"))), ("swappiness", "60")), ())
    killers = (KillerSettings("earlyoom", ProcessId(9, 1), ("-m", "5"), (), "1.7"),)
    return replace(
        snapshot, cgroups=groups, nodes=nodes, kernel=settings, killers=chance.choice(((), killers)),
        meminfo=replace(snapshot.meminfo, commit_limit=6 << 30, committed_as=max(0, present(snapshot.meminfo.committed_as))),
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(RUNS))
def test_no_two_lines_contradict_each_other(seed: int) -> None:
    for found in assessments(seed):
        for danger in found.dangers:
            _adds_up(danger)
        _is_ordered(found)
        _has_one_subject(found)
        _gives_no_false_all_clear(found)
        _names_who_dies(found)
        _says_the_same_everywhere(found)


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
    assert danger.rounds is None or 3 <= danger.rounds.count <= len(danger.kills)
    assert all(earlier.time <= later.time for later, earlier in pairwise(danger.kills))
    assert danger.state is not DangerState.FALLING or present(danger.rate) < 0
    assert "+-" not in describe_use(danger)
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
    victim, first = subject.victim, next_victims(found).first
    if victim is not None:
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
        assert f"Next      {printable(first.victim.name)} (pid {first.victim.id.pid})" in text


def _names_who_dies(found: Assessment) -> None:
    rows = {row.process.id: row.process for row in found.rows}
    for danger in found.dangers:
        named = [one.id for one in danger.dying]
        assert len(set(named)) == len(named)
        assert not set(named) & set(danger.dies_with)
        for one in danger.dying:
            process = rows[one.id]
            assert process.oom_score_adj != -1000
            assert process.pid != 1
            assert danger.kind is not DangerKind.CGROUP or is_inside(process.cgroup, danger.subject)
        assert not danger.near_tie or len(danger.dying) > 1 or danger.dies_together
        assert danger.victim is None or danger.victim.held <= rows[danger.victim.id].rss_and_swap


def _says_the_same_everywhere(found: Assessment) -> None:
    """Strip, board, mark, JSON, `check` and the table name one subject, one time and one victim."""
    first = found.dangers[0]
    data: dict[str, Any] = assessment_to_json(found)
    assert [one["median"] for one in data["dangers"]] == [one.median for one in found.dangers]
    assert [one["dying"][0]["pid"] if one["dying"] else None for one in data["dangers"]] == [
        one.victim.id.pid if one.victim else None for one in found.dangers
    ]
    order = TableOrder(View(), nearest)
    order.take(found, needs_ranks=True)
    assert order.victim == (first.victim.id if first.victim else None)
    for width in (40, 80, 200):
        lines = [line.plain for line in draw_strip(everything(), at_victim)(found, width, 4, Look())]
        assert all(cell_len(line) <= width for line in lines)
        assert not any(ord(sign) < 32 or ord(sign) == 127 for line in lines for sign in line)
        said = "\n".join(lines)
        if "FULL IN" in said:
            assert f"FULL IN {format_about(present(first.median))}" in said
            assert "no danger" not in said
        if first.median is not None and width == 200 and len(lines) > 1 and first.victim is not None:
            assert str(first.victim.id.pid) in said or found.early_killers
    options = Namespace(
        available=None, swap_free=None, psi_some=None, psi_full=None, headroom=Thresholds(50, 1),
        exhaustion=Thresholds(600, 60),
    )  # fmt: skip
    by_name = {one.name: one for one in judge(found, options)}
    if first.median is not None:
        assert (by_name["exhaustion"].value, by_name["exhaustion"].limit) == (first.median, first.name)
    for event in found.events[:2]:
        assert explain(event).event.victim is event.victim
