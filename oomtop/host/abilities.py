"""What this machine and this user let oomtop do: rights, kernel files, tools; read once, for `oomtop doctor`.

proc(5) (`hidepid`), Documentation/admin-guide/sysctl/kernel.rst (`dmesg_restrict`, `yama.ptrace_scope`),
getrlimit(2).  Sample line of `/proc/self/mounts`: `tmpfs /dev/shm tmpfs rw,nosuid,nodev,size=8062300k 0 0`
"""

from __future__ import annotations

import os
import re
import resource
import shutil
from collections.abc import Sequence

from oomtop.frozen import frozen
from oomtop.host.cgroup import CgroupLayout, find_layout, folder_of
from oomtop.host.namespaces import is_in_namespace
from oomtop.host.privileges import Capability, effective_capabilities
from oomtop.host.root import Root, read_int, read_optional
from oomtop.host.visibility import effective_hidepid

TOOLS = ("systemctl", "journalctl", "docker", "podman", "mkswap", "swapon", "strace", "gdb")
_IN_MEMORY = ("tmpfs", "ramfs")
_ESCAPE = re.compile(r"\\([0-7]{3})")


@frozen
class Tmpfs:
    """A file system in memory: what it may grow to and what it holds, in bytes."""

    path: str
    size: int
    used: int


@frozen
class Abilities:
    """Rights and files as they were found; None if absent."""

    uid: int
    capabilities: int
    """The effective set as a bit mask (capabilities(7))."""
    release: tuple[int, int]
    """(major, minor) of the kernel."""
    memlock: int | None
    """Soft RLIMIT_MEMLOCK in bytes, None for no limit."""
    has_psi: bool
    kmsg: str | None
    """Why `/dev/kmsg` cannot be read, None where it can."""
    dmesg_restrict: int | None
    journal: str | None
    """The folder of the systemd journal that this user can list."""
    log_files: tuple[str, ...]
    """Kernel log files under `/var/log` that can be read."""
    layout: CgroupLayout | None
    can_write_cgroups: bool
    hidepid: str | None
    """The option of `/proc` by which this user does not see the processes of others."""
    ptrace_scope: int | None
    has_zram: bool
    has_systemd: bool
    tools: frozenset[str]
    """Those of `TOOLS` that are installed."""
    tmpfs: tuple[Tmpfs, ...] = ()
    user_namespace: bool = False
    pid_namespace: bool = False

    def has(self, capability: Capability) -> bool:
        """Whether this process may use a capability."""
        return bool(self.capabilities >> capability & 1)


def read_abilities(root: Root) -> Abilities:
    """Return what this user can do on the machine under `root`."""
    layout = find_layout(root)
    mounts = read_optional(root.at("/proc/self/mounts")) or ""
    release = read_optional(root.at("/proc/sys/kernel/osrelease")) or ""
    soft = resource.getrlimit(resource.RLIMIT_MEMLOCK)[0]
    return Abilities(
        uid=os.geteuid(),
        capabilities=effective_capabilities(),
        release=parse_release(release),
        memlock=None if soft == resource.RLIM_INFINITY else soft,
        has_psi=bool(read_optional(root.at("/proc/pressure/memory"))),
        kmsg=_why_closed(root.at("/dev/kmsg")),
        dmesg_restrict=read_int(root.at("/proc/sys/kernel/dmesg_restrict")),
        journal=_journal(root),
        log_files=tuple(path for path in _LOGS if os.access(root.at(path), os.R_OK)),
        layout=layout,
        can_write_cgroups=layout is not None and os.access(folder_of(layout, "/"), os.W_OK),
        hidepid=effective_hidepid(mounts),
        user_namespace=is_in_namespace("user", root),
        pid_namespace=is_in_namespace("pid", root),
        ptrace_scope=read_int(root.at("/proc/sys/kernel/yama/ptrace_scope")),
        has_zram=_has_zram(root, release.strip()),
        has_systemd=os.path.isdir(root.at("/run/systemd/system")),
        tools=frozenset(name for name in TOOLS if shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")),
        tmpfs=tuple(found for path in parse_tmpfs(mounts) if (found := _read_tmpfs(root, path)) is not None),
    )


_LOGS = ("/var/log/kern.log", "/var/log/messages", "/var/log/syslog")
_JOURNALS = ("/var/log/journal", "/run/log/journal")


def parse_release(text: str) -> tuple[int, int]:
    """Return (major, minor) of a release such as `6.1.0-28-amd64`, (0, 0) where it has none."""
    found = re.match(r"(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def parse_tmpfs(mounts: str) -> tuple[str, ...]:
    """Return where file systems in memory are mounted."""
    paths = (words[1] for words in _mounts(mounts) if words[2] in _IN_MEMORY)
    return tuple(dict.fromkeys(_ESCAPE.sub(lambda found: chr(int(found[1], 8)), path) for path in paths))


def _mounts(text: str) -> list[Sequence[str]]:
    return [words for line in text.splitlines() if len(words := line.split()) >= 4]


def _why_closed(path: str) -> str | None:
    try:
        os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC))
    except OSError as error:
        return os.strerror(error.errno or 0)
    return None


def _journal(root: Root) -> str | None:
    for path in _JOURNALS:
        try:
            if os.listdir(root.at(path)):
                return path
        except OSError:
            continue
    return None


def _has_zram(root: Root, release: str) -> bool:
    """Whether the module is loaded, built in, or can be loaded."""
    if os.path.isdir(root.at("/sys/class/zram-control")):
        return True
    folder = root.at(f"/lib/modules/{release}")
    return any("/zram.ko" in (read_optional(f"{folder}/{name}") or "") for name in ("modules.dep", "modules.builtin"))


def _read_tmpfs(root: Root, path: str) -> Tmpfs | None:
    try:
        found = os.statvfs(root.at(path))
    except OSError:
        return None
    return Tmpfs(path, found.f_blocks * found.f_frsize, (found.f_blocks - found.f_bfree) * found.f_frsize)
