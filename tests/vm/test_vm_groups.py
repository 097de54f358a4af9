"""Limits of cgroup v2: one group, oom.group, nested limits, a swarm under pids.max, a page cache flood; other killers."""

import pytest

from tests.vm.machine import Shape
from tests.vm.told import assert_alive, assert_told


def limited():
    import contextlib
    import subprocess
    import sys
    import time

    import guest

    watch, said = guest.Watch(), {}
    box = guest.group("box", memory_max="64M", memory_swap_max="0")
    said["limit"] = watch.follow([guest.Load("inside", 100, 8, folder=box)], "/box")

    team = guest.group("team", memory_max="90M", memory_swap_max="0", memory_oom_group="1")
    mates = [guest.Load("mate", 20, 0, folder=team), guest.Load("grower", 100, 8, folder=team)]
    said["oom.group"] = watch.follow(mates, "/team", killed=["grower"])

    guest.group("outer", memory_max="90M", memory_swap_max="0")
    one, two = guest.group("outer/one", memory_max="80M"), guest.group("outer/two")
    nested = [guest.Load("small", 15, 0, folder=two), guest.Load("big", 100, 8, folder=one, adj=0)]
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
    watch.close()
    return said


@pytest.fixture(scope="module")
def groups(machine):
    said = machine(Shape(memory=700)).call(limited, timeout=600)
    for name, one in said.items():
        print(name, one["monitor"], one["findings"])
    return said


def test_a_limit(groups):
    assert_told(groups["limit"], "inside", "memcg", "/box")
    assert "cgroup_limit" in groups["limit"]["findings"]


def test_a_group_that_dies_together(groups):
    said = groups["oom.group"]
    assert sorted(said["killed"]) == ["grower", "mate"]
    event = next(event for event in said["events"] if event["oom_memcg"] == "/team")
    assert event["oom_group"] == "/team"
    assert said["predicted"]["pid"] == event["victim"]["pid"] == said["all"]["grower"]
    assert_alive(said)


def test_the_limit_above_decides(groups):
    assert_told(groups["nested"], "big", "memcg")


def test_a_fork_bomb_under_a_limit_of_processes(groups):
    assert_alive(groups["swarm"])
    assert groups["swarm"]["pids"] == 40
    assert groups["swarm"]["events"] == []


def test_a_page_cache_flood_accuses_nobody(groups):
    assert_alive(groups["flood"])
    assert groups["flood"]["events"] == []
    assert groups["flood"]["findings"] == []


def unprivileged():
    import subprocess
    from pathlib import Path

    import guest

    Path("/proc/sys/kernel/dmesg_restrict").write_text("1")
    subprocess.run(["mount", "-o", "remount,hidepid=2", "/proc"], check=True)

    watch = guest.Watch((*guest.NOBODY, *guest.MONITOR))
    said = watch.follow([guest.Load("bystander", 20), guest.Load("hog", 700, 25)], killed=["hog"], shown="in no log")
    watch.close()
    subprocess.run(["mount", "-o", "remount,hidepid=0", "/proc"], check=True)
    return said


def test_an_unprivileged_user_who_may_see_next_to_nothing(machine):
    said = machine(Shape(memory=512)).call(unprivileged, timeout=400)
    print(said["monitor"], said["warm"])
    assert_alive(said)
    assert said["killed"] == ["hog"]
    assert "in no log" in said["screen"], said["screen"]


def earlyoom():
    import subprocess

    import guest

    # Its lines in the kernel log, as systemd-journald's ForwardToKMsg puts them there.
    acts = 'earlyoom -r 0 -m 25,20 2>&1 | while read -r line; do echo "<5>earlyoom[99]: $line" >/dev/kmsg; done'
    subprocess.run(["sysctl", "-q", "kernel.printk_devkmsg=on"], check=True)
    watch = guest.Watch()
    killer = subprocess.Popen(["sh", "-c", acts], start_new_session=True)
    said = watch.follow([guest.Load("bystander", 20), guest.Load("hog", 700, 20)], killed=["hog"], seconds=120)
    watch.close()
    subprocess.run(["pkill", "earlyoom"], check=False)
    killer.wait()
    return said


def test_earlyoom_beside_us(machine):
    import shutil

    if shutil.which("earlyoom") is None:
        pytest.skip("earlyoom is not installed")
    said = machine(Shape(memory=512)).call(earlyoom, timeout=400)
    print(said["monitor"], said["events"])
    assert_alive(said)
    assert said["killed"] == [] or said["killed"] == ["hog"]
    assert [(event["killer"], event["victim"]["pid"]) for event in said["events"]] == [("earlyoom", said["all"]["hog"])]
    assert f"earlyoom killed {said['all']['hog']} (hog)" in said["screen"], said["screen"]
