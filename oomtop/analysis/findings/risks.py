"""The audit of `oomtop doctor`: what makes an OOM kill likely, or likely to hit the wrong process; pure.

Rules like those of the findings, about static facts: limits, settings, swap, scores.  Documentation/admin-guide/
sysctl/vm.rst, cgroup-v2.rst; systemd.exec(5) `OOMScoreAdjust=`; systemd-oomd(8).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from oomtop.analysis.cgroups.assess import working_set
from oomtop.analysis.findings.limits import is_container, limits_over_ram
from oomtop.analysis.findings.rule import Facts
from oomtop.analysis.model.assessment import Assessment, CgroupFigures, Finding, ProcessRow, Severity
from oomtop.host.abilities import Abilities
from oomtop.host.containers import unit_at
from oomtop.units import GIB, format_bytes, format_share

_NAMED = 4
_BIG = 0.05
_KILLERS = ("systemd-oomd", "earlyoom", "nohang", "oomd")
_LIFELINES = ("sshd", "systemd-journal", "systemd-logind")
_KEEPERS = ("dockerd", "containerd", "kubelet", "crio", "postgres", "mysqld", "mariadbd", "mongod", "redis-server")


def audit(assessment: Assessment, abilities: Abilities) -> tuple[Finding, ...]:
    """Return the risks found."""
    return tuple(risk for rule in _RULES if (risk := rule(assessment, abilities)) is not None)


def by_severity(risks: Iterable[Finding]) -> tuple[Finding, ...]:
    """Sort risks, the most severe first."""
    return tuple(sorted(risks, key=lambda risk: risk.severity.order))


def no_swap(now: Assessment, abilities: Abilities) -> Finding | None:
    """No swap: reclaim can only take the page cache."""
    if now.swap.total:
        return None
    # The kubelet refused to run with swap until 1.22 and still does by default.
    severity = Severity.INFO if _running(now, ("kubelet",)) else Severity.WARNING
    return Finding(
        "no_swap", severity, "there is no swap",
        "SwapTotal of /proc/meminfo is 0: idle memory cannot be moved out, so a surge ends in a kill at once",
        "`oomtop swap add`; `oomtop recommend --for swap` suggests a size",
    )  # fmt: skip


def little_swap(now: Assessment, abilities: Abilities) -> Finding | None:
    """Swap too small to delay a kill noticeably."""
    total = now.swap.total
    if not total or total >= min(GIB, now.memory.total // 20):
        return None
    return Finding(
        "little_swap", Severity.INFO, f"swap is {format_bytes(total)}, {format_share(total / now.memory.total)} of RAM",
        "SwapTotal of /proc/meminfo", "`oomtop recommend --for swap` suggests a size",
    )  # fmt: skip


def containers_without_limit(now: Assessment, abilities: Abilities) -> Finding | None:
    """Containers without a limit."""
    found = [group for group in now.cgroups if is_container(group) and group.effective_limit is None]
    if not found:
        return None
    return Finding(
        "containers_without_limit", Severity.WARNING,
        f"{_count(len(found), 'container')} without a memory limit: {_names(found)}",
        "no memory.max from their cgroup up to the root",
        "`oomtop recommend` suggests limits; `oomtop limit` sets them",
    )  # fmt: skip


def services_without_limit(now: Assessment, abilities: Abilities) -> Finding | None:
    """Services that hold a twentieth of RAM and have no limit."""
    found = [
        group
        for group in now.cgroups
        if (unit_at(group.cgroup.path) or "").endswith(".service")
        and group.effective_limit is None
        and (working_set(group.cgroup) or 0) > now.memory.total * _BIG
    ]
    if not found:
        return None
    return Finding(
        "services_without_limit", Severity.INFO,
        f"{_count(len(found), 'large service')} without a memory limit: {_names(found)}",
        f"each holds more than {format_share(_BIG)} of RAM and has no memory.max",
        "`oomtop recommend --for systemd` writes the drop-in",
    )  # fmt: skip


def promises(now: Assessment, abilities: Abilities) -> Finding | None:
    """Limits that add up to more than RAM and swap."""
    return limits_over_ram(Facts(now.memory, now.swap, now.pressure, now.dangers, now.rows, (), now.cgroups))


def limits_without_swap_limit(now: Assessment, abilities: Abilities) -> Finding | None:
    """Limited groups that may fill all swap."""
    if not now.swap.total or abilities.layout is None or abilities.layout.version != 2:
        return None
    found = [group for group in now.cgroups if group.cgroup.max is not None and group.cgroup.swap_max is None]
    if not found:
        return None
    return Finding(
        "swap_unlimited", Severity.INFO,
        f"{_count(len(found), 'limited group')} may fill all of the swap: {_names(found)}",
        "memory.max is set, memory.swap.max is `max`",
        "set memory.swap.max too, or MemorySwapMax= in the unit",
    )  # fmt: skip


def kills_switched_off(now: Assessment, abilities: Abilities) -> Finding | None:
    """v1 groups with `oom_kill_disable`: their tasks hang at the limit."""
    found = [group for group in now.cgroups if group.cgroup.oom_kill_disable]
    if not found:
        return None
    return Finding(
        "oom_kill_disable", Severity.WARNING,
        f"{_count(len(found), 'group')} with the OOM killer disabled: {_names(found)}",
        "oom_kill_disable of memory.oom_control: at the limit its tasks hang until memory is freed",
        "write 0 to memory.oom_control",
    )  # fmt: skip


def unprotected_lifelines(now: Assessment, abilities: Abilities) -> Finding | None:
    """Programs needed to log in, without protection from the OOM killer."""
    found = _running(now, _LIFELINES)
    bare = [row for row in found if row.process.euid == 0 and (row.process.oom_score_adj or 0) >= 0 and _is_daemon(row)]
    return _unprotected(
        bare, "lifelines", Severity.WARNING, "may be killed like any other process",
        "oom_score_adj of programs you log in with is 0 or above",
        "`oomtop protect PID --adj -900`, or OOMScoreAdjust= in the unit",
    )  # fmt: skip


def unprotected_keepers(now: Assessment, abilities: Abilities) -> Finding | None:
    """Databases and container engines, which are likely victims because of their size."""
    bare = [row for row in _running(now, _KEEPERS) if (row.process.oom_score_adj or 0) >= 0 and _is_daemon(row)]
    return _unprotected(
        bare, "unprotected_services", Severity.INFO, "may be killed before less important processes",
        "oom_score_adj is 0 or above",
        "`oomtop protect PID --adj -500`, or OOMScoreAdjust= in the unit; and set a limit, so that it is not the cause",
    )  # fmt: skip


def _unprotected(
    rows: Sequence[ProcessRow], name: str, severity: Severity, what: str, evidence: str, advice: str
) -> Finding | None:
    if not rows:
        return None
    return Finding(name, severity, f"{_programs(rows)} {what}", evidence, advice, target=rows[0].process.id)


def untouchables(now: Assessment, abilities: Abilities) -> Finding | None:
    """Large processes that the kernel never kills, so that others die instead."""
    found = [
        row
        for row in now.rows
        if row.process.oom_score_adj == -1000 and row.process.rss_and_swap > now.memory.total * _BIG
    ]
    if not found:
        return None
    size = sum(row.process.rss_and_swap for row in found)
    severity = Severity.WARNING if size > now.memory.total / 2 else Severity.INFO
    return Finding(
        "untouchables", severity,
        f"{format_bytes(size)} is held by processes that are never killed: {_programs(found)}",
        "oom_score_adj is -1000 and RSS + swap is large",
        "-900 protects as well, and leaves the kernel a last resort",
        target=found[0].process.id,
    )  # fmt: skip


def early_killers(now: Assessment, abilities: Abilities) -> Finding | None:
    """No userspace OOM daemon runs, or two independent ones do."""
    names = sorted({row.process.comm for row in _running(now, _KILLERS)})
    if len(names) == 1 or (not names and not now.scope.sees_all):
        return None
    if names:
        return Finding(
            "killers", Severity.WARNING, f"{' and '.join(names)} both kill when memory runs low",
            "they are independent: one shortage may kill two processes", "disable one of them",
        )  # fmt: skip
    late = "the kernel kills late, after minutes of thrashing" if now.swap.total else "only the kernel kills"
    return Finding(
        "killers", Severity.INFO, "no daemon acts before the kernel does",
        f"neither systemd-oomd nor earlyoom runs; {late}",
        "install earlyoom, or enable systemd-oomd on cgroup v2",
    )  # fmt: skip


def tmpfs_sizes(now: Assessment, abilities: Abilities) -> Finding | None:
    """tmpfs mounts that may grow beyond RAM and swap."""
    total = now.memory.total + (now.swap.total or 0)
    size = sum(one.size for one in abilities.tmpfs)
    largest = sorted(abilities.tmpfs, key=lambda one: one.used, reverse=True)[:_NAMED]
    if size <= total:
        return None
    shown = ", ".join(f"{one.path} {format_bytes(one.used)} of {format_bytes(one.size)}" for one in largest)
    return Finding(
        "tmpfs", Severity.INFO,
        f"tmpfs mounts may grow to {format_bytes(size)}; RAM and swap are {format_bytes(total)}",
        shown, "set size= in their mount options; no kill frees files on tmpfs",
    )  # fmt: skip


def idle_huge_pages(now: Assessment, abilities: Abilities) -> Finding | None:
    """Memory reserved for unused huge pages."""
    pools = now.kernel.huge_pools if now.kernel else ()
    idle = sum((pool.free - pool.reserved) * pool.page_size for pool in pools)
    if idle < now.memory.total * _BIG:
        return None
    return Finding(
        "huge_pages", Severity.WARNING, f"{format_bytes(idle)} is reserved for unused huge pages",
        "free_hugepages of /sys/kernel/mm/hugepages", "lower vm.nr_hugepages",
    )  # fmt: skip


Rule = Callable[[Assessment, Abilities], "Finding | None"]
_RULES: tuple[Rule, ...] = (
    containers_without_limit, unprotected_lifelines, kills_switched_off, early_killers, no_swap, little_swap,
    untouchables, idle_huge_pages, services_without_limit, promises, limits_without_swap_limit, unprotected_keepers,
    tmpfs_sizes,
)  # fmt: skip


def _running(now: Assessment, names: Sequence[str]) -> list[ProcessRow]:
    return [row for row in now.rows if row.process.comm in names and not row.process.is_kernel_thread]


def _is_daemon(row: ProcessRow) -> bool:
    """Whether it is the main process: an sshd session or a postgres backend may be killed."""
    return row.process.ppid <= 1


def _names(groups: Sequence[CgroupFigures]) -> str:
    ordered = sorted(groups, key=lambda group: working_set(group.cgroup) or 0, reverse=True)
    shown = ", ".join(f"{g.name} {format_bytes(working_set(g.cgroup))}" for g in ordered[:_NAMED])
    return f"{shown} and {len(ordered) - _NAMED} more" if len(ordered) > _NAMED else shown


def _programs(rows: Sequence[ProcessRow]) -> str:
    names = list(dict.fromkeys(f"{row.process.comm} ({row.process.pid})" for row in rows))
    return ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
