"""Who is foreseen is who dies: processes of random number, size, page tables and adj in one limited cgroup."""

import os
import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from oomtop.host.cgroup import CgroupLayout
from oomtop.sources.sampler import Sampler
from tests.odd_crowd import foresee, launch, let_grow, likely, population
from tests.present import present

TRIALS = int(os.environ.get("OOMTOP_VICTIM_TRIALS", "20"))
"""A long run: `OOMTOP_VICTIM_TRIALS=200 pytest tests/e2e/test_victims.py`."""
MIB = 1 << 20


@pytest.fixture
def group(cgroup: tuple[CgroupLayout, Path]) -> tuple[Path, Path, Path]:
    layout, folder = cgroup
    limit = folder / ("memory.limit_in_bytes" if layout.version == 1 else "memory.max")
    return folder, limit, folder / ("memory.usage_in_bytes" if layout.version == 1 else "memory.current")


@pytest.fixture
def log() -> Iterator[int | None]:
    """The kernel log from now on, None where it may not be read."""
    try:
        descriptor = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        yield None
        return
    os.lseek(descriptor, 0, os.SEEK_END)
    yield descriptor
    os.close(descriptor)


def killed_first(log: int | None, tasks: dict[int, int], reaped: int) -> int:
    """Return who was killed first: a second one may die for the same lack, and be reaped before the first."""
    while log is not None:
        try:
            record = os.read(log, 8192)
        except BlockingIOError:
            break
        found = re.search(rb"Killed process (\d+)", record)
        if found is not None and int(found[1]) in tasks:
            return tasks[int(found[1])]
    return reaped


@pytest.mark.parametrize("trial", range(TRIALS))
def test_the_one_foreseen_is_killed(group: tuple[Path, Path, Path], log: int, trial: int) -> None:
    folder, limit, usage = group
    children = population(random.Random(trial), trial)
    limit.write_text(str(2 << 30))
    with launch(children, folder / "cgroup.procs") as launcher:
        limit.write_text(str((int(usage.read_text()) + 2 * MIB) // 4096 * 4096))
        sampler = Sampler()
        victims, tasks = foresee(sampler, f"/{folder.name}")
        sampler.close()
        dead, status = let_grow(launcher)
    assert status == 9
    assert killed_first(log, tasks, dead) in likely(present(victims))
