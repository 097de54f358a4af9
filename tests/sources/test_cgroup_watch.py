"""Which groups are read where there are too many, on a tree of files in the form of cgroup v2."""

from collections.abc import Callable
from pathlib import Path

import pytest

from oomtop.host.cgroup import Cgroup, CgroupLayout
from oomtop.host.root import Root
from oomtop.sources import cgroup_watch
from oomtop.sources.cgroup_watch import CgroupWatch


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cgroup_watch, "_A_TICK", 4)
    monkeypatch.setattr(cgroup_watch, "MOST", 20)
    monkeypatch.setattr(cgroup_watch, "LISTED", 50)


@pytest.fixture
def tree(tmp_path: Path) -> tuple[Callable[..., None], CgroupWatch]:
    def add(name: str, current: int = 0, limit: str | int = "max") -> None:
        folder = tmp_path / name
        folder.mkdir(parents=True)
        (folder / "memory.current").write_text(f"{current}\n")
        (folder / "memory.max").write_text(f"{limit}\n")

    watch = CgroupWatch(Root("/nowhere"), CgroupLayout(2, str(tmp_path), None))
    return add, watch


def read(watch: CgroupWatch) -> dict[str, Cgroup]:
    return {group.path: group for group in watch.read(lambda what, call: call())}


def test_a_limited_group_is_read_at_once_wherever_it_sorts(tree: tuple[Callable[..., None], CgroupWatch]) -> None:
    add, watch = tree
    for number in range(30):
        add(f"c{number:02}")
    add("zz/last", 80, 100)
    assert read(watch)["/zz/last"].current == 80
    assert watch.left_out == "20 of 33 groups are watched; the others have no limit"
    assert watch.unwatched_limits == 0


def test_of_too_many_limited_ones_the_fullest_are_watched_and_the_others_counted(
    tree: tuple[Callable[..., None], CgroupWatch],
) -> None:
    add, watch = tree
    for number in range(25):
        add(f"c{number:02}", number, 100)
    found = read(watch)
    assert "/c24" in found
    assert "/c00" not in found
    assert watch.unwatched_limits == 5
    assert "5 of the others may have a limit" in (watch.left_out or "")


def test_beyond_what_is_listed_nothing_is_claimed(tree: tuple[Callable[..., None], CgroupWatch]) -> None:
    add, watch = tree
    add("a")
    for number in range(60):
        add(f"c{number:02}")
    with open(f"{watch._layout.memory_mount}/cgroup.stat", "w") as file:
        file.write("nr_descendants 61\n")
    read(watch)
    assert watch.unwatched_limits == 11


def test_the_fullest_are_read_on_every_tick(tree: tuple[Callable[..., None], CgroupWatch]) -> None:
    add, watch = tree
    for number in range(12):
        add(f"c{number:02}", number, 100)
    read(watch)
    mount = watch._layout.memory_mount
    for turn in range(3):
        with open(f"{mount}/c11/memory.current", "w") as file:
            file.write(f"{50 + turn}\n")
        assert read(watch)["/c11"].current == 50 + turn


def test_a_limit_set_later_is_found(tree: tuple[Callable[..., None], CgroupWatch]) -> None:
    add, watch = tree
    for number in range(40):
        add(f"c{number:02}")
    assert "/c39" not in read(watch)
    with open(f"{watch._layout.memory_mount}/c39/memory.max", "w") as file:
        file.write("100\n")
    for _ in range(40):
        found = read(watch)
    assert found["/c39"].max == 100


def test_where_all_are_watched_nothing_is_said(tree: tuple[Callable[..., None], CgroupWatch]) -> None:
    add, watch = tree
    add("one")
    assert set(read(watch)) == {"/", "/one"}
    assert watch.left_out is None


def test_one_gone_and_one_made_between_two_ticks_are_seen(tree: tuple[Callable[..., None], CgroupWatch]) -> None:
    add, watch = tree
    (Path(watch._layout.memory_mount) / "cgroup.stat").write_text("nr_descendants 1\n")
    add("before", 80, 100)
    read(watch)
    mount = Path(watch._layout.memory_mount)
    (mount / "before").rename(mount / "after")
    assert set(read(watch)) == {"/", "/after"}
