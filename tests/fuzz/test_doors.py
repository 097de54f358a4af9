"""A few cases of every fuzzer, always the same ones; `make fuzz` tries many more."""

from collections.abc import Callable
from random import Random

import pytest

from tests.fuzz.harness import Door, attack, doors, mutate

SEED = 1


@pytest.mark.parametrize("name", doors())
def test_nothing_that_comes_through_the_door_breaks_anything(name: str) -> None:
    door = doors()[name]
    for finding in attack(door, door.few, SEED):
        pytest.fail(str(finding), pytrace=False)


def _raises(case: object) -> None:
    raise KeyError(case)


def _spins(case: object) -> None:
    while True:
        pass


def _hoards(case: object) -> bytearray:
    return bytearray(400 << 20)


@pytest.mark.parametrize(
    ("attempt", "problem", "seconds"),
    [(_raises, "KeyError", 60.0), (_spins, "TooSlow: SIGPROF", 0.05), (_hoards, "memory: ", 60.0)],
)
def test_the_harness_finds_errors_hangs_and_hoards(
    attempt: Callable[[object], object], problem: str, seconds: float
) -> None:
    door = Door("trial", lambda rng: rng.random(), attempt, 1, 1, cpu_seconds=seconds)
    (finding,) = attack(door, 1, SEED)
    assert finding.problem.startswith(problem)
    assert "--seed 1 --only 0" in str(finding)


def test_a_case_is_known_by_seed_and_number() -> None:
    seen: list[bytes] = []
    door = Door("trial", lambda rng: mutate(rng, b"order=0, oom_score_adj=0"), seen.append, 1, 1)
    assert not list(attack(door, 5, SEED))
    assert not list(attack(door, 1, SEED, first=3))
    assert seen[3] == seen[5]
    assert len(set(seen)) == 5


def test_mutations_are_bounded() -> None:
    assert all(len(mutate(Random(seed), b"x" * 100)) < 100_000 for seed in range(200))
