"""What is said about each kernel setting: a value that deserves it, and the near miss that does not."""

from dataclasses import replace
from typing import Any

import pytest

from oomtop.analysis.model.assessment import (
    Assessment,
    MemoryAccount,
    PastSeries,
    PressureFigures,
    Severity,
    SwapAccount,
    Victims,
)
from oomtop.analysis.settings.table import KNOBS, SETTINGS
from oomtop.analysis.settings.verdicts import Verdict, assess_settings
from oomtop.host.hugepages import HugePool
from oomtop.host.kernel_facts import KernelFacts
from oomtop.host.swaps import Zram
from oomtop.host.sysctl import FILES
from oomtop.host.zoneinfo import Zone
from oomtop.snapshot import Machine
from oomtop.units import GIB, MIB
from tests.present import present

CALM = Assessment(
    time=0.0, monotonic=0.0, machine=Machine("h", "6.1", None, None, 4096, 100, 2),
    memory=MemoryAccount(16 * GIB, 0, 0, 0, 0, 0, 0, 0, 0, 0, 10 * GIB, 0, 0, 0, 0, 5 * GIB, 10 * GIB),
    swap=SwapAccount(4 * GIB, 0, 4 * GIB, 0, 0.0, 0.0), pressure=PressureFigures(None, None, 0.0, 0.0, 0.0, 0, None),
    victims=Victims(), growers=(), findings=(), rows=(), cgroups=(), limit=None, zones=(), events=(),
    unlogged_kills=0, series=PastSeries(), problems=(),
)  # fmt: skip
NO_SWAP = replace(CALM, swap=replace(CALM.swap, total=0))
ZRAM = replace(CALM, swap=replace(CALM.swap, zram=(Zram("zram0", GIB, 1, 1, "zstd"),)))
STALLED = replace(CALM, pressure=replace(CALM.pressure, direct_reclaim_rate=50.0))
COMMITTED = replace(CALM, memory=replace(CALM.memory, committed=int(9.5 * GIB)))
NUMA = replace(CALM, zones=(Zone(0, "Normal", 1, 1, 1, 1, 1, 1), Zone(1, "Normal", 1, 1, 1, 1, 1, 1)))
POOL = (HugePool(2 * MIB, 1000, 900, 0, 0),)


def verdict(
    name: str, machine: Assessment = CALM, pools: tuple[HugePool, ...] = (), **settings: int | str
) -> Verdict | None:
    texts = tuple((key.replace("__", "/"), str(value)) for key, value in settings.items())
    facts = KernelFacts(texts, huge_pools=pools)
    rows = {row.name: row for row in assess_settings(replace(machine, kernel=facts))}
    return rows[name].verdict


