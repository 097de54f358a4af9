"""What a mount of /proc and the namespaces hide."""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from oomtop.host import namespaces, privileges, visibility
from oomtop.host.root import Root
from oomtop.host.visibility import effective_hidepid, proc_options, read_threads, read_visibility

OPEN = "proc /proc proc rw,nosuid,relatime 0 0\n"
CLOSED = "proc /proc proc rw,nosuid,hidepid=invisible 0 0\n"


@pytest.fixture
def unprivileged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visibility, "has_capability", lambda capability: False)
    monkeypatch.setattr(os, "getegid", lambda: 1000)
    monkeypatch.setattr(os, "getgroups", lambda: [1000, 7])


@pytest.mark.parametrize(
    ("mounts", "found"),
    [
        (OPEN, None),
        ("proc /proc proc rw,hidepid=0 0 0\n", None),
        ("proc /proc proc rw,hidepid=off 0 0\n", None),
        (CLOSED, "invisible"),
        (OPEN + "proc /proc proc rw,hidepid=2 0 0\n", "2"),
        (CLOSED + OPEN, None),
        ("proc /proc proc rw,hidepid=2,gid=7 0 0\n", None),
        ("proc /proc proc rw,hidepid=2,gid=8 0 0\n", "2"),
        ("proc /proc proc rw,hidepid=ptraceable,gid=7 0 0\n", "ptraceable"),
        ("proc /srv/jail/proc proc rw,hidepid=2 0 0\n", None),
        ("", None),
        ("short line\n", None),
    ],
)
def test_the_last_mount_counts_and_who_is_exempt(unprivileged: None, mounts: str, found: str | None) -> None:
    assert effective_hidepid(mounts) == found


def test_nothing_is_hidden_from_who_may_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visibility, "has_capability", lambda capability: True)
    assert effective_hidepid(CLOSED) is None
    assert proc_options(CLOSED)["hidepid"] == "invisible"


def fake(
    tmp_path: Path, links: Sequence[tuple[str, str]] = (), version: str = "Linux version 6.1.0", mounts: str = OPEN
) -> Root:
    (tmp_path / "proc/self/ns").mkdir(parents=True)
    for kind, target in links:
        os.symlink(target, tmp_path / "proc/self/ns" / kind)
    (tmp_path / "proc/version").write_text(version)
    (tmp_path / "proc/self/mounts").write_text(mounts)
    (tmp_path / "proc/loadavg").write_text("0.00 0.00 0.00 1/560 31234\n")
    return Root(str(tmp_path))


def test_the_machines_own_namespaces_have_fixed_numbers(tmp_path: Path) -> None:
    root = fake(tmp_path, [("pid", "pid:[4026531836]"), ("user", "user:[4026532999]")])
    found = read_visibility(root)
    assert not found.pid_namespace
    assert found.user_namespace
    assert not namespaces.is_in_namespace("cgroup", root)


def test_lxcfs_and_gvisor_are_known(tmp_path: Path) -> None:
    lxcfs = "lxcfs /proc/meminfo fuse.lxcfs rw 0 0\n"
    root = fake(tmp_path, version="Linux version 4.4.0 #1 SMP Sun Jan 10 15:06:54 PST 2016", mounts=OPEN + lxcfs)
    found = read_visibility(root)
    assert found.gvisor
    assert found.lxcfs
    assert read_threads(root) == 560


@pytest.mark.parametrize("text", ["", "0.00 0.00 0.00 0/0 0\n", "0 0 0 x 1\n"])
def test_threads_are_unknown_where_loadavg_does_not_tell(tmp_path: Path, text: str) -> None:
    root = fake(tmp_path)
    (tmp_path / "proc/loadavg").write_text(text)
    assert read_threads(root) is None


def test_in_a_user_namespace_the_machines_capabilities_are_not_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(privileges, "read_optional", lambda path: "CapEff:\t000001ffffffffff\n")
    monkeypatch.setattr(privileges, "is_in_namespace", lambda kind: True)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert not privileges.has_capability(privileges.Capability.SYS_RESOURCE)
    assert privileges.has_capability(privileges.Capability.KILL)
    assert privileges.describe_rights() == "root of a user namespace"
