"""What the kernel permits: to signal by user or CAP_KILL, to write a limit by the file, to freeze by the hierarchy."""

import os
from pathlib import Path

import pytest

from oomtop.host.cgroup import CgroupLayout
from oomtop.host.permissions import Permissions, own_permissions
from oomtop.host.privileges import Capability
from tests.tui.factories import make_process

KILL = 1 << Capability.KILL


@pytest.mark.parametrize(
    ("own", "capabilities", "in_namespace", "other", "may"),
    [
        (1000, 0, False, 1000, True),
        (1000, 0, False, 0, False),
        (1000, KILL, False, 0, True),
        (0, 0, False, 1000, False),
        (0, KILL, True, 0, True),
        (0, KILL, True, 65534, False),
        (0, KILL, False, 65534, True),
    ],
)
def test_who_may_signal_whom(own: int, capabilities: int, in_namespace: bool, other: int, may: bool) -> None:
    rights = Permissions(frozenset([own]), capabilities, in_namespace, None)
    assert rights.may_signal(make_process(uid=other)) == may
    assert rights.is_root == (own == 0)


def test_the_own_rights_are_those_of_the_kernel() -> None:
    rights = own_permissions()
    assert rights.is_root == (os.geteuid() == 0 or os.getuid() == 0)
    assert rights.may_signal(make_process(os.getpid(), uid=os.getuid()))


def test_a_limit_is_changed_where_its_file_may_be_written(tmp_path: Path) -> None:
    for version, name in ((1, "memory.limit_in_bytes"), (2, "memory.max")):
        mount = tmp_path / f"v{version}" / "memory"
        (mount / "web").mkdir(parents=True)
        rights = Permissions(frozenset([0]), 0, False, CgroupLayout(version, str(mount), None))
        assert not rights.may_limit("/web")
        (mount / "web" / name).touch()
        assert rights.may_limit("/web")
        assert not rights.may_freeze_group("/web")
    (tmp_path / "v2/memory/web/cgroup.freeze").touch()
    assert Permissions(frozenset([0]), 0, False, CgroupLayout(2, str(tmp_path / "v2/memory"), None)).may_freeze_group(
        "/web"
    )
    (tmp_path / "v1/freezer/web").mkdir(parents=True)
    (tmp_path / "v1/freezer/web/freezer.state").touch()
    assert Permissions(frozenset([0]), 0, False, CgroupLayout(1, str(tmp_path / "v1/memory"), None)).may_freeze_group(
        "/web"
    )
    assert not Permissions(frozenset([0]), 0, False, None).may_limit("/web")
