"""NUMA nodes: lists, the figures of a node, who is bound, and the domains that can run out by themselves."""

import ctypes
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from oomtop.analysis.assessment import assess
from oomtop.analysis.dangers.kills import kills_by_subject
from oomtop.analysis.model.danger import DangerKind
from oomtop.analysis.oom_score.suspect import next_victims
from oomtop.history import History
from oomtop.host.node_domains import NodeDomain, node_domains, use_of
from oomtop.host.numa import (
    NumaNode,
    format_nodes,
    numbers_with_memory,
    parse_nodes,
    read_bound_nodes,
    read_node,
)
from oomtop.host.process import Process, ProcessId
from oomtop.host.process_scan import parse_stat, parse_status
from oomtop.host.root import Root
from oomtop.host.zoneinfo import Zone
from oomtop.oomlog.event import OomEvent, Victim
from oomtop.snapshot import Snapshot, Tick
from oomtop.sources.numa_watch import NumaWatch
from oomtop.sources.slow_reads import SlowFacts
from oomtop.units import GIB, MIB
from tests.synthetic import SyntheticMachine

MEMINFO = """Node 1 MemTotal:        1024000 kB
Node 1 MemFree:          102400 kB
Node 1 Active(file):       2048 kB
Node 1 Inactive(file):     1024 kB
Node 1 SReclaimable:        512 kB
"""


@pytest.mark.parametrize(("text", "bits"), [("0", 1), ("0-1", 3), ("0-1,3\n", 11), ("", 0), ("3-1", 0), ("9-99999", 0)])
def test_lists_of_nodes(text: str, bits: int) -> None:
    assert parse_nodes(text) in (bits, (1 << 1025) - (1 << 9))
    assert format_nodes(bits) == ("" if not bits else text.strip())


def machine_of(folder: Path, memory: str = "0-1") -> Root:
    nodes = folder / "sys/devices/system/node"
    (nodes / "node1").mkdir(parents=True)
    (nodes / "has_memory").write_text(f"{memory}\n")
    (nodes / "node1/meminfo").write_text(MEMINFO)
    return Root(str(folder))


def test_the_figures_of_a_node(tmp_path: Path) -> None:
    root = machine_of(tmp_path)
    assert numbers_with_memory(root) == (0, 1)
    assert read_node(root, 1) == NumaNode(1, 1000 * MIB, 100 * MIB, 3584 << 10)
    assert read_node(root, 0) is None
    assert numbers_with_memory(Root(str(tmp_path / "nothing"))) == ()


def test_status_tells_the_nodes_of_the_cpuset_where_there_are_several() -> None:
    raw = b"Name:\tx\nMems_allowed:\t00000000,00000002\nMems_allowed_list:\t1\nUid:\t0\t0\t0\t0\n"
    assert parse_status(raw, True)["nodes"] == 2
    assert "nodes" not in parse_status(raw)


@pytest.mark.skipif(not numbers_with_memory(Root()), reason="no NUMA here")
def test_a_memory_policy_is_seen() -> None:
    bind = "import ctypes; ctypes.CDLL(None).syscall(238, 2, ctypes.byref(ctypes.c_ulong(1)), 64); print(flush=True); input()"
    if ctypes.sizeof(ctypes.c_long) != 8:
        pytest.skip("another number of the system call")
    for text, bound in ((bind, 1), ("print(flush=True); input()", None)):
        with subprocess.Popen([sys.executable, "-S", "-c", text], stdin=-1, stdout=-1) as child:
            assert child.stdout is not None
            child.stdout.readline()
            stat = parse_stat(Path(f"/proc/{child.pid}/stat").read_bytes(), 4096, 100)
            assert read_bound_nodes(Root(), stat.id) == bound
            child.kill()


def process(pid: int, rss: int, nodes: int | None = 3) -> Process:
    base = SyntheticMachine(1, 3).processes[0]
    return replace(base, id=ProcessId(pid, 100), rss=rss, rss_anon=rss, swap=0, nodes=nodes, cgroup="/")


