"""Freeze and thaw: SIGSTOP and SIGCONT, to buy time before deciding.

signal(7).  A stopped process keeps its memory, its locks and its connections, and no memory is freed.
"""

from __future__ import annotations

import signal as signals

from oomtop.actions.context import ActionContext
from oomtop.actions.kill import prepare_kill
from oomtop.actions.prepared import PreparedAction
from oomtop.actions.requests import FreezeRequest, KillRequest


def prepare_freeze(request: FreezeRequest, context: ActionContext) -> PreparedAction:
    """Open every target and return what stopping it, or letting it go on, means."""
    number = signals.SIGCONT if request.thaw else signals.SIGSTOP
    return prepare_kill(KillRequest(request.targets, number, override=request.override), context)
