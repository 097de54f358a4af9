"""More processes than descriptors: some are left for the audit log, and the rest is said."""

import contextlib
import os
import resource
import subprocess
from collections.abc import Iterator

import pytest

from oomtop.actions.base.plan import Status
from oomtop.actions.base.requests import AdjustRequest, KillRequest, Request
from oomtop.actions.dispatch import prepare
from tests.actions.children import context, facts, identity

MANY = 60


@pytest.fixture
def many() -> Iterator[list[subprocess.Popen[bytes]]]:
    started = [subprocess.Popen(["sleep", "1000"]) for _ in range(MANY)]
    yield started
    for child in started:
        child.kill()
        child.wait()


@contextlib.contextmanager
def few_descriptors(left: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = len(os.listdir("/proc/self/fd"))
    resource.setrlimit(resource.RLIMIT_NOFILE, (used + left, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize("kind", [KillRequest, AdjustRequest])
def test_the_rest_is_said_in_one_line(many: list[subprocess.Popen[bytes]], kind: type[Request]) -> None:
    targets = tuple(identity(child.pid) for child in many)
    request = KillRequest(targets, 9) if kind is KillRequest else AdjustRequest(targets, 100)
    with few_descriptors(80):
        prepared = prepare(request, context([facts(child.pid) for child in many]))
        taken = len(prepared.plan.targets)
        assert 0 < taken < MANY
        (skipped,) = [text for text in prepared.plan.warnings if "skipped" in text]
        assert f"{MANY - taken} of {MANY} processes: oomtop has no file descriptor left" in skipped
        assert "repeat it for them" in skipped
        # The audit log and what is read of each.
        spare = [os.open("/dev/null", os.O_RDONLY) for _ in range(10)]
        outcome = prepared.perform(print)
        for descriptor in spare:
            os.close(descriptor)
    assert outcome.status is Status.DONE
    assert "already" not in "".join((outcome.summary, *outcome.details))
    if kind is KillRequest:
        assert f"of {taken}: {taken} exited" in outcome.summary
        assert sum(child.poll() is None for child in many) == MANY - taken
