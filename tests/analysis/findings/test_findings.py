"""Each finding made true, and one near miss of it; thirty minutes of load that is no leak."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from oomtop.analysis.findings.growth import find_leak
from oomtop.analysis.findings.machine import find
from oomtop.analysis.findings.rule import Facts
from oomtop.analysis.model.assessment import CgroupFigures, Victims
from oomtop.analysis.model.danger import DangerKind, PastKill, Rounds
from oomtop.host.buddyinfo import BuddyZone
from oomtop.host.cgroup import Cgroup
from oomtop.host.kernel_facts import KernelFacts
from oomtop.host.zoneinfo import Zone
from oomtop.units import GIB, MIB
from tests.tui.factories import calm_danger, make_assessment, make_process, make_row

CONTAINER = "/docker/" + "ab" * 32


def facts(**changes: Any) -> Facts:
    calm = make_assessment()
    memory = replace(calm.memory, total=16 * GIB, available=12 * GIB, mlocked=0)
    return Facts(memory, calm.swap, calm.pressure, (), calm.rows, (), (), **changes)


def names(found: Facts) -> set[str]:
    return {finding.id for finding in find(found)}


def group(path: str, current: int, limit: int | None = None, effective: int | None = None) -> CgroupFigures:
    figures = Cgroup(path=path, current=current, max=limit)
    return CgroupFigures(figures, path, effective or limit, None, None, Victims())


def curve(size: Callable[[int], float], minutes: int = 30, step: int = 15) -> list[tuple[float, int]]:
    return [(float(second), int(size(second))) for second in range(0, minutes * 60, step)]


LEAK = curve(lambda second: 200 * MIB + second * 200_000)


def test_a_steady_rise_over_half_an_hour_is_a_leak() -> None:
    found = find_leak(LEAK)
    assert found is not None
    assert found.rate == pytest.approx(200_000, rel=0.01)


@pytest.mark.parametrize(
    "size",
    [
        lambda second: 200 * MIB + second % 300 * 2_000_000,
        lambda second: 800 * MIB * (1 - 2.718 ** (-second / 200)),
        lambda second: 200 * MIB if second < 900 else 900 * MIB,
        lambda second: 500 * MIB,
        lambda second: 500 * MIB + second * 4000,
    ],
    ids=["saw-tooth", "warm-up", "one jump", "flat", "next to nothing"],
)
def test_what_only_looks_like_a_leak_is_none(size: Callable[[int], float]) -> None:
    for end in range(20, 121, 5):
        assert find_leak(curve(size)[:end]) is None


def test_a_leak_is_told_after_five_minutes_and_not_before() -> None:
    assert find_leak(LEAK[:15]) is None
    assert find_leak(LEAK[:25]) is not None


def test_a_leaking_process_is_accused_once() -> None:
    row = make_row(make_process(4711, rss=9 * GIB))
    scarce = replace(facts(lasting=[(row, LEAK)]), rows=(row,))
    scarce = replace(scarce, memory=replace(scarce.memory, available=3 * GIB))
    assert names(scarce) == {"leak"}


@pytest.mark.parametrize(("rss", "available", "told"), [(9, 3, True), (7, 3, False), (9, 6, False)])
def test_a_hog_holds_half_while_memory_is_scarce(rss: int, available: int, told: bool) -> None:
    row = make_row(make_process(4711, rss=rss * GIB))
    found = replace(facts(), rows=(row,), memory=replace(facts().memory, available=available * GIB))
    found = replace(found, swap=replace(found.swap, total=0))
    assert names(found) == ({"hog"} if told else set())


@pytest.mark.parametrize(
    ("counts", "told"), [((100_000, 0, 0, 10), True), ((100_000, 0, 0, 2000), False), ((5000, 0, 0, 1), False)]
)
def test_fragmentation_is_free_memory_without_large_pieces(counts: tuple[int, ...], told: bool) -> None:
    zone = Zone(0, "Normal", 100 * MIB, 10 * MIB, 12 * MIB, 15 * MIB, GIB, GIB)
    found = facts(kernel=KernelFacts((), (BuddyZone(0, "Normal", counts),)), zones=(zone,))
    assert names(found) == ({"fragmentation"} if told else set())


@pytest.mark.parametrize(("share", "severity"), [(0.99, "critical"), (0.92, "warning"), (0.8, None)])
def test_at_the_commit_limit_allocations_are_refused(share: float, severity: str | None) -> None:
    danger = calm_danger("commit", held=int(100 * GIB * share), limit=100 * GIB, kind=DangerKind.COMMIT)
    found = [finding for finding in find(replace(facts(), dangers=(danger,))) if finding.id == "overcommit"]
    assert [finding.severity.value for finding in found] == ([severity] if severity else [])


def test_each_danger_has_its_finding_and_the_nearest_stands_first() -> None:
    dangers = [calm_danger("/a", 20.0), calm_danger("/b", 90.0), calm_danger("/c"), calm_danger("RAM", 9e4)]
    found = [finding for finding in find(replace(facts(), dangers=dangers)) if finding.id != "swarm"]
    assert [finding.cgroup for finding in found] == ["/a", "/b"]
    assert found[0].title == "/a: 8.0G of 16.0G, full in 20s (18s to 22s) at +410M/s"


def test_a_crash_loop_is_a_finding_of_its_own() -> None:
    kills = tuple(PastKill(1000.0 - 29 * at, 100 + at, "web", GIB) for at in range(3))
    danger = calm_danger("/web", kills=kills, rounds=Rounds(3, 58.0, 29.0))
    (found,) = [finding for finding in find(replace(facts(), dangers=[danger])) if finding.id == "crash_loop"]
    assert found.title == "/web is in a crash loop: killed 3 times in 58s, each 29s"


@pytest.mark.parametrize(
    ("path", "size", "effective", "told"),
    [
        (CONTAINER, 3, None, True),
        (CONTAINER, 3, 8 * GIB, False),
        (CONTAINER, 1, None, False),
        ("/user.slice", 9, None, False),
    ],
)
def test_a_big_container_without_a_limit_is_told(path: str, size: int, effective: int | None, told: bool) -> None:
    found = replace(facts(), groups=(group(path, size * GIB, effective=effective),))
    assert names(found) == ({"no_limit"} if told else set())


@pytest.mark.parametrize(
    ("limits", "told"), [({"/a": 10, "/b": 9}, True), ({"/a": 10, "/b": 5}, False), ({"/a": 10, "/a/b": 9}, False)]
)
def test_limits_that_add_up_to_more_than_there_is(limits: dict[str, int], told: bool) -> None:
    groups = tuple(group(path, MIB, limit * GIB) for path, limit in limits.items())
    found = replace(facts(), groups=groups)
    found = replace(found, swap=replace(found.swap, total=0))
    assert names(found) == ({"limits_over_ram"} if told else set())


@pytest.mark.parametrize(
    ("count", "each", "anon", "told"),
    [
        (200, 20 * MIB, 8 * GIB, "200 python3 processes hold 3.9G of anonymous memory"),
        (200, 100 * MIB, 4 * GIB, "200 python3 processes hold up to 4.0G of anonymous memory"),
        (99, 100 * MIB, 12 * GIB, None),
        (200, 4 * MIB, 8 * GIB, None),
    ],
    ids=["many", "many that share pages since fork", "few", "small ones"],
)
def test_a_swarm_holds_no_more_than_there_is(count: int, each: int, anon: int, told: str | None) -> None:
    memory = replace(make_assessment().memory, anon=anon)
    rows = [make_row(make_process(100 + at, rss=each)) for at in range(count)]
    found = find(replace(facts(), memory=memory, rows=rows))
    assert next((finding.title for finding in found if finding.id == "swarm"), None) == told


@pytest.mark.parametrize(
    ("growth", "said", "accused"),
    [
        (40 * MIB, "memory full in 41s: python3 grows +40.0M/s", True),
        (5 * MIB, "memory full in 41s at +100M/s: in no visible process", False),
    ],
)
def test_who_grows_a_little_is_not_the_cause_of_a_surge(growth: int, said: str, accused: bool) -> None:
    machine = calm_danger("RAM", 41.0, rate=100.0 * MIB)
    grower = make_row(growth=growth)
    found = find(replace(facts(), dangers=[machine], growers=[grower], rows=[grower]))
    (surge,) = [finding for finding in found if finding.id in ("surge", "memory_low")]
    assert surge.title == said
    assert (surge.target == grower.process.id) == accused