@pytest.mark.parametrize(
    ("name", "machine", "settings", "severity", "recommended"),
    [
        ("swappiness", CALM, {"swappiness": 0}, Severity.WARNING, 1),
        ("swappiness", NO_SWAP, {"swappiness": 60}, Severity.INFO, None),
        ("swappiness", ZRAM, {"swappiness": 60}, Severity.INFO, 150),
        ("swappiness", CALM, {"swappiness": 180}, Severity.INFO, 60),
        ("overcommit_memory", CALM, {"overcommit_memory": 1}, Severity.INFO, None),
        ("overcommit_memory", CALM, {"overcommit_memory": 2}, Severity.INFO, None),
        ("overcommit_memory", COMMITTED, {"overcommit_memory": 2}, Severity.CRITICAL, None),
        ("overcommit_ratio", NO_SWAP, {"overcommit_memory": 2, "overcommit_ratio": 50}, Severity.WARNING, 90),
        ("min_free_kbytes", CALM, {"min_free_kbytes": 2 << 20}, Severity.WARNING, 16384),
        ("min_free_kbytes", CALM, {"min_free_kbytes": 1024}, Severity.WARNING, 16384),
        ("watermark_scale_factor", STALLED, {"watermark_scale_factor": 10}, Severity.WARNING, 100),
        ("watermark_scale_factor", CALM, {"watermark_scale_factor": 2000}, Severity.WARNING, 100),
        ("vfs_cache_pressure", CALM, {"vfs_cache_pressure": 0}, Severity.WARNING, 100),
        ("panic_on_oom", CALM, {"panic_on_oom": 1, "kernel.panic": 0}, Severity.CRITICAL, 0),
        ("panic_on_oom", CALM, {"panic_on_oom": 2, "kernel.panic": 10}, Severity.WARNING, 0),
        ("oom_kill_allocating_task", CALM, {"oom_kill_allocating_task": 1}, Severity.WARNING, 0),
        ("oom_dump_tasks", CALM, {"oom_dump_tasks": 0}, Severity.WARNING, 1),
        ("admin_reserve_kbytes", CALM, {"overcommit_memory": 2, "admin_reserve_kbytes": 8192}, Severity.WARNING, 131072),
        ("dirty_ratio", CALM, {"dirty_ratio": 90}, Severity.INFO, None),
        ("zone_reclaim_mode", NUMA, {"zone_reclaim_mode": 1}, Severity.WARNING, 0),
        ("zone_reclaim_mode", CALM, {"zone_reclaim_mode": 1}, Severity.INFO, None),
        ("page-cluster", ZRAM, {"page-cluster": 3}, Severity.INFO, 0),
        ("lru_gen/min_ttl_ms", CALM, {"lru_gen__min_ttl_ms": 1000}, Severity.INFO, None),
        ("transparent_hugepage/enabled", CALM, {"transparent_hugepage__enabled": "[always] madvise never"},
         Severity.INFO, None),
        ("transparent_hugepage/defrag", CALM, {"transparent_hugepage__defrag": "[always] never"}, Severity.WARNING, None),
    ],
)  # fmt: skip
def test_a_value_that_deserves_a_word(
    name: str, machine: Assessment, settings: dict[str, Any], severity: Severity, recommended: int | None
) -> None:
    found = present(verdict(name, machine, **settings))
    assert (found.severity, found.recommended) == (severity, recommended)


@pytest.mark.parametrize(
    ("name", "machine", "settings"),
    [
        ("swappiness", CALM, {"swappiness": 60}),
        ("swappiness", ZRAM, {"swappiness": 150}),
        ("overcommit_memory", COMMITTED, {"overcommit_memory": 0}),
        ("overcommit_ratio", NO_SWAP, {"overcommit_memory": 0, "overcommit_ratio": 50}),
        ("min_free_kbytes", CALM, {"min_free_kbytes": 16384}),
        ("watermark_scale_factor", STALLED, {"watermark_scale_factor": 100}),
        ("panic_on_oom", CALM, {"panic_on_oom": 0, "kernel.panic": 0}),
        ("dirty_ratio", CALM, {"dirty_ratio": 20}),
        ("page-cluster", CALM, {"page-cluster": 3}),
        ("transparent_hugepage/enabled", CALM, {"transparent_hugepage__enabled": "always [madvise] never"}),
    ],
)
def test_a_near_miss_is_left_in_peace(name: str, machine: Assessment, settings: dict[str, Any]) -> None:
    assert verdict(name, machine, **settings) is None


def test_huge_pages_that_nobody_uses() -> None:
    assert present(verdict("nr_hugepages", pools=POOL, nr_hugepages=1000)).severity is Severity.WARNING
    used = (replace(POOL[0], reserved=900),)
    assert verdict("nr_hugepages", pools=used, nr_hugepages=1000) is None


def test_the_gravest_come_first_and_what_is_missing_is_left_out() -> None:
    facts = KernelFacts((("swappiness", "60"), ("vfs_cache_pressure", "0"), ("panic_on_oom", "1")))
    rows = assess_settings(replace(CALM, kernel=facts))
    assert [row.name for row in rows] == ["panic_on_oom", "vfs_cache_pressure", "swappiness"]
    assert assess_settings(CALM) == ()


def test_every_setting_is_read_and_every_file_is_in_a_table() -> None:
    tables = {setting.name: setting.file for setting in SETTINGS} | {knob.name: knob.file for knob in KNOBS}
    assert tables == dict(FILES)
