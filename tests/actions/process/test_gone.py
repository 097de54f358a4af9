"""A process that ends between the plan and the action."""

import subprocess
from collections.abc import Callable

import pytest

from oomtop.actions.base.plan import Status
from oomtop.actions.base.requests import AdjustRequest, KillRequest, ReclaimProcessRequest, Request
from oomtop.actions.dispatch import prepare
from oomtop.host.process import ProcessId
from tests.actions.children import context, end, facts, identity


@pytest.mark.parametrize(
    ("request_for", "status"),
    [
        (lambda who: AdjustRequest((who,), 500), Status.FAILED),
        (lambda who: KillRequest((who,)), Status.REFUSED),
        (ReclaimProcessRequest, Status.FAILED),
    ],
    ids=["adjust", "kill", "page out"],
)
def test_gone_between_plan_and_action(
    child: subprocess.Popen[bytes], request_for: Callable[[ProcessId], Request], status: Status
) -> None:
    prepared = prepare(request_for(identity(child.pid)), context([facts(child.pid)]))
    assert prepared.plan.refusal is None
    end(child)
    outcome = prepared.perform(print)
    assert outcome.status is status
    assert "already exited" in outcome.summary
