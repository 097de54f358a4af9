"""The settings of userspace OOM daemons: their command lines and configuration files.

earlyoom(1); nohang(8); systemd-oomd.service(8) through oomctl(1); the kubelet's `config.yaml` and flags.  What runs
under such a name is believed only where root runs it, or systemd as the unit of that name.
Sample: `earlyoom` with arguments `-m 5 --prefer ^(Web Content)$`; nohang's `soft_threshold_min_mem = 5 %`
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

from oomtop.frozen import frozen
from oomtop.host.process import Process, ProcessId
from oomtop.host.process_folder import process_folder, read_at
from oomtop.host.root import Root
from oomtop.host.trusted_file import read_foreign

KILLERS = ("earlyoom", "systemd-oomd", "nohang", "nohang-desktop", "kubelet")
_COMM = 15
_BYTES = 1 << 16
_PROGRAM_BYTES = 4 << 20
_OOMCTL_SECONDS = 5.0
_EARLYOOM_VERSION = re.compile(rb"(?<!since )earlyoom v?(1\.\d{1,2}(?:\.\d{1,2})?)")
_NOHANG_FILES = ("/etc/nohang/{}.conf", "/usr/local/etc/nohang/{}.conf")
_KUBELET_FILES = ("/var/lib/kubelet/config.yaml", "/etc/kubernetes/kubelet.yaml")
_YAML = re.compile(r"^(\s*)([A-Za-z.]+):\s*\"?([^\"#]*?)\"?\s*(?:#.*)?$")


@frozen
class KillerSettings:
    """A running daemon with its command line and its configuration, verbatim."""

    name: str
    """One of `KILLERS`."""
    id: ProcessId
    arguments: tuple[str, ...] = ()
    """Without the program itself."""
    settings: tuple[tuple[str, str], ...] = ()
    """(key, value) of its configuration; keys may repeat."""
    version: str | None = None

    def setting(self, key: str) -> str | None:
        """Return the last value of a key, None where there is none."""
        return next((value for known, value in reversed(self.settings) if known == key), None)


def find_killers(processes: Iterable[Process]) -> tuple[tuple[str, ProcessId], ...]:
    """Return the name and the process of each daemon that kills."""
    names = ((killer_name(process), process.id) for process in processes)
    return tuple((name, identity) for name, identity in names if name is not None)


def killer_name(process: Process) -> str | None:
    """Return which daemon a process is; None if any user could have given it that name."""
    comm, cgroup = process.comm, process.cgroup or ""
    # First what thousands of processes fail: this is asked for each.
    if comm[:_COMM] not in _COMMS and not (comm.startswith("python") and cgroup.startswith("/system.slice/")):
        return None
    unit = cgroup.rpartition("/")
    in_unit = unit[2].removesuffix(".service") if unit[0].startswith("/system.slice") else ""
    name = in_unit if in_unit in KILLERS and comm.startswith("python") else _COMMS.get(comm[:_COMM])
    is_trusted = process.euid == 0 or (name is not None and in_unit == name)
    return name if is_trusted and not process.is_exiting else None


_COMMS = {name[:_COMM]: name for name in KILLERS}


def read_killer(root: Root, name: str, identity: ProcessId) -> KillerSettings:
    """Return the settings of a daemon, as far as its files are readable; takes the daemon's mmap lock.

    Raises:
        OSError: it is gone, or its command line may not be read.
    """
    with process_folder(root, identity) as folder:
        words = read_at(folder, "cmdline", _BYTES).rstrip(b"\0").split(b"\0")
        program = _optional_at(folder, "exe") if name == "earlyoom" else b""
    arguments = tuple(word.decode("utf-8", "backslashreplace") for word in words[1:])
    version = _EARLYOOM_VERSION.search(program)
    return KillerSettings(
        name, identity, arguments, _settings(root, name, arguments), version[1].decode() if version else None
    )


def _optional_at(folder: int, name: str) -> bytes:
    try:
        return read_at(folder, name, _PROGRAM_BYTES)
    except (PermissionError, FileNotFoundError):
        return b""


def _settings(root: Root, name: str, arguments: Sequence[str]) -> tuple[tuple[str, str], ...]:
    if name.startswith("nohang"):
        paths = _option(arguments, ("-c", "--config")) or [path.format(name) for path in _NOHANG_FILES]
        return parse_nohang(_first(root, paths))
    if name == "kubelet":
        return parse_kubelet(_first(root, _option(arguments, ("--config",)) or _KUBELET_FILES))
    if name == "systemd-oomd" and root.path == "/":
        return parse_oomctl(_oomctl())
    return ()


def _option(arguments: Sequence[str], names: Sequence[str]) -> list[str]:
    found = [word.partition("=")[2] for word in arguments if word.partition("=")[0] in names and "=" in word]
    return found + [after for word, after in pairwise(arguments) if word in names]


def _first(root: Root, paths: Iterable[str]) -> str:
    for path in paths:
        try:
            return read_foreign(os.path.realpath(root.at(path))).decode("utf-8", "backslashreplace")
        except OSError:
            continue
    return ""


def _oomctl() -> str:
    import subprocess

    try:
        done = subprocess.run(["oomctl"], capture_output=True, timeout=_OOMCTL_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode("utf-8", "backslashreplace")


def parse_nohang(text: str) -> tuple[tuple[str, str], ...]:
    """Return `key = value` lines, and `@BADNESS_ADJ_RE_NAME 300 /// pattern` as that key with the rest."""
    found = []
    for line in text.splitlines():
        if line.startswith("@"):
            key, _, value = line.partition(" ")
            found.append((key, value.strip()))
        elif "=" in line and not line.lstrip().startswith(("#", "$")):
            key, _, value = line.partition("=")
            found.append((key.strip(), value.strip()))
    return tuple(found)


def parse_kubelet(text: str) -> tuple[tuple[str, str], ...]:
    """Return the signals of `evictionHard` and `evictionSoft` as `evictionHard.memory.available` and so on."""
    found, section = [], ""
    for line in text.splitlines():
        match = _YAML.match(line)
        if match is None:
            continue
        if not match[1]:
            section = match[2]
        elif section in ("evictionHard", "evictionSoft"):
            found.append((f"{section}.{match[2]}", match[3]))
    return tuple(found)


def parse_oomctl(text: str) -> tuple[tuple[str, str], ...]:
    """Return the limits that `oomctl` prints, and the groups it watches as `swap` and `pressure` with their paths."""
    found, section = [], ""
    for line in text.splitlines():
        key, _, value = line.strip().partition(": ")
        if line.strip().endswith(" Monitored CGroups:"):
            section = "swap" if line.strip().startswith("Swap") else "pressure"
        elif section and key == "Path":
            found.append((section, value))
        elif section == "pressure" and key == "Memory Pressure Limit":
            found.append(("pressure limit", value))
        elif not section and value:
            found.append((key, value))
    return tuple(found)
