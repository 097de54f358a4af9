"""The whole machine runs out of memory: without swap, with zram, on a slow disk, without PSI, on demand, by earlyoom."""

import shutil
from collections.abc import Callable
from typing import Any

import pytest

from tests.vm.machine import Machine, Shape
from tests.vm.told import assert_alive, assert_told, assert_whole


def whole_machine(with_earlyoom: bool) -> dict[str, Any]:
    import subprocess
    from pathlib import Path

    from tests.vm import guest

    watch, said = guest.Watch(), {}
    said["no swap"] = watch.follow([guest.Load("bystander", 20), guest.Load("hog", 600, step=50)], killed=["hog"])
    bystander = guest.Load("bystander", 20)
    tmpfs = guest.Load("writer", 600, kind="tmpfs", path="/dev/shm/flood", step=50)
    said["tmpfs"] = watch.follow([bystander, guest.Load("holder", 120), tmpfs], killed=["holder"])
    subprocess.run(["rm", "-f", "/dev/shm/flood"], check=True)
    holder = guest.Load("holder", 100).go().settle()
    foreseen = watch.foresight.look()
    Path("/proc/sysrq-trigger").write_text("f")
    said["sysrq"] = watch.follow([holder]) | {"predicted": foreseen}
    if with_earlyoom:
        # Its lines in the kernel log, as systemd-journald's ForwardToKMsg puts them there.
        acts = 'earlyoom -r 0 -m 25,20 2>&1 | while read -r line; do echo "<5>earlyoom[99]: $line" >/dev/kmsg; done'
        Path("/proc/sys/kernel/printk_devkmsg").write_text("on\n")
        killer = subprocess.Popen(["sh", "-c", acts], start_new_session=True)
        said["earlyoom"] = watch.follow([guest.Load("bystander", 20), guest.Load("hog", 700, step=50)], killed=["hog"])
        subprocess.run(["pkill", "earlyoom"], check=False)
        killer.wait()
    guest.zram_on(96)
    said["zram"] = watch.follow([guest.Load("bystander", 20), guest.Load("hog", 900, step=50)], killed=["hog"])
    guest.zram_off()
    guest.swap_on()
    said["slow swap"] = watch.follow([guest.Load("bystander", 20), guest.Load("hog", 900, step=50)], killed=["hog"])
    panic = Path("/proc/sys/vm/panic_on_oom").read_text().strip()
    return {"said": said, "recording": watch.close(), "panic_on_oom": panic}


@pytest.fixture(scope="module")
def all_of_it(machine: Callable[[Shape], Machine]) -> dict[str, Any]:
    shape = Shape(memory=512, swap=192, iops=200)
    answer: dict[str, Any] = machine(shape).call(
        whole_machine, timeout=2400, with_earlyoom=shutil.which("earlyoom") is not None
    )
    for name, one in answer["said"].items():
        print(name, one["monitor"], one["warm"]["majflt"], one["after"]["majflt"], one["findings"])
    print(answer["recording"])
    return answer


@pytest.fixture(scope="module")
def whole(all_of_it: dict[str, Any]) -> Any:
    return all_of_it["said"]


def test_without_swap(whole: dict[str, Any]) -> None:
    assert_told(whole["no swap"], "hog", "global")


def test_tmpfs_grows_and_the_biggest_process_pays(whole: dict[str, Any]) -> None:
    assert_told(whole["tmpfs"], "holder", "global")
    assert "shmem" in whole["tmpfs"]["findings"]


def test_a_kill_by_sysrq(whole: dict[str, Any]) -> None:
    assert_told(whole["sysrq"], "holder", "sysrq")


def test_with_zram(whole: dict[str, Any]) -> None:
    assert_told(whole["zram"], "hog", "global")


def test_with_slow_swap(whole: dict[str, Any]) -> None:
    assert_told(whole["slow swap"], "hog", "global")


def test_earlyoom_beside_us(whole: dict[str, Any]) -> None:
    if "earlyoom" not in whole:
        pytest.skip("earlyoom is not installed")
    said = whole["earlyoom"]
    print(said["monitor"], said["events"])
    assert_alive(said)
    assert said["killed"] == ["hog"]
    assert [(event["killer"], event["victim"]["pid"]) for event in said["events"]] == [("earlyoom", said["all"]["hog"])]
    assert f"earlyoom killed hog {said['all']['hog']}" in said["screen"], said["screen"]
    # It takes who has the highest oom_score, unless it is told names to avoid or prefer: the kernel's choice.
    assert said["predicted"]["pid"] == said["all"]["hog"], said["predicted"]


def test_the_recording_of_all_that_is_whole(all_of_it: dict[str, Any]) -> None:
    assert_whole(all_of_it["recording"], *all_of_it["said"].values())
    assert all_of_it["panic_on_oom"] == "0"


def one_surge() -> dict[str, Any]:
    from tests.vm import guest

    watch = guest.Watch()
    said = watch.follow([guest.Load("bystander", 20), guest.Load("hog", 600, step=50)], killed=["hog"])
    return {"said": said, "recording": watch.close()}


def test_without_psi(machine: Callable[[Shape], Machine]) -> None:
    answer: dict[str, Any] = machine(Shape(memory=512, append="psi=0")).call(one_surge, timeout=900)
    said = answer["said"]
    print(said["monitor"], said["warm"], said["after"], said["findings"])
    assert_told(said, "hog", "global")
    assert_whole(answer["recording"], said)
