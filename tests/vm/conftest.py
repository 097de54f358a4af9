"""`machine(Shape(...))`: a booted machine of that shape, one for the whole run of the tests.

A test: `def test_x(machine): assert machine(Shape(memory=512)).call(scenario, size=5) == ...`, where `scenario` is a
plain function whose source runs as root inside the guest and returns something that JSON can carry.

`VM_MINUTES` in the environment is the time after which no further test begins: each of these says that it was skipped.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator

import pytest

from tests.vm import machine as vm


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here boots a machine; tests of one shape stand together, so that few are up at a time."""
    for item in items:
        if "tests/vm/" in item.path.as_posix():
            item.add_marker(pytest.mark.vm)


BEGUN = time.monotonic()
# Where QEMU came up once it does so again; where it did not, the others need not wait for it too.
refusals: list[str] = []


def booted(shape: vm.Shape) -> vm.Machine:
    """Return a machine of that shape; where QEMU cannot boot one at all, that says nothing of oomtop."""
    try:
        return vm.Machine(shape)
    except vm.NotBooted:
        pass
    try:
        return vm.Machine(shape)
    except vm.NotBooted as failed:
        refusals.append(f"no machine boots here: {failed}")
        pytest.skip(refusals[0])


@pytest.fixture(scope="session")
def machine() -> Iterator[Callable[[vm.Shape], vm.Machine]]:
    """Return what gives the machine of a shape; the one of another shape is switched off first."""
    reason = vm.missing()
    if reason is not None:
        pytest.skip(reason)
    running: list[vm.Machine] = []

    minutes = float(os.environ.get("VM_MINUTES", "inf"))

    def give(shape: vm.Shape) -> vm.Machine:
        if refusals:
            pytest.skip(refusals[0])
        if time.monotonic() - BEGUN > minutes * 60:
            pytest.skip(f"the {minutes:.0f} minutes of VM_MINUTES are over")
        if running and running[0].shape != shape:
            running.pop().close()
        if not running:
            running.append(booted(shape))
        return running[0]

    yield give
    for one in running:
        one.close()
