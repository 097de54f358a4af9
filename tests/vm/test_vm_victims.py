"""Random crowds in a limited group and on a whole machine: the one foreseen is the one the kernel kills."""

import os
from collections.abc import Callable
from typing import Any

import pytest

from tests.vm.machine import Machine, Shape

TRIALS = 20
ODD = int(os.environ.get("OOMTOP_VICTIM_TRIALS", "4"))
"""Trials with a dead main thread, a vfork child or a shared memory map in every second one."""


def in_a_group(trials: int, seed: int) -> list[list[Any]]:
    import random

    from tests.vm import guest

    guest.shield()
    guest.zram_on(64)
    foresight, said = guest.Foresight(), []
    for trial in range(trials):
        dice = random.Random(seed + trial)
        folder = guest.group("trial", memory_max="max", memory_swap_max=f"{dice.choice((0, 16))}M")
        count = dice.randint(5, 50) if trial % 4 == 0 else dice.randint(5, 12)
        most = max(2, 160 // count)
        members = [
            [f"m{i}", dice.randint(1, most), dice.choice((0, 0, 0, 100, 300, -200, 900, -1000)), dice.randint(0, 200)]
            for i in range(count)
        ]
        crowd = guest.Crowd(members, folder)
        pusher = guest.Load("pusher", 200, 0, folder=folder, adj=-900)
        current = int((folder / "memory.current").read_text())
        (folder / "memory.max").write_text(str(current + (8 << 20)))
        seen = foresight.look("/trial")
        # From here on: the one who pushes may have had more than one killed in the trial before.
        kills = guest.KernelKills()
        pusher.go()
        said.append([seen, kills.next(), count])
        pusher.end()
        crowd.end()
    foresight.close()
    guest.zram_off()
    return said


def on_the_machine(trials: int, seed: int) -> list[list[Any]]:
    import random
    import time
    from pathlib import Path

    from tests.vm import guest

    guest.shield()
    foresight, kills, said = guest.Foresight(), guest.KernelKills(), []
    for trial in range(trials):
        dice = random.Random(seed + trial)
        count = dice.randint(5, 30)
        most = max(2, 200 // count)
        members = [
            [f"m{i}", dice.randint(1, most), dice.choice((0, 0, 0, 100, 300, -200, 900, -1000)), dice.randint(0, 200)]
            for i in range(count)
        ]
        crowd = guest.Crowd(members)
        seen = foresight.look()
        Path("/proc/sysrq-trigger").write_text("f")
        said.append([seen, kills.next(), count])
        crowd.end()
        time.sleep(0.1)
    foresight.close()
    return said


@pytest.mark.parametrize("scenario", [in_a_group, on_the_machine], ids=["group", "machine"])
def test_the_one_foreseen_is_killed(machine: Callable[[Shape], Machine], scenario: Callable[..., Any]) -> None:
    said = machine(Shape()).call(scenario, timeout=600, trials=TRIALS, seed=7)
    wrong = [(seen, killed, count) for seen, killed, count in said if seen is None or seen["pid"] != killed]
    ties = [seen for seen, _, _ in said if seen and seen["tie"]]
    print(
        f"{len(said) - len(wrong)} of {len(said)} foreseen, {len(ties)} near ties, of {[count for *_, count in said]}"
    )
    for one in wrong:
        print("not foreseen:", one)
    # Within a near tie, which is reported as such, either of the two may go.
    missed = [
        one
        for one in wrong
        if one[0] is None or not one[0]["tie"] or one[1] not in [pid for pid, *_ in one[0]["ranked"][:2]]
    ]
    assert missed == []


def odd_ones(count: int, seed: int, where: str) -> list[dict[str, Any]]:
    from tests.vm import victims_guest

    return victims_guest.trials(count, seed, where)


@pytest.mark.parametrize(
    ("where", "count"), [("group", ODD), ("oom.group", ODD // 2), ("parent", ODD // 2), ("machine", ODD)]
)
def test_odd_ones_among_them(machine: Callable[[Shape], Machine], where: str, count: int) -> None:
    said = machine(Shape(memory=768)).call(odd_ones, timeout=120 + 60 * count, count=count, seed=11, where=where)
    right = [one for one in said if one["killed"] and one["killed"][0] == one["first"]]
    print(f"{where}: {len(right)} of {len(said)} foreseen", *said, sep="\n")
    missed = [one for one in said if not one["killed"] or one["killed"][0] not in one["likely"]]
    assert missed == []
    if where == "oom.group":
        assert all(len(one["killed"]) > 1 and set(one["killed"]) <= set(one["likely"]) for one in said)
