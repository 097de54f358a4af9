"""Two NUMA nodes: one fills while the other has room, for a memory policy and for a cpuset; who dies is foreseen."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.vm.machine import Machine, Shape

SHAPE = Shape(memory=1280, nodes=2)


def node_filled(by_policy: bool) -> dict[str, Any]:
    import time
    from pathlib import Path

    from oomtop.analysis.assessment import assess
    from oomtop.history import History
    from oomtop.snapshot import Tick
    from oomtop.sources.sampler import Sampler
    from tests.vm import guest

    guest.shield()
    folder = guest.GROUPS / "bound"
    if not by_policy:
        (guest.GROUPS / "cgroup.subtree_control").write_text("+cpuset")
        folder.mkdir(exist_ok=True)
        (folder / "cpuset.mems").write_text("1")
    loads = [
        guest.Load("elsewhere", 150, node=0 if by_policy else None),
        guest.Load("confined", 600, 25, node=1 if by_policy else None, folder=None if by_policy else folder),
        guest.Load("neighbour", 60, node=1 if by_policy else None, folder=None if by_policy else folder),
    ]
    kills, sampler, history, last = guest.KernelKills(), Sampler(), History(), None
    seen, first, killed_before = [], None, guest.oom_kills()
    loads[0].go().settle()
    loads[2].go().settle()
    loads[1].go()
    begun, end = time.monotonic(), time.monotonic() + 120
    while all(load.process.poll() is None for load in loads) and time.monotonic() < end:
        tick = Tick(sampler.sample())
        history.add(tick)
        last = assess(tick, history, last)
        # The kernel counts before it signals: a look that ended after that is no forecast.
        if guest.oom_kills() == killed_before:
            first = last.dangers[0].subject
            seen += [
                {"at": time.monotonic() - begun, "median": one.median, "victim": one.victim and one.victim.id.pid}
                for one in last.dangers
                if one.subject == "node 1"
            ]
        time.sleep(1)
    killed, took = kills.next(), time.monotonic() - begun
    free = int(Path("/sys/devices/system/node/node0/meminfo").read_text().split("MemFree:")[1].split()[0]) >> 10
    events = [event["type"] for event in guest.events()][-1:]
    sampler.close()
    for load in loads:
        load.end()
    return {
        "seen": seen, "killed": killed, "pids": {load.name: load.pid for load in loads}, "took": took, "events": events,
        "free": free, "first": first,
    }  # fmt: skip


@pytest.mark.parametrize("by_policy", [True, False], ids=["mempolicy", "cpuset"])
def test_a_node_runs_out_while_another_has_room(machine: Callable[[Shape], Machine], by_policy: bool) -> None:
    said = machine(SHAPE).call(node_filled, timeout=300, by_policy=by_policy)
    print(said)
    assert said["killed"] == said["pids"]["confined"]
    assert said["seen"][-1]["victim"] == said["killed"]
    assert said["events"] == ["mempolicy" if by_policy else "global-cpuset"]
    assert said["free"] > 100
    assert said["first"] == "node 1"
    told = [one["at"] for one in said["seen"] if one["median"] is not None]
    assert said["took"] - told[0] > 5
