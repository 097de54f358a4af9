"""Maps requests to their prepare functions, and performs actions with audit log entries before and after."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar, cast

from oomtop.actions.base import requests
from oomtop.actions.base.context import ActionContext
from oomtop.actions.base.plan import Outcome, Prepared
from oomtop.actions.base.requests import Request
from oomtop.actions.cgroup.confine import prepare_confine, prepare_release
from oomtop.actions.cgroup.kill import prepare_kill_cgroup
from oomtop.actions.cgroup.limit import prepare_limit
from oomtop.actions.cgroup.reclaim import prepare_reclaim
from oomtop.actions.drill.plan import prepare_drill
from oomtop.actions.journal.audit_log import Audit
from oomtop.actions.machine.compact import prepare_compact
from oomtop.actions.machine.drop_caches import prepare_drop_caches
from oomtop.actions.machine.sysctl import prepare_sysctl
from oomtop.actions.machine.systemd_adj import prepare_unit_adj
from oomtop.actions.process.adjust import prepare_adjust, prepare_restore
from oomtop.actions.process.freeze import prepare_freeze, prepare_freeze_cgroup
from oomtop.actions.process.kill import prepare_kill
from oomtop.actions.process.page_out import prepare_reclaim_process
from oomtop.actions.swap.file import prepare_swap_file
from oomtop.actions.swap.off import prepare_swap_off
from oomtop.actions.swap.zram import prepare_sweep_zram, prepare_zram
from oomtop.frozen import replace

_R = TypeVar("_R")
_Prepare = Callable[[Request, ActionContext], Prepared]


def _row(kind: type[_R], prepare: Callable[[_R, ActionContext], Prepared]) -> tuple[type[object], _Prepare]:
    """Pair a request type with its function; the key's type makes the cast valid."""
    return kind, cast(_Prepare, prepare)


_TABLE: Mapping[type[object], _Prepare] = dict(
    (
        _row(requests.KillRequest, prepare_kill),
        _row(requests.AdjustRequest, prepare_adjust),
        _row(requests.RestoreAdjRequest, prepare_restore),
        _row(requests.DropCachesRequest, prepare_drop_caches),
        _row(requests.FreezeRequest, prepare_freeze),
        _row(requests.KillCgroupRequest, prepare_kill_cgroup),
        _row(requests.FreezeCgroupRequest, prepare_freeze_cgroup),
        _row(requests.ReclaimCgroupRequest, prepare_reclaim),
        _row(requests.ReclaimProcessRequest, prepare_reclaim_process),
        _row(requests.LimitRequest, prepare_limit),
        _row(requests.ConfineRequest, prepare_confine),
        _row(requests.ReleaseRequest, prepare_release),
        _row(requests.UnitAdjRequest, prepare_unit_adj),
        _row(requests.SysctlRequest, prepare_sysctl),
        _row(requests.CompactRequest, prepare_compact),
        _row(requests.SwapFileRequest, prepare_swap_file),
        _row(requests.SwapOffRequest, prepare_swap_off),
        _row(requests.ZramRequest, prepare_zram),
        _row(requests.SweepZramRequest, prepare_sweep_zram),
        _row(requests.DrillRequest, prepare_drill),
    )
)


def prepare(request: Request, context: ActionContext) -> Prepared:
    """Open what `request` needs and return its plan; errors of the machine become a refusal."""
    return _TABLE[type(request)](request, context)


def carry_out(prepared: Prepared, audit: Audit, report: Callable[[str], None], undoes: str | None = None) -> Outcome:
    """Perform, with audit log lines before and after; problems of the log go to the outcome's details.

    `undoes` is the audit log entry that this undoes.
    """
    entry, problem = audit.start(prepared.plan, undoes)
    outcome = prepared.perform(report)
    problem = audit.end(entry, prepared.plan, outcome, undoes) or problem
    details = outcome.details if problem is None else (*outcome.details, problem)
    return replace(outcome, details=details, entry=entry)
