"""Runs as root inside a kernel of its own: crowds with odd processes among them, and whom the kernel killed."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from oomtop.analysis.model.assessment import Victims
from oomtop.sources.sampler import Sampler
from tests.odd_crowd import Inhabitant, foresee, launch, let_grow, likely, population
from tests.present import present
from tests.vm import guest


def odd_group(number: int, seed: int, where: str) -> dict[str, Any]:
    """Let a crowd reach the limit of its group; return (kinds, those foreseen, those killed in order).

    In "parent" the group itself may use the swap that there is, the one above it may not.
    """
    children = population(random.Random(seed), number, 5)
    path, swap = ("/over/odd", "max") if where == "parent" else ("/odd", 0)
    if where == "parent":
        guest.group("over", memory_swap_max=0)
    folder = guest.group(path, memory_max="max", memory_swap_max=swap, memory_oom_group=int(where == "oom.group"))
    kills = guest.KernelKills()
    with launch(children, folder / "cgroup.procs") as launcher:
        (folder / "memory.max").write_text(str(int((folder / "memory.current").read_text()) + (2 << 20)))
        sampler = Sampler()
        victims, tasks = foresee(sampler, path)
        sampler.close()
        let_grow(launcher)
        killed = kills.all_of(tasks)
    return said(children, victims, tasks, killed)


def whole_machine(number: int, seed: int) -> dict[str, Any]:
    """The same for the whole machine, which one that is spared by its adj fills."""
    children = population(random.Random(seed), number, 5)
    folder, kills = guest.group("odd", memory_max="max", memory_oom_group=0), guest.KernelKills()
    with launch(children, folder / "cgroup.procs") as launcher:
        pusher = guest.Load("pusher", 900, adj=-1000)
        sampler = Sampler()
        victims, tasks = foresee(sampler)
        sampler.close()
        pusher.go()
        killed = kills.next(60)
        pusher.end()
        let_grow(launcher)
    return said(children, victims, tasks, [killed])


def said(
    children: list[Inhabitant], victims: Victims | None, tasks: dict[int, int], killed: Sequence[int | None]
) -> dict[str, Any]:
    """Return what was foreseen beside what happened."""
    return {
        "kinds": sorted({kind for *_, kind in children}), "count": len(children), "tie": present(victims).near_tie,
        "first": present(present(victims).first).id.pid, "name": present(present(victims).first).name, "likely": sorted(likely(present(victims))),
        "killed": [tasks.get(present(pid), pid) for pid in killed],
        "ranked": [[one.id.pid, one.name, one.badness] for one in present(victims).candidates[:4]],
    }  # fmt: skip


def trials(count: int, seed: int, where: str) -> list[dict[str, Any]]:
    """Return what became of `count` trials in a group, one that dies as a whole, one below "parent", or the machine."""
    guest.shield()
    if where == "parent":
        guest.zram_on(64)
    Path("/proc/sys/kernel/printk").write_text("1")
    found = []
    for number in range(count):
        if where == "machine":
            found.append(whole_machine(number, seed + number))
        else:
            found.append(odd_group(number, seed + number, where))
        time.sleep(0.2)
    if where == "parent":
        guest.zram_off()
    return found