def snapshot(free: int, *processes: Process, bound: tuple[tuple[ProcessId, int], ...] = ()) -> Snapshot:
    zones = tuple(Zone(node, "Normal", free, MIB, 2 * MIB, 3 * MIB, GIB, GIB) for node in (0, 1))
    nodes = (NumaNode(0, GIB, 900 * MIB, 0), NumaNode(1, GIB, free, 0))
    return replace(SyntheticMachine(1, 3).snapshot(), nodes=nodes, zones=zones, processes=processes, bound=bound)


def domains(seen: Snapshot) -> tuple[NodeDomain, ...]:
    return node_domains(seen.nodes, seen.processes, dict(seen.bound))


def test_nobody_confined_is_no_domain() -> None:
    assert domains(snapshot(GIB, process(5, MIB), process(6, MIB, None))) == ()
    assert domains(SyntheticMachine(9, 3).snapshot()) == ()


def test_who_may_die_follows_from_what_confines() -> None:
    """`oom_cpuset_eligible`: a cpuset spares those of other nodes, a policy only those bound to others."""
    everywhere, there, here = process(5, 400 * MIB), process(6, 300 * MIB, 1), process(7, 100 * MIB, 2)
    by_cpuset, by_policy = NodeDomain(2, is_policy=False), NodeDomain(2, is_policy=True)
    assert [by_cpuset.has(one, {}) for one in (everywhere, there, here)] == [True, False, True]
    bound = {everywhere.id: 1, here.id: 2}
    assert [by_policy.has(one, bound) for one in (everywhere, there, here)] == [False, True, True]


def test_a_node_that_fills_is_a_danger_with_its_own_victims() -> None:
    history, found = History(), None
    there, here = process(6, 500 * MIB, 1), process(7, 300 * MIB, 2)
    for at in range(12):
        seen = replace(snapshot((500 - 20 * at) * MIB, there, here), time=1e9 + at, monotonic=1000.0 + at)
        tick = Tick(seen)
        history.add(tick)
        found = assess(tick, history, found)
    assert found is not None
    node = next(one for one in found.dangers if one.kind is DangerKind.NODE and one.subject == "node 1")
    assert node.median is not None
    assert node.median == pytest.approx((node.limit - node.held + node.swap_left) / (20 * MIB), rel=0.1)
    assert node.victim is not None
    assert node.victim.id.pid == 7
    first = next_victims(found, node).first
    assert first is not None
    assert first.id.pid == 7
    assert found.victims.first is not None
    assert found.victims.first.id.pid == 6
    last = snapshot(500 * MIB)
    assert use_of(NodeDomain(2, is_policy=False), last.nodes, last.zones) == (GIB - 498 * MIB, GIB - 498 * MIB)


def test_a_kill_of_a_policy_belongs_to_its_nodes() -> None:
    event = OomEvent(
        "kernel", "mempolicy", time=1.0, victim=Victim(7, "leak"), mems_allowed="0-1",
        raw=("oom-kill:constraint=CONSTRAINT_MEMORY_POLICY,nodemask=1,cpuset=/,mems_allowed=0-1",),
    )  # fmt: skip
    assert list(kills_by_subject([event])) == ["node 1"]
    assert list(kills_by_subject([replace(event, type="global-cpuset", raw=())])) == ["nodes 0-1"]


@pytest.mark.parametrize(("memory", "reads"), [("0", 0), ("0-1", 3)])
def test_one_node_costs_no_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, memory: str, reads: int) -> None:
    read: list[object] = []
    monkeypatch.setattr("oomtop.sources.numa_watch.read_node", lambda root, number: read.append(number))
    monkeypatch.setattr("oomtop.sources.numa_watch.read_bound_nodes", lambda root, identity: read.append(identity))
    watch = NumaWatch(machine_of(tmp_path, memory), SlowFacts())
    assert (watch.nodes(), watch.bound([process(5, MIB)])) == ((), ())
    assert len(read) == reads
    assert watch.has_nodes is (reads > 0)
