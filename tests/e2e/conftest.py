import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from oomtop.host.cgroup import CgroupLayout, find_layout
from oomtop.host.root import Root


@pytest.fixture
def cgroup() -> Iterator[tuple[CgroupLayout, Path]]:
    """Make a group and return the layout and its folder; remove it once its processes have ended."""
    layout = find_layout(Root())
    if layout is None:
        pytest.skip("no memory cgroup controller is mounted")
    folder = Path(layout.memory_mount, f"oomtop-test-{os.getpid()}")
    try:
        folder.mkdir()
    except OSError as error:
        pytest.skip(f"may not create a cgroup: {error}")
    yield layout, folder
    for _ in range(100):
        try:
            folder.rmdir()
            return
        except OSError:
            time.sleep(0.05)
