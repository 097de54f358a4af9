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

# What of a test's name says when its turn is: tests of one shape stand together, for each change of shape is a boot.
ORDER = (
    "test_vm_boot",
    "test_vm_victims",
    "test_vm_actions",
    "unprivileged",
    "[no swap]",
    "test_without_psi",
    # From here on the swap disk stays in use.
    "test_vm_machine_oom",
    "[slow swap]",
    "with_the_first_picture",
    "test_vm_groups",
    "test_vm_arm",
    "test_vm_oomd",
    "test_vm_nodes",
    "test_vm_owners",
    "test_vm_warnings",
    "test_vm_recorder",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here boots a machine, hence the marker, and an order in which few are booted."""
    for item in items:
        if "tests/vm/" in item.path.as_posix():
            item.add_marker(pytest.mark.vm)
    items.sort(key=turn)


def turn(item: pytest.Item) -> int:
    """Return the place of a test in `ORDER`; those of other folders keep theirs, before all of it."""
    if "tests/vm/" not in item.path.as_posix():
        return -1
    # `test_without_psi` is in a module whose other tests come later.
    named = [place for place, name in enumerate(ORDER) if name in item.nodeid]
    return min(named, default=len(ORDER))


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
def running() -> Iterator[list[vm.Machine]]:
    """Return the machines that are up, one at most; a test that boots its own has the processors to itself then."""
    machines: list[vm.Machine] = []
    yield machines
    for one in machines:
        one.close()


@pytest.fixture(scope="session")
def machine(running: list[vm.Machine]) -> Callable[[vm.Shape], vm.Machine]:
    """Return what gives the machine of a shape; one of another shape or in disorder is switched off first."""
    reason = vm.missing()
    if reason is not None:
        pytest.skip(reason)
    minutes = float(os.environ.get("VM_MINUTES", "inf"))

    def give(shape: vm.Shape) -> vm.Machine:
        if refusals:
            pytest.skip(refusals[0])
        if time.monotonic() - BEGUN > minutes * 60:
            pytest.skip(f"the {minutes:.0f} minutes of VM_MINUTES are over")
        if running and (running[0].shape != shape or running[0].is_spoilt):
            running.pop().close()
        if not running:
            running.append(booted(shape))
        return running[0]

    return give
