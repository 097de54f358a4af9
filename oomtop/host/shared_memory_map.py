"""Which processes share one memory map (`CLONE_VM` without `CLONE_THREAD`, vfork): the OOM killer kills them together.

kcmp(2), `KCMP_VM` (`CONFIG_KCMP`); it asks for the rights of ptrace(2) over both processes.
"""

from __future__ import annotations

import ctypes
import os
import types
from collections.abc import Iterable, Mapping, Sequence
from functools import cmp_to_key

from oomtop.host.process import Process, ProcessId

_NUMBERS = types.MappingProxyType({"x86_64": 312, "aarch64": 272, "riscv64": 272, "ppc64le": 354, "s390x": 343})
_KCMP_VM = 1
_EQUAL, _LESS, _GREATER = 0, 1, 2
_LIBC = ctypes.CDLL(None)


def memory_owners(processes: Iterable[Process]) -> Mapping[ProcessId, int | None]:
    """Return for each process the lowest pid of those that share its memory map, None where it is its own.

    kcmp has an order of its own, so sorting by it brings equal ones together.
    """
    found: dict[ProcessId, int | None] = {}
    group: list[Process] = []
    for process in sorted(processes, key=cmp_to_key(_order)):
        if group and _compare(group[0], process) != _EQUAL:
            found.update(_owned(group))
            group = []
        group.append(process)
    found.update(_owned(group))
    return found


def _owned(group: Sequence[Process]) -> dict[ProcessId, int | None]:
    owner = min(process.pid for process in group) if len(group) > 1 else None
    return {process.id: owner for process in group}


def _order(one: Process, other: Process) -> int:
    answer = _compare(one, other)
    if answer in (_LESS, _GREATER):
        return -1 if answer == _LESS else 1
    return 0 if answer == _EQUAL else one.pid - other.pid


def _compare(one: Process, other: Process) -> int:
    """Return the kernel's answer, -1 where it gives none; a main thread that has ended has no map to compare."""
    number = _NUMBERS.get(os.uname().machine)
    if number is None:
        return -1
    arguments = (number, one.thread or one.pid, other.thread or other.pid, _KCMP_VM, 0, 0)
    return int(_LIBC.syscall(*map(ctypes.c_long, arguments)))
