"""What limits hold between two ticks: read from kept descriptors, and pressing when one is nearly reached."""

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from oomtop.host.cgroup import CgroupLayout, read_cgroup
from oomtop.host.group_use import GroupFiles, Split
from oomtop.host.root import Root
from oomtop.snapshot import Snapshot
from oomtop.sources import limit_watch
from oomtop.sources.limit_watch import LimitWatch
from oomtop.units import MIB
from tests.present import present
from tests.synthetic import SyntheticMachine

MEMINFO = "MemTotal: 8388608 kB\nMemFree: 2097152 kB\nMemAvailable: 4194304 kB\n"


class Tree:
    """One group of 100 MiB in a made-up tree, v1 or v2, and the clock."""

    def __init__(self, folder: Path, version: int, monkeypatch: pytest.MonkeyPatch) -> None:
        self.version, self.now = version, 1000.0
        (folder / "proc").mkdir()
        (folder / "proc/meminfo").write_text(MEMINFO)
        self.group = folder / "memory/a"
        self.group.mkdir(parents=True)
        self.layout = CgroupLayout(version, str(folder / "memory"), None)
        self.root = Root(str(folder))
        monkeypatch.setattr(time, "clock_gettime", lambda clock: self.now)

    def write(self, held: int, cache: int = 0, name: str = "a") -> None:
        """Let a group hold so many MiB, with page cache beside."""
        names = {
            1: ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_"),
            2: ("memory.max", "memory.current", ""),
        }
        limit, usage, prefix = names[self.version]
        stat = f"{prefix}active_file {cache * MIB}\n{prefix}inactive_file 0\n{prefix}anon {held * MIB}\n"
        (self.group.parent / name).mkdir(exist_ok=True)
        for file, text in ((limit, 100 * MIB), (usage, (held + cache) * MIB), ("memory.stat", stat)):
            (self.group.parent / name / file).write_text(f"{text}\n")

    def snapshot(self) -> Snapshot:
        """Return what a tick reads now."""
        group = present(read_cgroup(self.layout, "/a"))
        made = SyntheticMachine(2, 2).snapshot(2.0)
        return replace(made, monotonic=self.now, cgroup_layout=self.layout, cgroups=(group,), arc_size=None)


@pytest.fixture(params=[1, 2], ids=["v1", "v2"])
def tree(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tree:
    return Tree(tmp_path, request.param, monkeypatch)


@pytest.fixture
def watch(tree: Tree) -> Iterator[LimitWatch]:
    tree.write(50)
    watch = LimitWatch(tree.root)
    watch.follow(tree.snapshot())
    yield watch
    watch.close()


def read(watch: LimitWatch, tree: Tree, seconds: float, held: int, cache: int = 0) -> list[tuple[int, int]]:
    """Return what is read of the group some seconds later."""
    tree.write(held, cache)
    tree.now += seconds
    watch.read()
    return [(use.held // MIB, use.used // MIB) for use in watch.take() if use.subject == "/a"]


def test_held_memory_is_told_apart_from_cache(watch: LimitWatch, tree: Tree) -> None:
    assert read(watch, tree, 1.0, 52, cache=20) == [(52, 72)]
    assert not watch.is_pressing


def test_the_machine_is_read_too(watch: LimitWatch, tree: Tree) -> None:
    tree.now += 1.0
    watch.read()
    (use,) = [use for use in watch.take() if use.subject == "RAM"]
    assert (use.held, use.used) == (4 << 30, 6 << 30)


def test_a_reading_comes_once_a_second(watch: LimitWatch, tree: Tree) -> None:
    assert read(watch, tree, 1.0, 50)
    assert not read(watch, tree, 0.5, 50)
    assert read(watch, tree, 0.5, 50)


def test_it_comes_twice_a_second_while_a_limit_fills_within_a_minute(watch: LimitWatch, tree: Tree) -> None:
    assert read(watch, tree, 1.0, 53)
    assert read(watch, tree, 0.5, 54)


def test_a_group_that_is_small_and_still_is_left_to_the_tick(watch: LimitWatch, tree: Tree) -> None:
    tree.write(10)
    tree.now += 1.0
    watch.follow(tree.snapshot())
    assert read(watch, tree, 1.0, 10) == []
    assert read(watch, tree, 1.0, 12) == [(12, 12)]


def test_a_limit_that_is_nearly_reached_is_pressing_and_so_is_a_death_there(watch: LimitWatch, tree: Tree) -> None:
    read(watch, tree, 1.0, 51)
    assert not watch.is_pressing
    read(watch, tree, 1.0, 60)
    assert watch.is_pressing
    read(watch, tree, 1.0, 60)
    assert not watch.is_pressing
    read(watch, tree, 1.0, 5)
    assert watch.is_pressing


def test_a_group_made_between_two_ticks_is_read_at_once_and_pressing_when_it_is(watch: LimitWatch, tree: Tree) -> None:
    (tree.group.parent / "unlimited").mkdir()
    for seconds, held in ((0.5, 2), (0.5, 22), (0.5, 42)):
        tree.now += seconds
        tree.write(held, name="new")
        watch.read()
    assert [use.held // MIB for use in watch.take() if use.subject == "/new"] == [2, 22, 42]
    assert watch.is_pressing


def test_a_group_that_takes_the_place_of_another_is_read_at_once(watch: LimitWatch, tree: Tree) -> None:
    (tree.group.parent / "cgroup.stat").write_text("nr_descendants 1\n")
    Path(tree.root.at("/proc/cgroups")).write_text("memory 1 1 1\n")
    watch.read()
    tree.now += 1.0
    # A descriptor of a group that is gone reads nothing.
    for file in tree.group.iterdir():
        file.write_text("")
        file.unlink()
    tree.group.rmdir()
    tree.write(50, name="b")
    watch.read()
    assert [use.held // MIB for use in watch.take() if use.subject == "/b"] == [50]


def test_many_groups_are_left_to_the_tick(tree: Tree, watch: LimitWatch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limit_watch, "_LISTED", 0)
    watch.follow(tree.snapshot())
    tree.write(50, name="other")
    tree.now += 1.0
    watch.read()
    assert {use.subject for use in watch.take()} == {"/a", "RAM"}


def test_what_has_just_begun_to_fill_is_pressing_for_as_long_as_its_forecast_takes(
    watch: LimitWatch, tree: Tree
) -> None:
    pressing = []
    for held in range(51, 59):
        read(watch, tree, 1.0, held)
        pressing.append(watch.is_pressing)
    assert pressing == [False, False, True, True, False, False, False, False]


def test_cache_that_fills_a_group_presses_nobody(watch: LimitWatch, tree: Tree) -> None:
    read(watch, tree, 1.0, 50, cache=20)
    read(watch, tree, 1.0, 50, cache=45)
    assert not watch.is_pressing


def test_a_group_that_is_gone_is_left_out_and_its_descriptors_are_given_back(watch: LimitWatch, tree: Tree) -> None:
    for name in os.listdir(tree.group):
        os.unlink(tree.group / name)
    tree.group.rmdir()
    files = GroupFiles(tree.layout, "/a")
    assert files.usage() is None
    assert files.split() is None
    before = len(os.listdir("/proc/self/fd"))
    watch.close()
    assert len(os.listdir("/proc/self/fd")) <= before


def test_a_stat_that_is_none_is_left_to_the_tick(tree: Tree) -> None:
    tree.write(50)
    (tree.group / "memory.stat").write_text("active_file many\n")
    files = GroupFiles(tree.layout, "/a")
    assert files.split() is None
    tree.write(50, 3)
    assert files.split() == Split(3 * MIB, 0)
    files.close()
