"""The platform of a kill, from the evidence alone, and how limits and protection are set on it.

Kubernetes: kubepods in the path of the cgroup; Slurm, libvirt, LXC, docker and podman likewise; OpenWrt by procd and
its companions in the task table; Android by its killers; WSL by the kernel's release.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from oomtop.frozen import frozen
from oomtop.oomlog.event import OomEvent

_OPENWRT = frozenset({
    "procd", "ubusd", "netifd", "uhttpd", "rpcd", "askfirst", "logread", "dropbear", "odhcpd",
})  # fmt: skip
_USER = re.compile(r"/(user-\d{1,10}\.slice)/")
_BEAN = re.compile(r"Out of memory in UB (\d{1,10})")
_FIRST_V2 = (4, 5)
_RELEASE = re.compile(r"^(\d{1,3})\.(\d{1,4})")
_UNIT = re.compile(r"/([^/ ]+\.(?:service|scope))(?=[/ ]|$)")


@frozen
class Platform:
    """How limits are set somewhere; `{more}`, `{limit}`, `{unit}` and `{name}` are filled in."""

    name: str
    raise_limit: str
    soft: str | None
    protect: str | None
    cap: str
    swap: str | None = "Add swap: with none, one short peak kills where swap would have carried it."
    group: str | None = None
    """How to have one process killed instead of all of a group."""


# The victim's pid is gone: these words are for the next one.
_PROTECT = "start it with a lower oom_score_adj (`choom -n -500 -- COMMAND`)"
# util-linux has choom since 2.33, of the time of this kernel.
_FIRST_CHOOM = (4, 18)
_PROTECT_OLD = "lower its oom_score_adj once it runs (`echo -500 > /proc/PID/oom_score_adj`)"
_V2_SOFT = "Set memory.high to {high} (90 %): it is slowed down before it is killed."
KUBERNETES = Platform(
    "Kubernetes",
    "raise resources.limits.memory of the container to {more} (now {limit})",
    "Set resources.requests.memory to what it needs in the steady state, so that its node has that much.",
    "give its container requests equal to limits (QoS class Guaranteed: oom_score_adj -997)",
    "Set resources.limits.memory for its container below the {held} that it held, and keep memory for the system with "
    "the kubelet's --system-reserved and --kube-reserved",
    "Swap helps only where the kubelet has it enabled (failSwapOn: false, LimitedSwap): add memory or nodes instead.",
    "With the kubelet's singleProcessOOMKill: true only the chosen process is killed, not all of its container.",
)
SLURM = Platform(
    "Slurm", "ask for more with --mem or --mem-per-cpu ({more}; now {limit})", None, None,
    "Set ConstrainRAMSpace=yes in cgroup.conf, so that a job is stopped at its --mem ({held} were held)",
)  # fmt: skip
LIBVIRT = Platform(
    "libvirt", "raise <memtune><hard_limit> of the domain to {more}, or remove it (now {limit}); QEMU needs more than "
    "the guest's memory", None, None,
    "The victim is a virtual machine: give the guests less memory in all, or the host more (it had {held} in RAM)",
)  # fmt: skip
PROXMOX = Platform(
    "Proxmox", "raise the memory of the container: `pct set ID --memory MiB` ({more}; now {limit})", None, _PROTECT,
    "Limit the container or guest of {name} (`pct set ID --memory`, `qm set ID --memory`) below "
    "the {held} it had in RAM",
)  # fmt: skip
LXC = Platform(
    "LXC", "raise lxc.cgroup2.memory.max (`lxc config set NAME limits.memory`) to {more} (now {limit})", None, _PROTECT,
    "Limit the container of {name} (limits.memory, lxc.cgroup2.memory.max) below the {held} it had in RAM",
)  # fmt: skip
CONTAINER = Platform(
    "container engine", "raise --memory of the container (compose: mem_limit) to {more} (now {limit})",
    "Set --memory-reservation to what it needs in the steady state.", "start it with --oom-score-adj -500",
    "Start its container with --memory below the {held} that it had in RAM",
)  # fmt: skip
OPENWRT = Platform(
    "OpenWrt", "raise the limit to {more} (now {limit})", None, "write -500 to /proc/PID/oom_score_adj",
    "Run less on this router, or give {name} smaller caches: it had {held} in RAM",
    "Add compressed swap: the package zram-swap.",
)  # fmt: skip
ANDROID = Platform(
    "Android", "raise the limit to {more} (now {limit})", None, None,
    "Free memory before {name} is needed: its adj is set by ActivityManager",
)  # fmt: skip
SYSTEMD = Platform(
    "systemd", "raise MemoryMax= of {unit} to {more} (now {limit})",
    "Set MemoryHigh= to {high} (90 %): it is slowed down before it is killed.",
    "set OOMScoreAdjust=-500 in its unit",
    "Set MemoryHigh= of {unit}, and MemoryMax= a little higher, below the {held} that {name} had in RAM",
)  # fmt: skip
CGROUP_V1 = Platform(
    "cgroup v1", "raise memory.limit_in_bytes of the group to {more} (now {limit})",
    None, _PROTECT, "Put {name} into a group whose memory.limit_in_bytes is below the {held} that it had in RAM",
)  # fmt: skip
PLAIN = Platform(
    "cgroup v2", "raise its limit to {more} (now {limit})", _V2_SOFT, _PROTECT,
    "Limit {name} to less than the {held} that it had in RAM: memory.high, and memory.max a little higher",
)  # fmt: skip


def _path(event: OomEvent) -> str:
    return f"{event.oom_memcg or ''} {event.task_memcg or ''} {event.cgroup or ''} {event.cpuset or ''}"


def is_v1(event: OomEvent) -> bool:
    """Whether the report is from cgroup v1: by counters that only v1 has (kmem, memory+swap), or by its age."""
    release = _RELEASE.match(event.kernel or "")
    if release is not None and (int(release[1]), int(release[2])) < _FIRST_V2:
        return True
    return any(line.lstrip().startswith(("memory+swap: usage", "kmem: usage")) for line in event.raw)


def group_of(event: OomEvent) -> str | None:
    """Return the cgroup whose limit was hit, or the beancounter that OpenVZ names in its place."""
    bean = next((found[1] for line in event.raw if (found := _BEAN.search(line))), None)
    return event.oom_memcg or event.task_memcg or (None if bean is None else f"the OpenVZ container (UB {bean})")


def counts_both(event: OomEvent) -> bool:
    """Whether the figures of swap are those of memory and swap together, as cgroup v1 counts them."""
    return any(line.lstrip().startswith("memory+swap:") for line in event.raw)


def _holds(*words: str) -> Callable[[OomEvent], bool]:
    return lambda event: any(word in _path(event) for word in words)


def _names(event: OomEvent) -> frozenset[str]:
    trigger = event.trigger.name if event.trigger else None
    victim = event.victim.name if event.victim else None
    return frozenset(name for name in (trigger, victim, *(task.name for task in event.tasks)) if name)


def _is_proxmox(event: OomEvent) -> bool:
    return "-pve" in (event.kernel or "") and _holds("/lxc/", "/lxc.", "qemu.slice", "ns/")(event)


# The most specific first: a pod's path holds the engine's name as well.
_RULES: tuple[tuple[Callable[[OomEvent], bool], Platform], ...] = (
    (lambda event: event.killer in ("lmkd", "lowmemorykiller"), ANDROID),
    (_holds("kubepods", "kubelet"), KUBERNETES),
    (_holds("/slurm/", "slurmstepd", "/slurm_"), SLURM),
    (_is_proxmox, PROXMOX),
    (_holds("machine-qemu", "/libvirt", "libvirt-"), LIBVIRT),
    (_holds("/lxc/", "/lxc.payload", "/lxc.monitor"), LXC),
    (_holds("/docker/", "docker-", "libpod", "/containerd", "nerdctl"), CONTAINER),
    (lambda event: len(_names(event) & _OPENWRT) > 1 or "procd" in _names(event), OPENWRT),
    (is_v1, CGROUP_V1),
    (lambda event: _UNIT.search(_path(event)) is not None, SYSTEMD),
)


def platform_of(event: OomEvent) -> Platform:
    """Return the platform that the evidence shows, plain cgroup v2 if none."""
    return next((platform for rule, platform in _RULES if rule(event)), PLAIN)


def unit_of(event: OomEvent) -> str:
    """Return the systemd unit of the full group, or of the victim; for a login session, the user's slice."""
    for path in filter(None, (event.oom_memcg, event.task_memcg, event.cgroup, event.cpuset)):
        # Below the manager of a user, or of a container, are units of their own: the innermost is named last.
        units = [unit for unit in _UNIT.findall(path) if unit != "init.scope"]
        if units:
            user = _USER.search(path) if units[-1].startswith("session-") else None
            return str(user[1] if user else units[-1])
    return "its unit"


