"""A surge of 80 MB/s against an armed freeze, again and again: it lands before the kill, and on nobody else.

`OOMTOP_VM_ROUNDS=20 make vm` measures what docs/accuracy.md shows; the suite itself takes a few rounds.
"""

import os
from collections.abc import Callable
from typing import Any

import pytest

from tests.vm.machine import Machine, Shape

ROUNDS = int(os.environ.get("OOMTOP_VM_ROUNDS", "2"))
SHAPE = Shape(memory=1024)


def armed_surge(is_armed: bool, where: str) -> dict[str, Any]:
    import os
    import subprocess
    import sys
    import time
    from pathlib import Path
    from typing import Any

    from tests.present import present
    from tests.vm import guest

    box = guest.group("box", memory_max="600M", memory_swap_max="0") if where == "limit" else None
    guest.shield()
    watched = [] if where == "limit" else ["--watch", "machine"]
    # Filled by the kernel, 8 MiB at a time: page faults of its own are too slow where instructions are emulated.
    grow = (
        "import mmap, sys, time\n"
        "sys.stdin.readline()\n"
        "held, begun, flags = [], time.monotonic(), mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | mmap.MAP_POPULATE\n"
        "while True:\n"
        "    held.append(mmap.mmap(-1, 8 << 20, flags=flags))\n"
        "    time.sleep(max(0.0, begun + len(held) * (8 << 20) / 80e6 - time.monotonic()))\n"
    )

    def start(words: list[str], folder: Path | None = None) -> subprocess.Popen[str]:
        def prepare() -> None:
            Path("/proc/self/oom_score_adj").write_text("0")
            if folder is not None:
                (folder / "cgroup.procs").write_text(str(os.getpid()))

        return subprocess.Popen(words, stdin=-1, stdout=-1, stderr=-1, text=True, preexec_fn=prepare)

    def state(pid: int) -> str:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]

    def room() -> int:
        if box is not None:
            return (600 << 20) - int((box / "memory.current").read_text())
        available = Path("/proc/meminfo").read_text().split("MemAvailable:")[1].split()[0]
        return int(available) << 10

    before = guest.oom_kills()
    # The same program, in the same group and outside of it, next to be killed after the surge.
    others = [start([sys.executable, "-S", "-c", grow], folder) for folder in (box, None)]
    surge = start([sys.executable, "-S", "-c", grow], box)
    armer = None
    if is_armed:
        words = ["arm", "freeze", str(surge.pid), "--before", "2", *watched, "--yes"]
        armer = start([*guest.OOMTOP, *words])
        while "armed" not in present(armer.stderr).readline() and armer.poll() is None:
            pass
    begun = time.monotonic()
    present(surge.stdin).write("\n")
    present(surge.stdin).flush()
    if armer is None:
        surge.wait(120)
        said: dict[str, Any] = {"killed": guest.oom_kills() - before, "seconds": round(time.monotonic() - begun, 2)}
    else:
        out, _ = armer.communicate(timeout=120)
        took, held = time.monotonic() - begun, guest.rss_and_swap(surge.pid)
        time.sleep(2)
        said = {
            "code": armer.returncode, "out": out.splitlines()[-1:], "killed": guest.oom_kills() - before,
            "seconds": round(took, 2), "rate": round(held / took / 1e6), "room": room() >> 20,
            "target": state(surge.pid) if surge.poll() is None else "dead",
            "others": [state(one.pid) for one in others],
        }  # fmt: skip
    for one in (surge, *others):
        one.kill()
        one.communicate()
    return said


@pytest.mark.parametrize("where", ["limit", "machine"])
def test_the_freeze_lands_before_the_kill(machine: Callable[[Shape], Machine], where: str) -> None:
    for number in range(ROUNDS + 1):
        # In the first round nothing is armed, and the surge is killed.
        one = machine(SHAPE).call(armed_surge, timeout=240, is_armed=number > 0, where=where)
        print(where, one, flush=True)
        if number == 0:
            assert one["killed"] >= 1
        else:
            assert (one["code"], one["target"], one["killed"]) == (0, "T", 0), one
            assert "T" not in one["others"], one
