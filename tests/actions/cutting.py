"""An action that is killed between any two of its steps, and what a next start makes of it."""

from __future__ import annotations

import os
import signal
import subprocess
import traceback
from collections.abc import Callable
from typing import Any

from oomtop.actions.base.context import ActionContext
from oomtop.actions.base.plan import Status
from oomtop.actions.dispatch import carry_out, prepare
from oomtop.actions.journal.audit_log import Audit
from oomtop.actions.recovery import Findings, check
from oomtop.actions.swap import file as swap_file
from oomtop.actions.swap import off as swap_off
from oomtop.actions.swap import zram as swap_zram

# What an action does to the machine goes through these; the forked child dies just before the Nth of them.
_STEPS: tuple[tuple[Any, tuple[str, ...]], ...] = (
    (os, ("open", "write", "pwrite", "fsync", "link", "unlink", "replace", "posix_fallocate", "makedirs", "mkdir", "rmdir")),
    (signal, ("pidfd_send_signal",)),
    (subprocess, ("run",)),
    (swap_file, ("swapon",)),
    (swap_off, ("swapoff",)),
    (swap_zram, ("swapon",)),
)  # fmt: skip


def die_at(step: int, work: Callable[[], object]) -> bool:
    """Run `work` in a forked child that is killed just before its Nth step; return whether it got to its end."""
    pid = os.fork()
    if pid == 0:
        try:
            _count_down(step)
            work()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return False
    assert os.WEXITSTATUS(status) == 0
    return True


def _count_down(step: int) -> None:
    left = [step]

    def counted(real: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object, **named: object) -> object:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*arguments, **named)

        return call

    for module, names in _STEPS:
        for name in names:
            setattr(module, name, counted(getattr(module, name)))


def die_at_each_step(work: Callable[[], object], afterwards: Callable[[int], object], most: int = 200) -> int:
    """Do it again and again, killed one step later each time, until it gets to its end; return how many steps."""
    for step in range(1, most):
        if die_at(step, work):
            return step - 1
        afterwards(step)
    raise AssertionError("it never came to its end")


def recover(audit: Audit, where: ActionContext) -> Findings:
    """What the next start does, and then the user: look back, and take everything back that is named."""
    findings = check(audit, where)
    for leftover in findings.undo:
        assert leftover.request is not None
        outcome = carry_out(prepare(leftover.request, where), audit, print, leftover.entry)
        assert outcome.status is Status.DONE, outcome
    return findings
