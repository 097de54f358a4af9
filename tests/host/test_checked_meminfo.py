"""Figures that cannot be are unknown, named, and never room."""

from pathlib import Path
from typing import Any

import pytest

from oomtop.errors import ParseError
from oomtop.host.checked_meminfo import check, estimate_available, is_lxcfs, read_meminfo
from oomtop.host.meminfo import Meminfo, parse_meminfo
from oomtop.host.pressure import parse_pressure
from oomtop.host.root import Root
from oomtop.host.swaps import parse_swaps
from oomtop.host.zoneinfo import Zone, read_zoneinfo

MIB = 1 << 20
GIB = 1 << 30
SANE = {
    "mem_free": 4 * GIB, "mem_available": 9 * GIB, "buffers": 100 * MIB, "cached": 3 * GIB, "swap_cached": 0,
    "active_file": GIB, "inactive_file": GIB, "swap_total": 2 * GIB, "swap_free": GIB, "anon_pages": 6 * GIB,
    "mapped": GIB, "shmem": GIB, "s_reclaimable": GIB, "s_unreclaim": 100 * MIB, "kernel_stack": 10 * MIB,
    "page_tables": 20 * MIB, "percpu": 10 * MIB, "commit_limit": 40 * GIB, "committed_as": 60 * GIB,
}  # fmt: skip


def info(**changes: Any) -> Meminfo:
    return Meminfo(16 * GIB, **SANE | changes)


def test_figures_that_can_be_stay_as_they_are() -> None:
    assert check(info()) == info()


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("mem_free", 17 * GIB, "MemFree 17.0G of MemTotal 16.0G"),
        ("mem_available", 19 * GIB, "MemAvailable 19.0G of MemTotal 16.0G"),
        ("mem_available", -4096, "MemAvailable -4.0K of MemTotal 16.0G"),
        ("swap_free", 16 << 40, "SwapFree 16.0T is above SwapTotal 2.0G"),
        ("page_tables", 1 << 60, "PageTables 1024P"),
        ("cached", 1 << 50, "Cached 1.0P of MemTotal 16.0G"),
        ("swap_free", -1, "SwapFree -1B of MemTotal"),
        ("swap_total", -1, "SwapTotal -1B of MemTotal"),
    ],
)
def test_one_figure_that_cannot_be_is_unknown_and_named(field: str, value: int, said: str) -> None:
    checked = check(info(**{field: value}))
    assert getattr(checked, field) is None
    assert any(said.split(" ")[0] in doubt and "not used" in doubt for doubt in checked.doubts)
    assert checked.anon_pages == 6 * GIB


@pytest.mark.parametrize("total", [0, None])
def test_free_swap_without_swap_is_no_room(total: int | None) -> None:
    checked = check(info(swap_total=total, swap_free=16 << 40))
    assert checked.swap_free is None
    assert "SwapFree 16.0T is above SwapTotal" in checked.doubts[0]


@pytest.mark.parametrize(
    "changes",
    [
        {"anon_pages": 20 * GIB},
        {"shmem": 4 * GIB},
        {"anon_pages": 15 * GIB},
    ],
)
def test_counters_of_another_machine_go_together(changes: dict[str, int]) -> None:
    checked = check(info(**changes))
    assert checked.anon_pages is checked.page_tables is checked.kernel_stack is None
    assert checked.mem_free == 4 * GIB
    assert "AnonPages" in " ".join(checked.doubts)


def test_under_lxcfs_the_hosts_lines_are_not_the_containers() -> None:
    checked = check(info(), by_lxcfs=True)
    assert checked.anon_pages is checked.committed_as is None
    assert checked.mem_available == 9 * GIB
    assert len(checked.doubts) == 1
    assert is_lxcfs("proc /proc proc rw 0 0\nlxcfs /proc/meminfo fuse.lxcfs rw,nosuid 0 0\n")
    assert not is_lxcfs("proc /proc proc rw 0 0\n")


def test_available_is_estimated_as_the_kernel_computes_it() -> None:
    zone = Zone(0, "Normal", GIB, 10 * MIB, 20 * MIB, 30 * MIB, 16 * GIB, 16 * GIB, (0, 50 * MIB))
    found = estimate_available(info(mem_available=None), (zone,))
    assert found == 4 * GIB - 80 * MIB + 2 * GIB - 20 * MIB + GIB - 20 * MIB
    assert estimate_available(info(mem_free=None), (zone,)) is None
    assert estimate_available(info(mem_free=0, active_file=0, s_reclaimable=0, inactive_file=0), (zone,)) == 0


def test_the_estimate_is_near_the_kernels_own() -> None:
    own = read_meminfo(Root())
    found = estimate_available(own, read_zoneinfo(Root(), 4096))
    assert own.doubts == ()
    assert not own.available_estimated
    assert abs((found or 0) - (own.mem_available or 0)) < own.mem_total / 10


def test_a_file_without_available_has_an_estimate(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/meminfo").write_text("MemTotal: 1000 kB\nMemFree: 300 kB\nCached: 200 kB\n")
    found = read_meminfo(Root(str(tmp_path)))
    assert found.mem_available == 500 * 1024
    assert found.available_estimated


@pytest.mark.parametrize("line", ["MemTotal: 0 kB", "MemTotal: -4 kB", "MemTotal: " + "9" * 5000 + " kB"])
def test_a_total_that_cannot_be_ends_with_the_line(line: str) -> None:
    with pytest.raises(ParseError, match="MemTotal"):
        parse_meminfo(f"{line}\nMemFree: 1 kB\n")


def test_a_pool_of_huge_pages_above_ram_is_not_believed() -> None:
    checked = check(info(huge_pages_total=9000, huge_pages_free=9000, hugepagesize=2 * MIB))
    assert checked.huge_pages_total is checked.huge_pages_free is None
    assert "HugePages_Total of 17.6G" in checked.doubts[0]


def test_without_free_memory_nothing_is_available() -> None:
    checked = check(parse_meminfo("MemTotal: 1000 kB\nCached: 200 kB\n"))
    assert checked.mem_free is None
    assert checked.doubts == ("no MemFree",)
    assert estimate_available(checked, ()) is None


@pytest.mark.parametrize("line", ["/swap file 100 200 -2", "/swap file 100 -5 -2"])
def test_swap_that_holds_more_than_there_is_is_an_error(line: str) -> None:
    with pytest.raises(ParseError, match="swaps"):
        parse_swaps(f"Filename Type Size Used Priority\n{line}\n")


@pytest.mark.parametrize("average", ["1000.00", "-1.00", "nan", "inf"])
def test_pressure_is_a_share_of_time(average: str) -> None:
    with pytest.raises(ParseError, match="pressure"):
        parse_pressure(f"some avg10={average} avg60=0.00 avg300=0.00 total=0\n")
