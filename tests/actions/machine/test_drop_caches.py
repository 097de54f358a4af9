import os
from pathlib import Path

import pytest

from oomtop.actions.base.guard import Guard
from oomtop.actions.base.plan import Status
from oomtop.actions.base.requests import DropCachesRequest
from oomtop.actions.dispatch import prepare
from oomtop.actions.machine.drop_caches import clean_cache
from oomtop.host.checked_meminfo import read_meminfo
from oomtop.host.meminfo import Meminfo
from oomtop.host.root import Root
from oomtop.units import format_bytes
from tests.actions.children import GIB, as_nobody, context
from tests.present import present

MIB = 1 << 20
FULL = Meminfo(
    10 * GIB,
    GIB,
    cached=4 * GIB,
    shmem=GIB,
    dirty=100 * MIB,
    mapped=GIB,
    s_reclaimable=GIB,
    anon_pages=2 * GIB,
    mem_available=4 * GIB,
)
EATEN = Meminfo(10 * GIB, GIB // 4, cached=120 * MIB, s_reclaimable=10 * MIB, anon_pages=9 * GIB)


@pytest.fixture
def fake(tmp_path: Path) -> Path:
    (tmp_path / "proc/sys/vm").mkdir(parents=True)
    (tmp_path / "proc/sys/vm/drop_caches").write_text("")
    (tmp_path / "proc/meminfo").write_text("MemTotal: 1000 kB\nMemFree: 100 kB\nMemAvailable: 400 kB\nCached: 300 kB\n")
    return tmp_path


def test_dirty_mapped_and_tmpfs_pages_are_not_counted_as_clean() -> None:
    assert clean_cache(FULL) == 4 * GIB - GIB - 100 * MIB


def test_it_says_what_it_can_give() -> None:
    prepared = prepare(DropCachesRequest(3), context(meminfo=FULL, root=Root()))
    if os.geteuid() != 0:
        pytest.skip("refused without root")
    assert "reclaimable slab" in prepared.plan.effect
    assert prepared.plan.frees == clean_cache(FULL) + GIB
    assert not prepared.plan.warnings
    prepared.close()


def test_it_says_when_it_will_not_help(fake: Path) -> None:
    prepared = prepare(DropCachesRequest(1), context(meminfo=EATEN, root=Root(str(fake))))
    assert prepared.plan.warnings[0].startswith(
        f"will not help: only {format_bytes(120 * MIB)} can be dropped, {format_bytes(9 * GIB)} is anonymous"
    )
    prepared.close()


def test_the_level_is_written_and_the_account_compared(fake: Path) -> None:
    prepared = prepare(DropCachesRequest(2), context(meminfo=FULL, root=Root(str(fake))))
    outcome = prepared.perform(print)
    assert outcome.status is Status.DONE
    assert (fake / "proc/sys/vm/drop_caches").read_text() == "2"
    assert f"page cache: {format_bytes(300 << 10)} -> {format_bytes(300 << 10)}" in outcome.details
    assert outcome.freed == 0


@pytest.mark.parametrize("level", [0, 4, -1])
def test_other_levels_are_refused(level: int) -> None:
    assert "1 (page cache)" in present(prepare(DropCachesRequest(level), context()).plan.refusal)


def test_read_only() -> None:
    assert "--read-only" in present(prepare(DropCachesRequest(), context(guard=Guard(read_only=True))).plan.refusal)


def test_a_kernel_without_the_file(tmp_path: Path) -> None:
    assert "no such file" in present(prepare(DropCachesRequest(), context(root=Root(str(tmp_path)))).plan.refusal)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_without_root_the_plan_says_what_it_needs() -> None:
    text = as_nobody(lambda: prepare(DropCachesRequest(), context()).plan.refusal or "no refusal")
    assert "the kernel requires uid 0" in text


@pytest.mark.skipif(os.geteuid() != 0 or not os.access("/proc/sys/vm/drop_caches", os.W_OK), reason="needs root")
def test_a_real_drop_of_one_level(tmp_path: Path) -> None:
    """The one test that touches the machine's caches."""
    (tmp_path / "cached").write_bytes(bytes(32 * MIB))
    before = read_meminfo(Root())
    outcome = prepare(DropCachesRequest(1), context(meminfo=before)).perform(print)
    assert outcome.status is Status.DONE
    assert "MemAvailable" in outcome.summary
