"""`machine(Shape(...))`: a booted machine of that shape, one for the whole run of the tests.

A test: `def test_x(machine): assert machine(Shape(memory=512)).call(scenario, size=5) == ...`, where `scenario` is a
plain function whose source runs as root inside the guest and returns something that JSON can carry.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.vm import machine as vm


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here boots a machine; tests of one shape stand together, so that few are up at a time."""
    for item in items:
        if "tests/vm/" in item.path.as_posix():
            item.add_marker(pytest.mark.vm)


def booted(shape: vm.Shape) -> vm.Machine:
    """Return a machine of that shape; where QEMU cannot boot one at all, that says nothing of oomtop."""
    try:
        return vm.Machine(shape)
    except vm.NotBooted:
        pass
    try:
        return vm.Machine(shape)
    except vm.NotBooted as failed:
        pytest.skip(f"no machine boots here: {failed}")


@pytest.fixture(scope="session")
def machine() -> Iterator[Callable[[vm.Shape], vm.Machine]]:
    """Return what gives the machine of a shape; the one of another shape is switched off first."""
    reason = vm.missing()
    if reason is not None:
        pytest.skip(reason)
    running: list[vm.Machine] = []

    def give(shape: vm.Shape) -> vm.Machine:
        if running and running[0].shape != shape:
            running.pop().close()
        if not running:
            running.append(booted(shape))
        return running[0]

    yield give
    for one in running:
        one.close()
