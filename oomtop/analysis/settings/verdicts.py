"""What each memory setting means on this machine, and whether another value would serve it better.

Documentation/admin-guide/sysctl/vm.rst, admin-guide/mm/transhuge.rst.  Advice, never an act.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from oomtop.analysis.model.assessment import Assessment, Finding, Severity
from oomtop.analysis.settings.table import KNOBS, SETTINGS, Setting
from oomtop.frozen import frozen
from oomtop.host.kernel_facts import KernelFacts
from oomtop.host.sysctl import chosen
from oomtop.units import GIB, format_bytes, format_share


@frozen
class Verdict:
    """The verdict on a value; `recommended` is the value to set, None if it is a matter of taste."""

    severity: Severity
    text: str
    recommended: int | None = None


@frozen
class SettingRow:
    """A setting as it stands."""

    name: str
    value: str
    default: str | None
    """None: computed from the machine's size."""
    what: str
    risk: str
    verdict: Verdict | None
    """None: no objection."""
    setting: Setting | None
    """How it is changed; None for one that oomtop only shows."""
    file: str


def assess_settings(assessment: Assessment) -> tuple[SettingRow, ...]:
    """Return every setting that this kernel has, those with a verdict first, the gravest at the top."""
    kernel = assessment.kernel
    if kernel is None:
        return ()
    rows = [*_changeable(assessment, kernel), *_shown(assessment, kernel)]
    return tuple(sorted(rows, key=lambda row: row.verdict.severity.order if row.verdict else len(Severity)))


def setting_risks(assessment: Assessment) -> tuple[Finding, ...]:
    """Return the settings that another value would serve better, as risks of the audit."""
    return tuple(
        Finding(
            f"setting_{row.name.replace('/', '_').replace('.', '_')}",
            row.verdict.severity,
            f"{row.name} is {row.value}",
            f"{row.file}: {row.verdict.text}",
            "leave it so only on purpose"
            if row.verdict.recommended is None
            else f"`oomtop sysctl {row.name} {row.verdict.recommended}`",
        )
        for row in assess_settings(assessment)
        if row.verdict is not None
        and (row.verdict.recommended is not None or row.verdict.severity is not Severity.INFO)
    )


def _changeable(assessment: Assessment, kernel: KernelFacts) -> list[SettingRow]:
    rows = []
    for setting in SETTINGS:
        value = kernel.setting(setting.name)
        if value is None:
            continue
        default = None if setting.default is None else str(setting.default)
        verdict = _judge(setting.name, assessment, kernel)
        rows.append(
            SettingRow(setting.name, value, default, setting.what, setting.risk, verdict, setting, setting.file)
        )
    return rows


def _shown(assessment: Assessment, kernel: KernelFacts) -> list[SettingRow]:
    rows = []
    for knob in KNOBS:
        value = kernel.setting(knob.name)
        if value is not None:
            verdict = _judge(knob.name, assessment, kernel)
            rows.append(SettingRow(knob.name, chosen(value), knob.default, knob.what, "", verdict, None, knob.file))
    return rows


def _judge(name: str, assessment: Assessment, kernel: KernelFacts) -> Verdict | None:
    rule = _RULES.get(name)
    number = kernel.number(name)
    if rule is None or number is None:
        word_rule = _WORD_RULES.get(name)
        return None if word_rule is None else word_rule(chosen(kernel.setting(name) or ""), assessment)
    return rule(number, assessment, kernel)


def _swappiness(value: int, machine: Assessment, kernel: KernelFacts) -> Verdict | None:
    if not machine.swap.total:
        return Verdict(Severity.INFO, "without effect: there is no swap")
    is_compressed = bool(machine.swap.zram) or bool(machine.swap.zswap and machine.swap.zswap.enabled)
    if value == 0:
        return Verdict(Severity.WARNING, "swap is used only when it is too late; 1 is meant, mostly", 1)
    if is_compressed and value < 100:
        return Verdict(Severity.INFO, "swap is compressed RAM here, faster than a disk: 100 to 180 serves better", 150)
    if value > 100 and not is_compressed:
        return Verdict(Severity.INFO, "above 100 is meant for zram and zswap: a disk swaps too much with it", 60)
    return None


def _overcommit_memory(value: int, machine: Assessment, kernel: KernelFacts) -> Verdict | None:
    if value == 1:
        return Verdict(Severity.INFO, "nothing is ever refused: what does not fit is killed later")
    if value != 2:
        return None
    limit, used = machine.memory.commit_limit, machine.memory.committed
    if limit and used is not None and used > limit * 0.9:
        return Verdict(Severity.CRITICAL, f"only {format_bytes(limit - used)} can still be allocated by all together")
    return Verdict(Severity.INFO, "strict: allocations fail at CommitLimit, also with memory free")


def _overcommit_ratio(value: int, machine: Assessment, kernel: KernelFacts) -> Verdict | None:
    if kernel.number("overcommit_memory") != 2:
        return None
    if value < 80 and not machine.swap.total:
        return Verdict(Severity.WARNING, f"{100 - value} % of RAM cannot be allocated: there is no swap to add", 90)
    return None


