"""The whole machine runs out of memory: without swap, with zram, on a slow disk, without PSI, on demand."""

import pytest

from tests.vm.machine import Shape
from tests.vm.told import assert_alive, assert_told

PLAIN = Shape(memory=512)


def whole_machine():
    import subprocess
    from pathlib import Path

    import guest

    watch, said = guest.Watch(), {}
    said["no swap"] = watch.follow([guest.Load("bystander", 20), guest.Load("hog", 600, 20)], killed=["hog"])
    bystander = guest.Load("bystander", 20)
    tmpfs = guest.Load("writer", 600, 40, kind="tmpfs", path="/dev/shm/flood")
    said["tmpfs"] = watch.follow([bystander, guest.Load("holder", 120), tmpfs], killed=["holder"])
    subprocess.run(["rm", "-f", "/dev/shm/flood"], check=True)
    holder = guest.Load("holder", 100).go().settle()
    Path("/proc/sysrq-trigger").write_text("f")
    said["sysrq"] = watch.follow([holder], seconds=20)
    guest.zram_on(96)
    said["zram"] = watch.follow([guest.Load("bystander", 20), guest.Load("hog", 900, 20)], killed=["hog"], seconds=150)
    watch.close()
    return said


@pytest.fixture(scope="module")
def whole(machine):
    said = machine(PLAIN).call(whole_machine, timeout=600)
    for name, one in said.items():
        print(name, one["monitor"], one["warm"]["majflt"], one["after"]["majflt"], one["findings"])
    return said


def test_without_swap(whole):
    assert_told(whole["no swap"], "hog", "global")


def test_tmpfs_grows_and_the_biggest_process_pays(whole):
    assert_told(whole["tmpfs"], "holder", "global")
    assert "shmem" in whole["tmpfs"]["findings"]


def test_a_kill_by_sysrq(whole):
    said = whole["sysrq"]
    assert said["killed"] == ["holder"]
    assert_alive(said)
    assert said["events"][-1]["type"] == "sysrq"


def test_with_zram(whole):
    assert_told(whole["zram"], "hog", "global")


def one_surge(mib, rate, swap):
    import guest

    if swap:
        guest.swap_on()
    watch = guest.Watch()
    said = watch.follow([guest.Load("bystander", 20), guest.Load("hog", mib, rate)], killed=["hog"], seconds=240)
    watch.close()
    return said


def test_with_slow_swap(machine):
    said = machine(Shape(memory=512, swap=192, iops=200)).call(one_surge, timeout=500, mib=900, rate=20, swap=True)
    print(said["monitor"], said["warm"], said["after"], said["findings"])
    assert_told(said, "hog", "global")


def test_without_psi(machine):
    said = machine(Shape(memory=512, append="psi=0")).call(one_surge, timeout=400, mib=600, rate=20, swap=False)
    print(said["monitor"], said["warm"], said["after"], said["findings"])
    assert_told(said, "hog", "global")
