"""Matches shell patterns of the configuration against the names of processes; pure.

The kernel keeps 15 characters of a name (`TASK_COMM_LEN` in include/linux/sched.h).
"""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from oomtop.config.load import AdjustRule
from oomtop.frozen import frozen
from oomtop.host.containers import name_of, unit_of
from oomtop.host.process import Process

_COMM = 15
_DELETED = " (deleted)"


@frozen
class ProcessNames:
    """The names of a process; only its units and its user are not under its own control."""

    commands: tuple[str, ...]
    """Its comm, the program in its command line, the executable by name and by path, the whole command line."""
    cut: str | None
    """Its comm if the kernel truncated it and the full name is unknown."""
    units: tuple[str, ...]
    """The systemd unit, and the unit, container or pod name shown on the screen."""
    user: str | None


def names_of(
    process: Process, user: str | None, executable: str | None = None, paths: Iterable[str] = ()
) -> ProcessNames:
    """Return the names of a process; `paths` are its other cgroups."""
    line = process.command or ""
    file = (executable or "").removesuffix(_DELETED)
    commands = (process.comm, _last(line.split(" ", 1)[0]), _last(file), file, line)
    groups = tuple(dict.fromkeys(path for path in (process.cgroup, *paths) if path))
    units = (name for path in groups for name in (unit_of(path), name_of(path)))
    return ProcessNames(
        tuple(dict.fromkeys(name for name in commands if name)),
        process.comm if len(process.comm.encode()) == _COMM and not _last(file).startswith(process.comm) else None,
        tuple(dict.fromkeys(name for name in units if name)),
        user,
    )


def is_command(pattern: str, names: ProcessNames) -> bool:
    """Whether a pattern matches a name or the command line.

    A truncated name matches the beginning of a longer pattern, as it may be the full name.
    """
    if any(fnmatchcase(name, pattern) for name in names.commands):
        return True
    is_plain = not any(char in pattern for char in "*?[")
    return names.cut is not None and is_plain and pattern.startswith(names.cut)


def is_protected(pattern: str, names: ProcessNames) -> bool:
    """Whether a `protected` pattern matches a name, the command line, the unit or the user."""
    others = (*names.units, names.user or "")
    return is_command(pattern, names) or any(fnmatchcase(name, pattern) for name in others if name)


def fits(rule: AdjustRule, names: ProcessNames) -> bool:
    """Whether all patterns of an `[[adjust]]` match."""
    if rule.command is not None and not is_command(rule.command, names):
        return False
    if rule.unit is not None and not any(fnmatchcase(unit, rule.unit) for unit in names.units):
        return False
    return rule.user is None or (names.user is not None and fnmatchcase(names.user, rule.user))


def _last(path: str) -> str:
    return path.rsplit("/", 1)[-1]
