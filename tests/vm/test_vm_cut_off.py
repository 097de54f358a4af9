"""Actions on swap, killed between any two of their steps in a kernel of their own; its files tell what is left."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.vm.machine import Machine, Shape

SHAPE = Shape(memory=768)


def run_check(name: str) -> dict[str, Any]:
    from tests.vm import cut_off_guest

    return cut_off_guest.CHECKS[name]()


@pytest.fixture
def check(machine: Callable[[Shape], Machine]) -> Callable[[str], dict[str, Any]]:
    return lambda name: machine(SHAPE).call(run_check, timeout=400, name=name)


@pytest.mark.parametrize(("name", "fewest"), [("swap_file", 12), ("zram", 6)])
def test_killed_between_any_two_steps_it_is_named_and_undone(
    check: Callable[[str], dict[str, Any]], name: str, fewest: int
) -> None:
    said = check(name)
    assert said["steps"] > fewest
    assert [item for item in said["seen"] if item["half"]] != []
    for item in said["seen"]:
        assert item["same"] is True, item
        assert (item["named"], item["again"]) == (1, 0) if item["half"] else item["named"] in (0, 1), item
    assert (said["done"], said["same"]) == (1, True)


@pytest.mark.parametrize("name", ["swapoff", "swapoff_of_zram"])
def test_swapoff_killed_between_any_two_steps_is_whole_or_gone(
    check: Callable[[str], dict[str, Any]], name: str
) -> None:
    said = check(name)
    assert set(said["steps"]) == {"whole", "gone"}
    assert said["steps"] == sorted(said["steps"], reverse=True)
    assert said["same"]
