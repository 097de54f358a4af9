"""The actions that touch the whole machine, done for real in a kernel of their own and judged by its files."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.vm.machine import Machine, Shape

MIB = 1 << 20
SHAPE = Shape()


def all_checks() -> dict[str, Any]:
    from tests.vm import actions_guest

    return actions_guest.run_all()


@pytest.fixture(scope="module")
def found(machine: Callable[[Shape], Machine]) -> dict[str, Any]:
    found: dict[str, Any] = machine(SHAPE).call(all_checks, timeout=900)
    return found


@pytest.fixture
def check(found: dict[str, Any]) -> Callable[[str], Any]:
    def of(name: str) -> Any:
        said = found[name]
        assert not isinstance(said, dict) or "error" not in said, said["error"]
        return said

    return of


def test_drop_caches(check: Callable[[str], Any]) -> None:
    said = check("drop_caches")
    assert said["status"] == "done"
    assert said["fell_by"] > 50 * MIB
    assert abs(said["said"] - said["fell_by"]) < 64 * MIB


def test_compaction_scans(check: Callable[[str], Any]) -> None:
    said = check("compact")
    assert said["status"] == "done"
    assert said["scanned"] > 0


@pytest.mark.parametrize("kind", ["ext4", "btrfs", "xfs"])
def test_a_swap_file_on(check: Callable[[str], Any], kind: str) -> None:
    said = check(kind)
    if "missing" in said:
        pytest.skip(said["missing"])
    name, sort, size, _, priority = said["in_use"][0]
    assert (sort, priority) == ("file", "7")
    assert name.endswith("my\\040swap")
    assert 32 * 1024 - 64 <= int(size) <= 32 * 1024
    assert (said["status"], said["undo"]) == ("done", "done")
    assert (said["mode"], said["full"]) == ("0o600", True)
    assert [name for name in said["names"] if name != "lost+found"] == ["my swap"]
    assert "already exists" in said["twice"]
    assert (said["swaps_left"], said["file_left"]) == ([], False)


def test_zram_with_a_chosen_algorithm(check: Callable[[str], Any]) -> None:
    said = check("zram")
    _, sort, _, _, priority = said["in_use"][0]
    assert (sort, priority) == ("partition", "50")
    assert "[zstd]" in said["algorithm"]
    assert said["size"] == 64 * MIB
    assert "nonsense" in said["unknown"]
    assert (said["undo"], said["swaps_left"], said["device_left"]) == ("done", [], False)


def test_a_process_is_paged_out_and_swapoff_brings_it_back(check: Callable[[str], Any]) -> None:
    said = check("swap_in_use")
    assert said["paged"] == "done"
    assert said["swapped_kb"] > 20 * 1024
    assert said["used_kb"] > 20 * 1024
    assert said["off"] == "done"
    assert (said["swapped_after_kb"], said["swaps_left"]) == (0, [])


def test_swapoff_that_does_not_fit_is_refused(check: Callable[[str], Any]) -> None:
    assert "does not fit" in check("does_not_fit")


def test_a_kernel_setting_and_its_undo(check: Callable[[str], Any]) -> None:
    said = check("sysctl")
    assert said["during"] == "33"
    assert said["before"] == said["after"] != "33"


def test_what_is_kept_over_a_boot_and_its_undo(check: Callable[[str], Any]) -> None:
    said = check("after_boot")
    assert (said["added"], said["undo"], said["kept"]) == ("done", "done", "done")
    (swap,) = said["swaps"]
    assert swap.split()[0].endswith("my\\040swap")
    assert swap.split()[-1] == "7"
    assert (said["fstab_same"], said["left"]) == (True, [])
    assert (said["swappiness"], said["same"], said["file_left"]) == ("33", True, False)


def test_limits_of_a_group(check: Callable[[str], Any]) -> None:
    said = check("limits")
    assert "kills in it at once" in said["kills"]
    assert (said["high"], said["high_after"]) == (str(512 * MIB), "max")
    assert (said["low"], said["status"], said["alive"]) == (str(8 * MIB), "done", True)


def test_a_group_stands_still_and_goes_on(check: Callable[[str], Any]) -> None:
    assert check("freeze") == {"frozen": True, "seen": True, "thawed": True}


def test_memory_reclaim_of_a_group(check: Callable[[str], Any]) -> None:
    said = check("reclaim")
    assert said["status"] == "done"
    assert said["fell_by"] >= 8 * MIB


def test_a_process_in_a_new_group_and_back(check: Callable[[str], Any]) -> None:
    said = check("confine")
    assert said["inside"].endswith("/oomtop-box")
    assert said["limits"] == [str(64 * MIB), str(128 * MIB)]
    assert said["back"].endswith("/oomtop-home")
    assert said["group_left"] is False


def test_cgroup_kill(check: Callable[[str], Any]) -> None:
    said = check("kill_group")
    assert (said["status"], said["events"], said["code"]) == ("done", "populated 0", -9)
