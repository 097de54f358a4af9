"""The real thing: a process grows in a limited cgroup, is foreseen as the victim, and is killed by the kernel."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from oomtop.analysis.assessment import assess
from oomtop.analysis.postmortem.explain import explain
from oomtop.history import History
from oomtop.host.cgroup import CgroupLayout
from oomtop.sources.live import LiveSource

LIMIT = 300 << 20
HOG = """
import mmap, sys, time
sys.stdin.readline()
m = mmap.mmap(-1, 1 << 30, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
begun = time.monotonic()
for i in range(1 << 10):
    m[i << 20:(i + 1) << 20] = b"x" * (1 << 20)
    time.sleep(max(0, (i + 1) / 50 - (time.monotonic() - begun)))
"""


@pytest.fixture
def group(cgroup: tuple[CgroupLayout, Path]) -> Path:
    layout, folder = cgroup
    name = "memory.limit_in_bytes" if layout.version == 1 else "memory.max"
    (folder / name).write_text(str(LIMIT))
    swap = folder / ("memory.memsw.limit_in_bytes" if layout.version == 1 else "memory.swap.max")
    if swap.exists():
        swap.write_text(str(LIMIT if layout.version == 1 else 0))
    return folder


def test_a_surge_is_seen_foreseen_and_explained(group: Path) -> None:
    hog = subprocess.Popen([sys.executable, "-c", HOG], stdin=subprocess.PIPE)
    (group / "cgroup.procs").write_text(str(hog.pid))
    source, history, assessment = LiveSource(0.5), History(), None
    path = f"/{group.name}"
    growth, outlook, predicted, event, times, sizes = [], [], set(), None, [], []
    deadline = time.monotonic() + 120
    for tick in source.ticks():
        history.add(tick)
        assessment = assess(tick, history, assessment)
        times.append(tick.snapshot.time)
        if history.ticks == 1:
            assert hog.stdin is not None
            hog.stdin.write(b"\n")
            hog.stdin.flush()
        rows = [row for row in assessment.rows if row.process.pid == hog.pid and row.growth]
        growth += [row.growth for row in rows]
        sizes += [(tick.snapshot.time, row.process.rss) for row in rows if not row.process.is_exiting]
        for figures in assessment.cgroups:
            alive = growth and hog.pid in {row.process.pid for row in assessment.rows if not row.process.is_exiting}
            if alive and figures.cgroup.path == path and figures.danger and figures.danger.median is not None:
                outlook.append(figures.danger.median)
                predicted.add(figures.victims.first.id.pid if figures.victims.first else None)
        event = next((e for e in assessment.events if e.victim and e.victim.pid == hog.pid), None)
        if event is not None or time.monotonic() > deadline:
            source.close()
    assert hog.wait(5) == -9
    assert event is not None
    assert (event.type, event.victim_cgroup) == ("memcg", path)
    assert event.time is not None
    assert sum(moment > event.time for moment in times) <= 2
    explained = explain(event)
    assert (explained.ranking[0].pid, explained.ranking[0].is_selected, explained.agrees) == (hog.pid, True, True)
    assert predicted == {hog.pid}
    assert outlook
    # On a busy machine it grows as fast as it comes to run.
    (begun, small), *_, (ended, large) = sizes
    assert growth[-1] == pytest.approx((large - small) / (ended - begun), rel=0.2)