def _min_free(value: int, machine: Assessment, kernel: KernelFacts) -> Verdict | None:
    size, total = value * 1024, machine.memory.total
    # mm/page_alloc.c, calculate_min_free_kbytes: 4 * sqrt(kB of RAM), from 128 to 262144.
    usual = min(262144, max(128, math.isqrt(total // 1024 * 16)))
    if size > total * 0.05:
        return Verdict(Severity.WARNING, f"{format_share(size / total)} of RAM is kept from programs", usual)
    if value < usual // 2:
        return Verdict(Severity.WARNING, "less than the kernel's own choice: bursts may fail or deadlock", usual)
    return None


def _watermark_scale(value: int, machine: Assessment, kernel: KernelFacts) -> Verdict | None:
    if value <= 10 and (machine.pressure.direct_reclaim_rate or 0) > 1:
        text = "programs stall in direct reclaim: a larger distance wakes kswapd earlier"
        return Verdict(Severity.WARNING, text, 100)
    if value > 1000:
        return Verdict(Severity.WARNING, f"{value / 100:.0f} % of each zone is kept between the watermarks", 100)
    return None


def _cache_pressure(value: int, machine: Assessment, kernel: KernelFacts) -> Verdict | None:
    if value == 0:
        return Verdict(Severity.WARNING, "dentries and inodes are never given back: they alone can fill memory", 100)
    return None


def _panic(value: int, machine: Assessment, kernel: KernelFacts) -> Verdict | None:
    if value == 0:
        return None
    restart = kernel.number("kernel.panic")
    if not restart:
        return Verdict(Severity.CRITICAL, "an OOM stops the machine for good: kernel.panic is 0, it never restarts", 0)
    after = "at once" if restart < 0 else f"after {restart} s"
    return Verdict(Severity.WARNING, f"an OOM restarts the machine {after} in place of one kill", 0)


def _allocating_task(value: int, machine: Assessment, kernel: KernelFacts) -> Verdict | None:
    if value:
        return Verdict(
            Severity.WARNING, "kills the allocating task, often not the culprit; the ranking here does not apply", 0
        )
    return None


def _dump_tasks(value: int, machine: Assessment, kernel: KernelFacts) -> Verdict | None:
    if not value:
        return Verdict(Severity.WARNING, "the log will not tell why a victim was chosen", 1)
    return None


def _admin_reserve(value: int, machine: Assessment, kernel: KernelFacts) -> Verdict | None:
    if kernel.number("overcommit_memory") == 2 and value < 128 * 1024:
        return Verdict(Severity.WARNING, "too little to log in and act in mode 2 (vm.rst names 128 MiB)", 131072)
    return None


def _dirty_ratio(value: int, machine: Assessment, kernel: KernelFacts) -> Verdict | None:
    available = machine.memory.available
    if available is None or kernel.number("dirty_bytes"):
        return None
    allowed = available * value // 100
    if allowed > 8 * GIB:
        return Verdict(
            Severity.INFO, f"up to {format_bytes(allowed)} may wait to be written: long stalls on slow disks"
        )
    return None


def _zone_reclaim(value: int, machine: Assessment, kernel: KernelFacts) -> Verdict | None:
    if not value:
        return None
    nodes = {zone.node for zone in machine.zones}
    if len(nodes) < 2:
        return Verdict(Severity.INFO, "without effect: this machine has one node")
    return Verdict(Severity.WARNING, "a full node reclaims while another has memory free", 0)


def _page_cluster(value: int, machine: Assessment, kernel: KernelFacts) -> Verdict | None:
    if value and machine.swap.zram:
        return Verdict(Severity.INFO, "zram has no seeks: reading ahead only costs CPU and memory", 0)
    return None


def _nr_hugepages(value: int, machine: Assessment, kernel: KernelFacts) -> Verdict | None:
    idle = sum(max(0, pool.free - pool.reserved) * pool.page_size for pool in kernel.huge_pools)
    if idle > machine.memory.total * 0.02:
        return Verdict(Severity.WARNING, f"{format_bytes(idle)} set aside is used by nobody and can be by nothing else")
    return None


def _min_ttl(value: int, machine: Assessment, kernel: KernelFacts) -> Verdict | None:
    if value:
        return Verdict(Severity.INFO, f"kills early: when pages younger than {value} ms would have to go")
    return None


def _thp_enabled(word: str, machine: Assessment) -> Verdict | None:
    if word == "always":
        return Verdict(Severity.INFO, "sparse heaps (databases, forks) grow by it; madvise leaves it to the program")
    return None


def _thp_defrag(word: str, machine: Assessment) -> Verdict | None:
    if word == "always":
        return Verdict(Severity.WARNING, "page faults stall for compaction; madvise or defer avoids that")
    return None


_Rule = Callable[[int, Assessment, KernelFacts], "Verdict | None"]
_RULES: dict[str, _Rule] = {
    "swappiness": _swappiness,
    "overcommit_memory": _overcommit_memory,
    "overcommit_ratio": _overcommit_ratio,
    "min_free_kbytes": _min_free,
    "watermark_scale_factor": _watermark_scale,
    "vfs_cache_pressure": _cache_pressure,
    "panic_on_oom": _panic,
    "oom_kill_allocating_task": _allocating_task,
    "oom_dump_tasks": _dump_tasks,
    "admin_reserve_kbytes": _admin_reserve,
    "dirty_ratio": _dirty_ratio,
    "zone_reclaim_mode": _zone_reclaim,
    "page-cluster": _page_cluster,
    "nr_hugepages": _nr_hugepages,
    "lru_gen/min_ttl_ms": _min_ttl,
}
_WORD_RULES: dict[str, Callable[[str, Assessment], Verdict | None]] = {
    "transparent_hugepage/enabled": _thp_enabled,
    "transparent_hugepage/defrag": _thp_defrag,
}
