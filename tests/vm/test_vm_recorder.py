"""The recorder's file on a disk of its own, in a machine whose power is cut: five times, at moments of no choice.

What a power cut leaves is what had reached the disk, so all but one of them need no boot: the machine is stopped, the
disk is copied as it is at that instant, and the copy is put in as its other disk.  One is the real thing.
"""

import os
import random
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.vm import machine as vm
from tests.vm.machine import Machine, Shape

CUTS = 5
INTERVAL = 5.0
# The clocks of guest and host are compared through a slow console, and a tick takes its time without KVM.
SLACK = 2.5


class OnDisks(Machine):
    """A machine with two disks that outlive it."""

    def __init__(self, disks: list[str]) -> None:
        self._disks = disks
        super().__init__(Shape(memory=640))

    def _vng(self) -> list[str]:
        return [*super()._vng(), *(f"--qemu-opts=-drive file={disk},if=virtio,format=raw" for disk in self._disks)]

    def copy_at_once(self, origin: str, target: str) -> float:
        """Copy a disk as it is at this instant, whatever is being written to it, and return the time."""
        os.killpg(self._process.pid, signal.SIGSTOP)
        while not self._stands_still():
            time.sleep(0.01)
        cut = time.time()
        shutil.copyfile(origin, target)
        os.killpg(self._process.pid, signal.SIGCONT)
        return cut

    def _stands_still(self) -> bool:
        states = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                if int(stat.read_text().rpartition(")")[2].split()[2]) == self._process.pid:
                    threads = (stat.parent / "task").glob("*/stat")
                    states += [thread.read_text().rpartition(")")[2].split()[0] for thread in threads]
            except OSError:
                continue
        return set(states) <= {"T", "Z"}


def look_and_record(device: str, first: bool) -> dict[str, Any]:
    """Mount that disk instead of the other, read what the cut left, and start the recorder; return what was found and the guest's clock."""
    import os
    import subprocess
    import sys
    import time
    from itertools import pairwise

    from oomtop.recording.kinds import RecordingError
    from oomtop.recording.reader import Recording

    def ticks(path: str) -> int:
        try:
            return len(Recording(path).moments)
        except RecordingError:
            return 0

    subprocess.run(["modprobe", "ext4"], check=False)
    os.makedirs("/run/disk", exist_ok=True)
    subprocess.run(["pkill", "-KILL", "-f", "oomtop record"], check=False)
    # The one killed may still be on its way out.
    while os.path.ismount("/run/disk") and subprocess.run(["umount", "/run/disk"], capture_output=True).returncode:
        time.sleep(0.1)
    subprocess.run(["mount", device, "/run/disk"], check=True)
    path, found = "/run/disk/recording.db", {}
    if not first:
        recording = Recording(path)
        count = len(recording.moments)
        times = [moment.time for moment in recording.moments[-6:]]
        found = {
            "interval": max((later - earlier for earlier, later in pairwise(times)), default=0.0),
            "ticks": count,
            "readable": sum(1 for _ in recording.read(0, count)),
            "last": recording.moments[-1].time,
            "check": recording._db.execute("PRAGMA quick_check").fetchone()[0],
            "names": os.listdir("/run/disk"),
        }
        recording.close()
    log = open("/run/recorder.log", "wb")
    subprocess.Popen(
        [sys.executable, "-m", "oomtop", "record", "--file", path], stdout=log, stderr=log, start_new_session=True
    )
    before = found.get("ticks", 0)
    while before >= (ticks(path) if os.path.exists(path) else 0):
        time.sleep(0.2)
    return {**found, "clock": time.time()}


def test_the_recording_opens_after_every_power_cut_and_misses_at_most_the_last_interval(
    tmp_path: Path, running: list[vm.Machine]
) -> None:
    reason = vm.missing()
    if reason is not None:
        pytest.skip(reason)
    mkfs = shutil.which("mkfs.ext4", path=os.environ["PATH"] + ":/sbin:/usr/sbin")
    if mkfs is None:
        pytest.skip("mkfs.ext4 is missing (apt-get install e2fsprogs)")
    disks = [str(tmp_path / "one.img"), str(tmp_path / "other.img")]
    for disk in disks:
        with open(disk, "wb") as file:
            file.truncate(64 << 20)
    subprocess.run([mkfs, "-q", "-F", disks[0]], check=True)
    random.seed(os.urandom(4))
    while running:
        running.pop().close()
    machine, cut, ticks = OnDisks(disks), None, 0
    try:
        for number in range(CUTS + 1):
            device = "/dev/vda" if number % 2 == 0 else "/dev/vdb"
            said = machine.call(look_and_record, timeout=300, device=device, first=cut is None)
            ahead = said["clock"] - time.time()
            if cut is not None:
                print(f"cut {number}: {said['ticks']} ticks, the last {cut - said['last']:.1f} s before the cut")
                assert said["check"] == "ok"
                assert said["readable"] == said["ticks"] > ticks
                # Without KVM on a busy host a tick may come later than it was meant to.
                assert cut - said["last"] <= max(INTERVAL, said["interval"]) + SLACK
                assert not any("damaged" in name for name in said["names"])
                ticks = said["ticks"]
            if number == CUTS:
                break
            # Anywhere within two intervals.
            time.sleep(random.uniform(1, 2 * INTERVAL))
            origin, target = disks if number % 2 == 0 else disks[::-1]
            if number == CUTS - 1:
                cut = time.time() + ahead
                machine.close()
                shutil.copyfile(origin, target)
                machine = OnDisks(disks)
            else:
                cut = machine.copy_at_once(origin, target) + ahead
    finally:
        machine.close()
