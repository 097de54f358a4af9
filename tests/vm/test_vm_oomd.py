"""systemd-oomd as Debian installs it, under a real systemd and its journal: it kills a unit, and oomtop tells so."""

import os
from collections.abc import Callable
from typing import Any

import pytest

from tests.vm.machine import Machine, Shape
from tests.vm.told import assert_alive, assert_whole

OOMD = "/lib/systemd/systemd-oomd"


def under_pressure() -> dict[str, Any]:
    from pathlib import Path

    from tests.vm import guest, services

    def configure(name: str, text: str) -> None:
        folder = Path(f"/etc/systemd/{name}.conf.d")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "ours.conf").write_text(text)

    configure("oomd", "[OOM]\nDefaultMemoryPressureDurationSec=1s\n")
    Path("/run/hungry.py").write_text(
        "import mmap, os\n"
        "open('/proc/self/comm', 'w').write('hungry')\n"
        "area, chunk = mmap.mmap(-1, 120 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS), os.urandom(1 << 20)\n"
        "while True:\n"
        "    for i in range(120):\n"
        "        area[i << 20 : (i + 1) << 20] = chunk\n"
    )
    guest.zram_on(160)
    watch = guest.Watch()
    wanted = "systemd-oomd.service systemd-journald.service"
    plain, here = "[Unit]\nDefaultDependencies=no\n", "Slice=guarded.slice"
    limits = "ManagedOOMMemoryPressure=kill\nManagedOOMMemoryPressureLimit=5%\nMemoryHigh=48M\n"
    systemd = services.Systemd(
        {
            "ours.target": f"{plain}Requires={wanted}\nAfter={wanted}\n",
            "guarded.slice": f"{plain}[Slice]\n{limits}",
            "calm.service": services.service("/bin/sleep 100000", here, "ManagedOOMPreference=omit"),
            "hungry.service": services.service("/usr/bin/python3 -S /run/hungry.py", here, "Restart=no"),
        }
    )
    systemd.run("systemctl", "start", "calm.service", patience=60)
    load = systemd.load("hungry", "/sys/fs/cgroup/guarded.slice/hungry.service")
    said = watch.follow([load], shown="systemd-oomd killed")
    said["calm"] = systemd.show("ActiveState", "calm.service")
    said["result"] = systemd.show("Result", "hungry.service")
    # What an engineer types afterwards.
    said["explained"] = systemd.oomtop("events", "--event", str(len(guest.events())))
    watch.monitor.press(b"\t\t")
    said["tab"] = watch.monitor.wait_for("/guarded.slice/hungry")
    recording = watch.close()
    systemd.close()
    guest.zram_off()
    return {"said": said, "recording": recording}


@pytest.mark.skipif(not os.path.exists(OOMD), reason=f"{OOMD} is missing (apt-get install systemd-oomd)")
def test_a_unit_that_systemd_oomd_kills(machine: Callable[[Shape], Machine]) -> None:
    answer = machine(Shape(memory=1024)).call(under_pressure, timeout=1200)
    said = answer["said"]
    print(said["monitor"], said["warm"], said["after"], said["events"])
    assert_alive(said)
    assert (said["killed"], said["calm"], said["result"]) == (["hungry"], "active", "oom-kill")
    (event,) = said["events"]
    assert (event["killer"], event["type"], event["victim"]) == ("systemd-oomd", "cgroup", None)
    assert event["cgroup"] == "/guarded.slice/hungry.service"
    assert event["reason"].startswith("memory pressure for /guarded.slice being ")
    assert "systemd-oomd killed /guarded.slice/hungry.service: memory pressure" in said["screen"], said["screen"]
    assert said["explained"]["code"] == 0
    assert "systemd-oomd killed the cgroup /guarded.slice/hungry.service" in said["explained"]["said"]
    assert "acted by its own rule" in said["explained"]["said"]
    assert "systemd-oomd" in said["tab"], said["tab"]
    # It looks for the group with most reclaim, not for the biggest process; here they are the same.
    assert said["predicted"]["pid"] == said["all"]["hungry"]
    assert_whole(answer["recording"])
