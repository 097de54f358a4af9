"""Drills on this machine: what is found before each kill, what is not, and how good the outlook was."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from oomtop.analysis.assessment import assess
from oomtop.analysis.model.assessment import Assessment, Severity
from oomtop.history import History
from oomtop.host.cgroup import find_layout
from oomtop.host.root import Root
from oomtop.sources.live import LiveSource
from tests.present import present

LAYOUT = find_layout(Root())
pytestmark = pytest.mark.skipif(
    LAYOUT is None or os.geteuid() != 0 or not os.access(LAYOUT.memory_mount, os.W_OK), reason="may not make a cgroup"
)


class Drill:
    """One drill, and what was seen of it while it ran."""

    def __init__(self, *words: str) -> None:
        self.accused, self.predicted = set[int](), set[int]()
        self.accusations, self.last_accusations = set[str](), set[str]()
        self.outlook, self.growth = list[tuple[float, int | None, float]](), list[float]()
        self.said: Any = None
        self.killed_at: float | None = None
        self.late = 0
        self._process = subprocess.Popen(
            [sys.executable, "-m", "oomtop", "drill", *words, "--yes", "--json"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self.path = f"/oomtop-drill-{self._process.pid}"

    def has_ended(self) -> bool:
        """Whether it is over, and its kill was read from the log, which is given some ticks for it."""
        if self.said is None and self._process.poll() is not None:
            self.said = json.loads(self._process.communicate()[0])
        self.late += self.said is not None
        return self.said is not None and (self.said["end"] != "killed" or bool(self.killed_at) or self.late > 50)

    def note(self, assessment: Assessment) -> None:
        """Keep what is said about this drill and its processes; the machine may have other troubles meanwhile."""
        own = {row.process.id for row in assessment.rows if row.process.cgroup == self.path}
        kills = [event.time for event in assessment.events if event.oom_memcg == self.path and event.time is not None]
        self.killed_at = min(kills, default=None)
        found = [each for each in assessment.findings if each.cgroup == self.path or each.target in own]
        self.last_accusations = {finding.id for finding in found if finding.severity is not Severity.INFO}
        self.accusations |= self.last_accusations
        self.accused |= {finding.target.pid for finding in found if finding.target}
        for figures in assessment.cgroups:
            if figures.cgroup.path == self.path:
                first = figures.victims.first
                self.predicted.update([first.id.pid] if first else [])
                if figures.danger and figures.danger.median is not None:
                    self.outlook.append((assessment.time, figures.headroom, figures.danger.median))
        self.growth += [row.growth for row in assessment.rows if row.process.cgroup == self.path and row.growth]


def watch(*commands: tuple[str, ...]) -> list[Drill]:
    """Run drills at the same time, and return them as the monitor saw them."""
    source, history, assessment, drills = LiveSource(0.4), History(), None, list[Drill]()
    for tick in source.ticks():
        history.add(tick)
        assessment = assess(tick, history, assessment)
        if not drills:
            drills = [Drill(*command) for command in commands]
        running = [drill for drill in drills if not drill.has_ended()]
        for drill in running:
            drill.note(assessment)
        if not running:
            source.close()
    return drills


def assert_foreseen(drill: Drill, size: int, rate: int) -> None:
    assert drill.said["end"] == "killed"
    if drill.killed_at is None:
        pytest.skip("the kernel log cannot be read")
    assert drill.predicted == set(drill.said["pids"])
    assert "cgroup_limit" in drill.accusations
    assert drill.accused == set(drill.said["pids"])
    assert drill.growth[-1] == pytest.approx(rate, rel=0.1)
    moment, _, seconds = min(drill.outlook, key=lambda item: abs(present(item[1]) - size / 2))
    assert seconds == pytest.approx(drill.killed_at - moment, rel=0.25, abs=0.8)


def test_a_leak_is_found_and_nobody_else_is_accused() -> None:
    leak, cache, fragment = watch(
        ("leak", "--size", "96M", "--rate", "10M"),
        ("cache", "--size", "64M", "--rate", "64M", "--seconds", "6"),
        ("fragment", "--size", "64M", "--rate", "64M", "--seconds", "6"),
    )
    assert_foreseen(leak, 96 << 20, 10 << 20)
    for drill in (cache, fragment):
        assert drill.said["end"] == "time is up"
        # What takes half of its limit looks like a leak until it has it.
        assert drill.last_accusations <= {"fragmentation"}


def test_a_surge_is_found_before_the_kill() -> None:
    (surge,) = watch(("surge", "--size", "160M", "--rate", "16M"))
    assert_foreseen(surge, 160 << 20, 16 << 20)


def test_a_swarm_is_found_before_the_kill() -> None:
    (swarm,) = watch(("swarm", "--size", "256M", "--rate", "32M"))
    assert swarm.said["end"] == "killed"
    assert "cgroup_limit" in swarm.accusations