def pods_of(event: OomEvent) -> str | None:
    """Return the advice for a limit above one container: of a pod, or of all pods of the node."""
    last = (event.oom_memcg or "").rpartition("/")[2].removesuffix(".slice")
    if last in ("kubepods", "besteffort", "burstable", "kubepods-besteffort", "kubepods-burstable"):
        return (
            "{limit} is the limit of many pods of the node together, no container's: give the pods "
            "resources.limits.memory that fit into it, or the node more memory."
        )
    if re.search(r"(?:^|-)pod[0-9a-f]{8}", last):
        return (
            "If the processes in this pod need more, raise resources.limits.memory of its containers, {limit} "
            "together, to {more}."
        )
    return None


def protection_of(event: OomEvent) -> tuple[str, int] | None:
    """Return how a process is kept from being chosen on the platform, and the adj it has then.

    Only a service has a unit file.
    """
    platform = platform_of(event)
    words = _PROTECT if platform is SYSTEMD and not unit_of(event).endswith(".service") else platform.protect
    release = _RELEASE.match(event.kernel or "")
    if words is _PROTECT and release is not None and (int(release[1]), int(release[2])) < _FIRST_CHOOM:
        words = _PROTECT_OLD
    return None if words is None else (words, -997 if platform is KUBERNETES else -500)
