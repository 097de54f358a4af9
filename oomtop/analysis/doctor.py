"""Which parts of oomtop work here, why not, and what would help: pure, from `Abilities`.

The kernel versions are those in which the interface appeared (the manual pages named in each row).
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from oomtop.frozen import frozen
from oomtop.host.abilities import Abilities
from oomtop.host.privileges import Capability
from oomtop.units import format_bytes


class Works(Enum):
    """How far an ability works."""

    YES = "yes"
    PARTLY = "partly"
    NO = "no"


@frozen
class Ability:
    """One ability of oomtop and whether it works here."""

    id: str
    title: str
    works: Works
    detail: str
    """How it works here, or why it does not."""
    remedy: str | None = None
    """What would make it work, None if nothing is missing or nothing helps."""


def judge(found: Abilities) -> tuple[Ability, ...]:
    """Return every ability, in display order."""
    return tuple(make(found) for make in _ABILITIES)


def _rights(found: Abilities) -> Ability:
    if found.uid == 0 and found.user_namespace:
        detail = "root of a user namespace: acts on its own processes, not on the machine's swap, settings and limits"
        return Ability("rights", "rights", Works.PARTLY, detail, "run oomtop as root outside the container")
    missing = ", ".join(f"CAP_{capability.name}" for capability in Capability if not found.has(capability))
    if found.uid == 0 and missing:
        return Ability("rights", "rights", Works.PARTLY, f"root without {missing}")
    if found.uid == 0:
        return Ability("rights", "rights", Works.YES, "root")
    detail = f"uid {found.uid}: you can act on your own processes; others are view-only"
    return Ability("rights", "rights", Works.PARTLY, detail, "run oomtop with sudo")


def _get(found: Abilities, capability: str) -> str:
    """Return how to get a capability; root lacks one in a container, or where a unit leaves it out."""
    return f"give oomtop {capability}" if found.uid == 0 else f"run oomtop with sudo, or give it {capability}"


def _pressure(found: Abilities) -> Ability:
    if found.has_psi:
        return Ability("pressure", "pressure (PSI)", Works.YES, "/proc/pressure/memory")
    if found.release < (4, 20):
        return Ability("pressure", "pressure (PSI)", Works.NO, "this kernel is older than 4.20")
    detail = "built without CONFIG_PSI, or PSI is disabled"
    return Ability("pressure", "pressure (PSI)", Works.NO, detail, "boot with psi=1")


def _kernel_log(found: Abilities) -> Ability:
    if found.kmsg is None:
        return Ability("kernel_log", "kernel log, live", Works.YES, "/dev/kmsg")
    detail = f"/dev/kmsg: {found.kmsg}" + (", kernel.dmesg_restrict=1" if found.dmesg_restrict else "")
    return Ability("kernel_log", "kernel log, live", Works.NO, detail, _get(found, "CAP_SYSLOG"))


def _older_logs(found: Abilities) -> Ability:
    sources = [*found.log_files, *([found.journal] if found.journal and "journalctl" in found.tools else [])]
    if sources:
        return Ability("older_logs", "kills before the last boot", Works.YES, ", ".join(sources))
    # Root reads every log there is.
    join = "" if found.uid == 0 else "join group adm or systemd-journal; "
    remedy = f"{join}a persistent journal needs /var/log/journal"
    return Ability("older_logs", "kills before the last boot", Works.NO, "no log file or journal to read", remedy)


def _cgroups(found: Abilities) -> Ability:
    layout = found.layout
    if layout is None:
        detail = "no memory controller is mounted"
        return Ability("cgroups", "memory cgroups", Works.NO, detail, "boot with cgroup_enable=memory")
    where = f"v{layout.version} at {layout.memory_mount}"
    if not found.can_write_cgroups:
        remedy = "limits need root" if found.uid else "limits need it mounted writable"
        return Ability("cgroups", "memory cgroups", Works.PARTLY, f"{where}, read only", remedy)
    if layout.version == 1:
        detail = f"{where}: no pressure, memory.high or memory.reclaim per group"
        return Ability(
            "cgroups", "memory cgroups", Works.PARTLY, detail, "boot with systemd.unified_cgroup_hierarchy=1"
        )
    return Ability("cgroups", "memory cgroups", Works.YES, where)


def _processes(found: Abilities) -> Ability:
    if found.pid_namespace:
        detail = "only those of this container (pid namespace): the next victim may be a hidden process"
        return Ability("processes", "all processes", Works.PARTLY, detail, "run oomtop in the host's pid namespace")
    if found.hidepid:
        detail = f"/proc is mounted with hidepid={found.hidepid}: processes of other users are hidden"
        return Ability("processes", "all processes", Works.PARTLY, detail, _get(found, "CAP_SYS_PTRACE"))
    return Ability("processes", "all processes", Works.YES, "/proc")


def _mappings(found: Abilities) -> Ability:
    whose = "every process of this user namespace" if found.user_namespace else "every process"
    if found.has(Capability.SYS_PTRACE):
        return Ability("mappings", "mappings, PSS, open files", Works.YES, f"of {whose}")
    detail = "of your own processes only" + (
        f", kernel.yama.ptrace_scope={found.ptrace_scope}" * bool(found.ptrace_scope)
    )
    return Ability("mappings", "mappings, PSS, open files", Works.PARTLY, detail, _get(found, "CAP_SYS_PTRACE"))


def _signals(found: Abilities) -> Ability:
    if found.release < (5, 3):
        detail = "no pidfd before Linux 5.3: check the start time, then kill(2)"
        return Ability("signals", "signals", Works.PARTLY, detail)
    every = "to every process of this user namespace" if found.user_namespace else "to every process"
    whose = every if found.has(Capability.KILL) else "to your own processes"
    works = Works.YES if found.has(Capability.KILL) else Works.PARTLY
    remedy = None if works is Works.YES else _get(found, "CAP_KILL")
    return Ability("signals", "signals", works, f"through a pidfd, {whose}", remedy)


def _protect(found: Abilities) -> Ability:
    if found.has(Capability.SYS_RESOURCE):
        return Ability("protect", "oom_score_adj", Works.YES, "can be raised and lowered")
    remedy = _get(found, "CAP_SYS_RESOURCE")
    return Ability("protect", "oom_score_adj", Works.PARTLY, "can be raised, not lowered", remedy)


def _guard(found: Abilities) -> Ability:
    if found.has(Capability.IPC_LOCK) or found.memlock is None:
        return Ability("guard", "oomtop's memory locked", Works.YES, "mlockall(2)")
    if found.memlock >= 64 << 20:
        return Ability("guard", "oomtop's memory locked", Works.YES, f"RLIMIT_MEMLOCK {format_bytes(found.memlock)}")
    detail = f"RLIMIT_MEMLOCK is {format_bytes(found.memlock)}: oomtop itself may be paged out under pressure"
    return Ability("guard", "oomtop's memory locked", Works.NO, detail, "CAP_IPC_LOCK, or `ulimit -l 65536`")


def _reclaim(found: Abilities) -> Ability:
    process = found.release >= (5, 10) and found.has(Capability.SYS_NICE) and found.has(Capability.SYS_PTRACE)
    group = (
        found.layout is not None and found.layout.version == 2 and found.release >= (5, 19) and found.can_write_cgroups
    )
    parts = [*(["a process (process_madvise)"] if process else []), *(["a cgroup (memory.reclaim)"] if group else [])]
    if len(parts) == 2:
        return Ability("reclaim", "reclaim", Works.YES, " and ".join(parts))
    missing = [
        *([] if process else ["a process needs Linux 5.10, CAP_SYS_NICE and CAP_SYS_PTRACE"]),
        *([] if group else ["a cgroup needs v2, Linux 5.19 and root"]),
    ]
    return Ability("reclaim", "reclaim", Works.PARTLY if parts else Works.NO, "; ".join(missing))


def _swap(found: Abilities) -> Ability:
    if not found.has(Capability.SYS_ADMIN):
        return Ability("swap", "swap on and off", Works.NO, "needs CAP_SYS_ADMIN", _get(found, "CAP_SYS_ADMIN"))
    if missing := sorted({"mkswap", "swapon"} - found.tools):
        return Ability("swap", "swap on and off", Works.NO, f"{' and '.join(missing)} not found", "install util-linux")
    if not found.has_zram:
        return Ability("swap", "swap on and off", Works.PARTLY, "files; this kernel has no zram module")
    return Ability("swap", "swap on and off", Works.YES, "files and zram")


def _services(found: Abilities) -> Ability:
    tools = [name for name in ("docker", "podman") if name in found.tools]
    if found.has_systemd and "systemctl" in found.tools:
        return Ability("services", "persistent limits", Works.YES, ", ".join(["systemctl set-property", *tools]))
    if tools:
        return Ability("services", "persistent limits", Works.PARTLY, f"{', '.join(tools)}; systemd does not run here")
    return Ability("services", "persistent limits", Works.NO, "no systemd, docker or podman found")


def _deep_tools(found: Abilities) -> Ability:
    tools = [name for name in ("strace", "gdb") if name in found.tools]
    if len(tools) == 2:
        return Ability("deep_tools", "deeper tools", Works.YES, ", ".join(tools))
    missing = " and ".join(name for name in ("strace", "gdb") if name not in found.tools)
    works = Works.PARTLY if tools else Works.NO
    return Ability("deep_tools", "deeper tools", works, f"{missing} not found", f"install {missing}")


_ABILITIES: tuple[Callable[[Abilities], Ability], ...] = (
    _rights, _processes, _pressure, _kernel_log, _older_logs, _cgroups, _mappings, _signals, _protect, _reclaim,
    _swap, _services, _guard, _deep_tools,
)  # fmt: skip
