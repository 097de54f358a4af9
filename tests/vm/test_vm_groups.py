"""Limits of cgroup v2: one group, oom.group, nested limits, a swarm under pids.max, a page cache flood; nobody's rights."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.vm.machine import Machine, Shape
from tests.vm.told import assert_alive, assert_told, assert_whole


def limited() -> dict[str, Any]:
    import contextlib
    import subprocess
    import sys
    import time

    from tests.vm import guest

    watch, said = guest.Watch(), {}
    box = guest.group("box", memory_max="64M", memory_swap_max="0")
    said["limit"] = watch.follow([guest.Load("inside", 100, folder=box, step=4)], "/box")

    team = guest.group("team", memory_max="90M", memory_swap_max="0", memory_oom_group="1")
    mates = [guest.Load("mate", 20, 0, folder=team), guest.Load("grower", 100, folder=team, step=10)]
    said["oom.group"] = watch.follow(mates, "/team", killed=["grower"])

    guest.group("outer", memory_max="90M", memory_swap_max="0")
    one, two = guest.group("outer/one", memory_max="80M"), guest.group("outer/two")
    nested = [guest.Load("small", 15, 0, folder=two), guest.Load("big", 100, folder=one, step=10)]
    said["nested"] = watch.follow(nested, "/outer", killed=["big"])

    swarm = guest.group("swarm", pids_max="40", memory_max="200M")
    bomb = "import os\nwhile True:\n try: os.fork()\n except OSError: pass\n"
    with guest.Grouped(swarm, [sys.executable, "-S", "-c", bomb]):
        time.sleep(2)
        said["swarm"] = watch.observe(8)
        said["swarm"]["pids"] = int((swarm / "pids.current").read_text())
    said["swarm"]["events"] = watch.news()

    flood = guest.group("flood", memory_max="48M")
    read = "exec find /usr/lib/python3* /usr/lib/x86_64-linux-gnu -type f -size +200k -exec cat {} + >/dev/null"
    with guest.Grouped(flood, ["sh", "-c", read]), contextlib.suppress(subprocess.TimeoutExpired):
        said["flood"] = watch.observe(12)
    said["flood"]["events"] = watch.news()
    return {"said": said, "recording": watch.close()}


SHAPE = Shape(memory=1024)


@pytest.fixture(scope="module")
def all_groups(machine: Callable[[Shape], Machine]) -> dict[str, Any]:
    answer: dict[str, Any] = machine(SHAPE).call(limited, timeout=1800)
    for name, one in answer["said"].items():
        print(name, one["monitor"], one["findings"])
    print(answer["recording"])
    return answer


@pytest.fixture(scope="module")
def groups(all_groups: dict[str, Any]) -> Any:
    return all_groups["said"]


def test_the_recording_of_all_that_is_whole(all_groups: dict[str, Any]) -> None:
    assert_whole(all_groups["recording"], *all_groups["said"].values())


def test_a_limit(groups: dict[str, Any]) -> None:
    assert_told(groups["limit"], "inside", "memcg", "/box")
    assert "cgroup_limit" in groups["limit"]["findings"]


def test_a_group_that_dies_together(groups: dict[str, Any]) -> None:
    said = groups["oom.group"]
    assert sorted(said["killed"]) == ["grower", "mate"]
    event = next(event for event in said["events"] if event["oom_memcg"] == "/team")
    assert event["oom_group"] == "/team"
    assert said["predicted"]["pid"] == event["victim"]["pid"] == said["all"]["grower"]
    assert_alive(said)
    assert f"kernel killed grower {event['victim']['pid']}" in said["screen"], said["screen"]


def test_the_limit_above_decides(groups: dict[str, Any]) -> None:
    assert_told(groups["nested"], "big", "memcg", "/outer")


def test_a_fork_bomb_under_a_limit_of_processes(groups: dict[str, Any]) -> None:
    assert_alive(groups["swarm"])
    assert groups["swarm"]["pids"] == 40
    assert groups["swarm"]["events"] == []


def test_a_page_cache_flood_accuses_nobody(groups: dict[str, Any]) -> None:
    assert_alive(groups["flood"])
    assert groups["flood"]["events"] == []
    assert groups["flood"]["findings"] == []


def unprivileged() -> dict[str, Any]:
    import subprocess
    from pathlib import Path

    from tests.vm import guest

    Path("/proc/sys/kernel/dmesg_restrict").write_text("1")
    subprocess.run(["mount", "-o", "remount,hidepid=2", "/proc"], check=True)

    watch = guest.Watch(guest.NOBODY, patience=20)
    said = watch.follow(
        [guest.Load("bystander", 20), guest.Load("hog", 900, step=50)], killed=["hog"], shown="not in any"
    )
    recording = watch.close()
    subprocess.run(["mount", "-o", "remount,hidepid=0", "/proc"], check=True)
    Path("/proc/sys/kernel/dmesg_restrict").write_text("0")
    return {"said": said, "recording": recording}


def test_an_unprivileged_user_who_may_see_next_to_nothing(machine: Callable[[Shape], Machine]) -> None:
    answer: dict[str, Any] = machine(Shape()).call(unprivileged, timeout=1200)
    said = answer["said"]
    print(said["monitor"], said["warm"], answer["recording"])
    assert_alive(said)
    assert said["killed"] == ["hog"]
    assert said["predicted"]["pid"] == said["all"]["hog"], said["predicted"]
    assert "not in any" in said["screen"], said["screen"]
    assert_whole(answer["recording"])
