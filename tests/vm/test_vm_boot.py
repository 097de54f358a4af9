from collections.abc import Callable
from typing import Any

from tests.vm.machine import Machine, Shape


def test_a_machine_boots_and_runs_a_scenario(machine: Callable[[Shape], Machine]) -> None:
    def facts(number: int) -> dict[str, Any]:
        import os
        from pathlib import Path

        from oomtop.host.checked_meminfo import read_meminfo
        from oomtop.host.root import Root

        return {
            "number": number,
            "uid": os.getuid(),
            "total": read_meminfo(Root()).mem_total,
            "controllers": Path("/sys/fs/cgroup/cgroup.controllers").read_text(),
            "psi": Path("/proc/pressure/memory").read_text(),
        }

    said = machine(Shape()).call(facts, number=5)
    assert (said["number"], said["uid"]) == (5, 0)
    assert 300 << 20 < said["total"] < 512 << 20
    assert "memory" in said["controllers"]
    assert said["psi"].startswith("some")
